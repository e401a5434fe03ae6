// SPDX-License-Identifier: BSD-3-Clause
// The operator's configuration in the terms of each part: io, registrar and qualify never include
// control/config. Pure.
#pragma once

#include "control/config/config.h"
#include "control/qualify/peer_checks.h"
#include "control/qualify/policy.h"
#include "dataplane/admit/rate_limits.h"
#include "dataplane/edge/live_settings.h"
#include "dataplane/edge/surroundings.h"
#include "dataplane/io/settings.h"
#include "dataplane/io/worker.h"
#include "dataplane/registrar/policy.h"

#include <spdlog/common.h>

namespace pinhole::daemon {

// The control socket file's permissions.
[[nodiscard]] unsigned socket_mode(config::SocketMode mode);

[[nodiscard]] io::Settings io_settings(const config::Config& config);
[[nodiscard]] registrar::RegistrarPolicy registrar_policy(const config::Registrar& registrar,
                                                          const config::Qualify& qualify);
[[nodiscard]] admit::LimitPolicy limit_policy(const config::Limits& limits);
[[nodiscard]] edge::LiveSettings live_settings_of(const config::Config& config);
// Beside the keys; empty: nothing is kept.
[[nodiscard]] std::string allowance_file(const config::Config& config);
// Beside the journal; empty: nothing is kept.
[[nodiscard]] std::string interval_file(const config::Config& config);
[[nodiscard]] qualify::PingPolicy qualify_policy(const config::Qualify& qualify);
[[nodiscard]] qualify::PeerPolicy peer_policy(const config::Core& core);
[[nodiscard]] edge::Role role_of(config::PortRole role);
// "auto" spins where the cores are pinned and no port is the kernel's: there the core is the
// worker's own.
[[nodiscard]] io::IdleMode idle_mode(const config::Config& config);

[[nodiscard]] spdlog::level::level_enum log_level(config::LogLevel level);

// "af_packet:eth0", as the file has it.
[[nodiscard]] std::string device_text(const config::DeviceSpec& device);
[[nodiscard]] std::string role_text(config::PortRole role);

}  // namespace pinhole::daemon
