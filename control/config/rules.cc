// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/rules.h"

#include "control/config/values.h"
#include "dataplane/auth/algorithm.h"
#include "dataplane/auth/nonce.h"
#include "dataplane/sip/uri.h"

#include <algorithm>
#include <array>
#include <bit>

namespace pinhole::config {
namespace {

constexpr std::size_t kMaxSocketPath = 107;  // sun_path less the NUL
constexpr std::size_t kMaxEmergencyNumber = 16;

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

void check_dataplane(const Config& config, const Complaints& say) {
    const Dataplane& dataplane = config.dataplane;
    if (!dataplane.cores.empty() && dataplane.cores.size() != dataplane.workers) {
        say.error("dataplane.cores", "names " + number(dataplane.cores.size()) +
                                         " CPUs, but workers is " + number(dataplane.workers) +
                                         ": give each worker one CPU, or write cores = []");
    }
}

void check_port(const Config& config, std::size_t index, const Complaints& say) {
    const Port& port = config.ports[index];
    const std::string key = port_key(index);
    if (!say.written(key + ".device")) {
        say.error(key + ".device",
                  "is missing: every [[port]] needs a device, such as device = \"af_packet:eth0\"");
        return;
    }
    for (const std::string_view name : {"memif_id", "memif_role"}) {
        const std::string full = key + "." + std::string(name);
        if (say.written(full) && port.device.kind != DeviceKind::kMemif) {
            say.error(full, "is for a memif port, but device is \"" + to_text(port.device) + "\"");
        }
    }
    if (say.written(key + ".name") && !is_interface_name(port.name)) {
        say.error(key + ".name", "is \"" + port.name +
                                     "\", but must do as an interface name: 1 to 15 characters, no "
                                     "slash, colon or white space");
    }
}

// An address may stand at two ports (anycast, two uplinks); a device or a name may not.
void check_ports_apart(const Config& config, const Complaints& say) {
    for (std::size_t i = 1; i < config.ports.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const Port& port = config.ports[i];
            const Port& other = config.ports[j];
            if (port.device.argument.empty() || other.device.argument.empty()) {
                continue;
            }
            const bool same_memif =
                port.device.kind == DeviceKind::kMemif && port.memif_id != other.memif_id;
            const bool same_interface = port.device.has_kernel_interface() &&
                                        other.device.has_kernel_interface() &&
                                        port.device.argument == other.device.argument;
            if ((port.device == other.device && !same_memif) || same_interface) {
                say.error(port_key(i) + ".device", "is \"" + to_text(port.device) + "\", which " +
                                                       port_key(j) + " has already");
            } else if (port.name == other.name) {
                say.error(port_key(i) + ".name",
                          "is \"" + port.name + "\", which " + port_key(j) +
                              " has already: give each port a name of its own");
            }
        }
    }
}

bool any_port_for(const Config& config, PortRole role) {
    return std::any_of(config.ports.begin(), config.ports.end(), [role](const Port& port) {
        return port.role == role || port.role == PortRole::kBoth;
    });
}

void check_ports(const Config& config, const Complaints& say) {
    if (config.ports.empty()) {
        say.error(
            "port",
            "is missing: pinhole needs a port to take packets from. Write [[port]] and, below "
            "it, device = \"af_packet:eth0\"");
        return;
    }
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        check_port(config, i, say);
    }
    check_ports_apart(config, say);
    if (!any_port_for(config, PortRole::kAccess)) {
        say.error(
            "port[0].role",
            "is \"core\" at every port, so no phone could register: one must be \"access\" or "
            "\"both\"");
    }
    if (!config.core.peers.empty() && !any_port_for(config, PortRole::kCore)) {
        say.error(
            "port[0].role",
            "is \"access\" at every port, so the peers of [core] could not be heard: one must "
            "be \"core\" or \"both\"");
    }
}

// What goes into every answer to a REGISTER stays short.
constexpr std::size_t kMaxServiceRoute = 400;

void check_service_route(const std::vector<std::string>& routes, const Complaints& say) {
    std::size_t bytes = 0;
    for (const std::string& route : routes) {
        sip::Uri uri;
        if (!sip::parse_uri(route, uri) || !uri.is_sip() || !uri.has_param("lr") ||
            !uri.headers.empty()) {
            say.error("registrar.service_route",
                      "names \"" + route +
                          "\", but each must be a SIP URI with lr and without <>, such as "
                          "\"sip:edge.example.com;lr\"");
            return;
        }
        bytes += route.size();
    }
    if (bytes > kMaxServiceRoute) {
        say.error("registrar.service_route",
                  "has " + number(bytes) + " characters, but must have at most " +
                      number(kMaxServiceRoute) + ": it goes into every answer to a REGISTER");
    }
}

void check_registrar(const Config& config, const Complaints& say) {
    check_service_route(config.registrar.service_route, say);
    const Registrar& registrar = config.registrar;
    if (registrar.domains.empty()) {
        say.error("registrar.domains",
                  "names no domain, so every REGISTER would be refused: write what phones have "
                  "after the @, such as domains = [\"example.com\"]");
    }
    if (registrar.min_expires > registrar.max_expires) {
        say.error("registrar.min_expires", "is " + number(registrar.min_expires) +
                                               ", but must not be above max_expires, which is " +
                                               number(registrar.max_expires));
    } else if (registrar.default_expires < registrar.min_expires ||
               registrar.default_expires > registrar.max_expires) {
        say.error("registrar.default_expires",
                  "is " + number(registrar.default_expires) +
                      ", but must lie between min_expires and max_expires, " +
                      number(registrar.min_expires) + " and " + number(registrar.max_expires));
    }
}

void check_qualify(const Config& config, const Complaints& say) {
    const Qualify& qualify = config.qualify;
    // The next ping of a contact may come after 0.6 of the interval: the last must be settled by
    // then.
    const std::uint64_t latest_ms = std::uint64_t{qualify.interval_s} * 600;
    if (qualify.timeout_ms > latest_ms) {
        say.error("qualify.timeout_ms",
                  "is " + number(qualify.timeout_ms) + ", but must be at most 0.6 of interval_s, " +
                      number(latest_ms) + " ms: the next ping may be due then");
    }
    if (qualify.learn_intervals && qualify.max_interval_s < qualify.interval_s) {
        say.error("qualify.max_interval_s", "is " + number(qualify.max_interval_s) +
                                                ", but must be at least interval_s, " +
                                                number(qualify.interval_s));
    }
    const std::uint64_t due_per_s = config.dataplane.max_contacts / qualify.interval_s;
    if (qualify.enabled && qualify.max_pings_per_s != 0 && qualify.max_pings_per_s < due_per_s) {
        say.warning("qualify.max_pings_per_s",
                    "is " + number(qualify.max_pings_per_s) + ", but max_contacts phones every " +
                        number(qualify.interval_s) + " s are " + number(due_per_s) +
                        " a second: a full table would be pinged late, and mappings die");
    }
    if (!qualify.enabled) {
        say.warning("qualify.enabled",
                    "is false: phones behind NAT can't be called once their gateway forgets them, "
                    "often after 30 s");
    }
}

void check_emergency(const Config& config, const Complaints& say) {
    for (const std::string& number : config.emergency.numbers) {
        const bool dialled = !number.empty() && number.size() <= kMaxEmergencyNumber &&
                             number.find_first_not_of("0123456789*#") == std::string::npos;
        if (!dialled) {
            say.error("emergency.numbers",
                      "has \"" + number +
                          "\", but each must be as it is dialled, 1 to 16 of 0 to 9, * and #");
        }
    }
}

bool is_loopback(const net::Address& address) {
    return address.is_v4() ? address.v4_host_order() >> 24 == 127
                           : address == *net::parse_address("::1");
}

void check_core(const Config& config, const Complaints& say) {
    const Core& core = config.core;
    const std::uint64_t interval_ms = std::uint64_t{core.check_interval_s} * 1000;
    if (interval_ms != 0 && core.check_timeout_ms > interval_ms) {
        say.error("core.check_timeout_ms", "is " + number(core.check_timeout_ms) +
                                               ", but must be at most check_interval_s, " +
                                               number(interval_ms) +
                                               " ms: the next check may be due then");
    }
}

bool is_quotable(const std::string& text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '"' || c == '\\';
    });
}

void check_algorithms(const std::vector<std::string>& algorithms, const Complaints& say) {
    for (const std::string& algorithm : algorithms) {
        if (std::find(auth::kAlgorithmNames.begin(), auth::kAlgorithmNames.end(), algorithm) ==
            auth::kAlgorithmNames.end()) {
            say.error("auth.algorithms", "has \"" + algorithm +
                                             "\", but each must be \"MD5\", \"SHA-256\" or "
                                             "\"SHA-512-256\"");
        }
    }
    if (algorithms.empty()) {
        say.error("auth.algorithms", "names none, so nobody could be asked for a password");
    }
}

void check_aliases(const std::vector<std::string>& aliases, const Complaints& say) {
    for (const std::string& alias : aliases) {
        const std::size_t colon = alias.find(':');
        if (colon == 0 || colon == std::string::npos || colon + 1 == alias.size() ||
            alias.find(':', colon + 1) != std::string::npos ||
            alias.substr(0, colon).find('@') != std::string::npos) {
            say.error("auth.aliases",
                      "has \"" + alias +
                          "\", but each must be what stands before the @ of an AOR, a colon, and "
                          "the subscriber who may register it, such as \"100:pbx\"");
        }
    }
}

void check_auth(const Config& config, const Complaints& say) {
    const Auth& auth = config.auth;
    if (auth.mode == AuthMode::kUnset) {
        say.error(
            "auth.mode",
            "is missing: write [auth] and, below it, mode = \"digest\" with realm and "
            "subscribers; or mode = \"off\" if anyone who reaches a port is meant to register "
            "as anyone");
    }
    check_algorithms(auth.algorithms, say);
    check_aliases(auth.aliases, say);
    if (auth.mode != AuthMode::kDigest) {
        if (auth.mode == AuthMode::kOff && !auth.subscribers.empty()) {
            say.warning("auth.subscribers",
                        "is set, but mode is \"off\": nobody is asked for a password");
        }
        return;
    }
    if (auth.realm.empty() || auth.realm.size() > auth::Nonces::kMaxRealm ||
        !is_quotable(auth.realm)) {
        say.error("auth.realm", "is \"" + auth.realm + "\", but digest needs 1 to " +
                                    number(auth::Nonces::kMaxRealm) +
                                    " characters without quotes and backslashes: the realm that "
                                    "the HA1s were made with");
    }
    if (auth.subscribers.empty() || auth.subscribers.front() != '/') {
        say.error("auth.subscribers",
                  "is \"" + auth.subscribers +
                      "\", but digest needs the absolute path of a file of user:realm:HA1 lines");
    }
}

void check_edges(const Config& config, const Complaints& say) {
    if (config.core.peers.empty()) {
        say.warning("core.peers",
                    "names no peer: phones can register, but nobody may send calls in and phones "
                    "can't call out");
    }
    const std::string& socket = config.control.socket;
    if (socket.empty() || socket.front() != '/' || socket.size() > kMaxSocketPath) {
        say.error("control.socket", "is \"" + socket +
                                        "\", but must be an absolute path of at most " +
                                        number(kMaxSocketPath) + " characters");
    }
    if (config.keys.file.empty()) {
        say.warning("keys.file",
                    "is \"\": at each start there are new keys, so that what belongs to calls and "
                    "subscriptions under way is refused after a restart: their BYE too");
    } else if (config.keys.file.front() != '/') {
        say.error("keys.file",
                  "is \"" + config.keys.file + "\", but must be an absolute path or \"\"");
    }
    const Journal& journal = config.journal;
    if (!journal.directory.empty() && journal.directory.front() != '/') {
        say.error("journal.directory", "is \"" + journal.directory +
                                           "\", but must be an absolute path, or \"\" for none");
    }
    if (journal.memory.empty() || journal.memory.front() != '/' ||
        journal.memory == journal.directory) {
        say.error("journal.memory", "is \"" + journal.memory +
                                        "\", but must be the absolute path of a directory in "
                                        "tmpfs, another than journal.directory");
    }
    if (!std::has_single_bit(journal.log_mb)) {
        say.error("journal.log_mb",
                  "is " + number(journal.log_mb) + ", but must be a power of two: 16, 32, 64");
    }
    const std::string& rules = config.screen.rules;
    if (!rules.empty() && rules.front() != '/') {
        say.error("screen.rules",
                  "is \"" + rules + "\", but must be an absolute path, or \"\" for none");
    }
    if (config.http.listen.enabled() && !is_loopback(config.http.listen.address)) {
        say.warning("http.listen", "is " + to_text(config.http.listen) +
                                       ": whoever reaches it can read every registration; keep it "
                                       "behind a firewall");
    }
}

}  // namespace

std::string port_key(std::size_t index) {
    return "port[" + number(index) + "]";
}

void Complaints::error(std::string key, std::string message) const {
    add(Severity::kError, std::move(key), std::move(message));
}

void Complaints::warning(std::string key, std::string message) const {
    add(Severity::kWarning, std::move(key), std::move(message));
}

void Complaints::add(Severity severity, std::string key, std::string message) const {
    auto place = positions_.find(key);
    if (place == positions_.end()) {
        place = positions_.find(key.substr(0, key.find('.')));
    }
    Position position;
    if (place != positions_.end()) {
        position = place->second;
    }
    // One complaint a key: what was refused already is not judged again.
    const bool known = std::any_of(issues_.begin(), issues_.end(), [&](const Issue& issue) {
        return issue.key == key && issue.severity == Severity::kError;
    });
    if (!known) {
        issues_.push_back(
            {severity, position.line, position.column, std::move(key), std::move(message)});
    }
}

void check_rules(const Config& config, const Complaints& complaints) {
    check_dataplane(config, complaints);
    check_ports(config, complaints);
    check_registrar(config, complaints);
    check_auth(config, complaints);
    check_qualify(config, complaints);
    check_core(config, complaints);
    check_emergency(config, complaints);
    check_edges(config, complaints);
}

}  // namespace pinhole::config
