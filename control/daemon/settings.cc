// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/settings.h"

#include "dataplane/table/contact.h"

#include <algorithm>

namespace pinhole::daemon {
namespace {

io::DeviceKind device_kind(config::DeviceKind kind) {
    switch (kind) {
        case config::DeviceKind::kAfPacket:
            return io::DeviceKind::kAfPacket;
        case config::DeviceKind::kAfXdp:
            return io::DeviceKind::kAfXdp;
        case config::DeviceKind::kPci:
            return io::DeviceKind::kPci;
        case config::DeviceKind::kMemif:
            return io::DeviceKind::kMemif;
        case config::DeviceKind::kVdev:
            break;
    }
    return io::DeviceKind::kVdev;
}

io::HugepageMode hugepage_mode(config::Hugepages mode) {
    switch (mode) {
        case config::Hugepages::kOn:
            return io::HugepageMode::kOn;
        case config::Hugepages::kOff:
            return io::HugepageMode::kOff;
        case config::Hugepages::kAuto:
            break;
    }
    return io::HugepageMode::kAuto;
}

}  // namespace

unsigned socket_mode(config::SocketMode mode) {
    return mode == config::SocketMode::kOwner ? 0600 : 0660;
}

io::Settings io_settings(const config::Config& config) {
    io::Settings settings;
    settings.workers = config.dataplane.workers;
    settings.cores.assign(config.dataplane.cores.begin(), config.dataplane.cores.end());
    settings.hugepages = hugepage_mode(config.dataplane.hugepages);
    settings.dumpcap = config.dataplane.dumpcap;
    for (const config::Port& port : config.ports) {
        io::DeviceSettings device;
        device.kind = device_kind(port.device.kind);
        device.argument = port.device.argument;
        device.tap_name = port.device.has_kernel_interface() ? "" : port.name;
        device.memif_server = port.memif_role == config::MemifRole::kServer;
        device.memif_id = port.memif_id;
        settings.devices.push_back(device);
    }
    return settings;
}

// The upper bound that the schema has for max_contacts_per_aor.
static_assert(table::kMaxContactsPerAor == 32);

registrar::RegistrarPolicy registrar_policy(const config::Registrar& registrar,
                                            const config::Qualify& qualify) {
    registrar::RegistrarPolicy policy;
    policy.default_expires_s = registrar.default_expires;
    policy.min_expires_s = registrar.min_expires;
    policy.max_expires_s = registrar.max_expires;
    policy.max_contacts_per_aor = static_cast<std::uint8_t>(registrar.max_contacts_per_aor);
    policy.expires_spread_percent = static_cast<std::uint8_t>(registrar.expires_spread_percent);
    policy.too_brief = registrar.too_brief == config::TooBrief::kRaise
                           ? registrar::TooBrief::kRaise
                           : registrar::TooBrief::kReject;
    policy.full_aor = registrar.full_aor == config::FullAor::kReplace ? registrar::FullAor::kReplace
                                                                      : registrar::FullAor::kReject;
    for (const std::string& route : registrar.service_route) {
        policy.service_route += (policy.service_route.empty() ? "<" : ", <") + route + ">";
    }
    policy.flow_timer_s = qualify.interval_s;
    policy.path_peers = registrar.path_peers;
    policy.gruu = registrar.gruu;
    return policy;
}

admit::LimitPolicy limit_policy(const config::Limits& limits) {
    return {.enabled = limits.enabled,
            .flow = {limits.flow_per_minute, limits.flow_burst},
            .address = {limits.address_per_minute, limits.address_burst},
            .phone = {limits.phone_per_minute, limits.phone_burst},
            .guesses = {limits.guesses_per_minute, limits.guesses_burst},
            .address_guesses = {limits.address_guesses_per_minute, limits.address_guesses_burst}};
}

edge::LiveSettings live_settings_of(const config::Config& config) {
    return {.registrar = registrar_policy(config.registrar, config.qualify),
            .limits = limit_policy(config.limits),
            .retry_after_s = config.overload.retry_after_s,
            .call_unreachable = config.qualify.call_unreachable == config::CallUnreachable::kTry,
            .redirect = config.core.mode == config::CoreMode::kRedirect,
            .assert_identity = config.core.assert_identity};
}

std::string allowance_file(const config::Config& config) {
    const std::string& keys = config.keys.file;
    return !config.limits.enabled || keys.empty()
               ? std::string{}
               : keys.substr(0, keys.rfind('/') + 1) + "allowances";
}

std::string interval_file(const config::Config& config) {
    return config.journal.directory.empty() ? std::string{}
                                            : config.journal.directory + "/intervals";
}

qualify::PingPolicy qualify_policy(const config::Qualify& qualify) {
    qualify::PingPolicy policy;
    policy.interval_ms = qualify.enabled ? qualify.interval_s * 1000 : 0;
    policy.timeout_ms = qualify.timeout_ms;
    policy.max_missed = qualify.max_missed;
    policy.remove_after_s = qualify.remove_after_s;
    policy.max_pings_per_s = qualify.max_pings_per_s;
    policy.max_address_pings_per_s = qualify.max_address_pings_per_s;
    policy.learn = qualify.learn_intervals;
    policy.max_interval_ms = qualify.max_interval_s * 1000;
    return policy;
}

qualify::PeerPolicy peer_policy(const config::Core& core) {
    return {core.check_interval_s * 1000, core.check_timeout_ms, core.check_max_missed};
}

edge::Role role_of(config::PortRole role) {
    switch (role) {
        case config::PortRole::kAccess:
            return edge::Role::kAccess;
        case config::PortRole::kCore:
            return edge::Role::kCore;
        case config::PortRole::kBoth:
            break;
    }
    return edge::Role::kBoth;
}

io::IdleMode idle_mode(const config::Config& config) {
    if (config.dataplane.idle != config::Idle::kAuto) {
        return config.dataplane.idle == config::Idle::kSpin ? io::IdleMode::kSpin
                                                            : io::IdleMode::kSleep;
    }
    const bool own_cores =
        !config.dataplane.cores.empty() &&
        std::none_of(config.ports.begin(), config.ports.end(),
                     [](const config::Port& port) { return port.device.has_kernel_interface(); });
    return own_cores ? io::IdleMode::kSpin : io::IdleMode::kSleep;
}

spdlog::level::level_enum log_level(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::kDebug:
            return spdlog::level::debug;
        case config::LogLevel::kWarning:
            return spdlog::level::warn;
        case config::LogLevel::kError:
            return spdlog::level::err;
        case config::LogLevel::kInfo:
            break;
    }
    return spdlog::level::info;
}

std::string device_text(const config::DeviceSpec& device) {
    static constexpr const char* kNames[] = {"af_packet:", "af_xdp:", "pci:", "memif:", "vdev:"};
    return kNames[static_cast<std::size_t>(device.kind)] + device.argument;
}

std::string role_text(config::PortRole role) {
    switch (role) {
        case config::PortRole::kAccess:
            return "access";
        case config::PortRole::kCore:
            return "core";
        case config::PortRole::kBoth:
            break;
    }
    return "both";
}

}  // namespace pinhole::daemon
