// SPDX-License-Identifier: BSD-3-Clause
// What pinhole may do once its ports are open: capabilities that no port kind needs any longer are
// given up, by every thread, for good (no new privileges either).
#pragma once

#include "control/config/config.h"

#include <cstdint>
#include <optional>
#include <string>

namespace pinhole::machine {

// Capabilities as bits by their numbers (capabilities(7)).
using Capabilities = std::uint64_t;

// What this configuration needs as long as it runs. Pure.
[[nodiscard]] Capabilities needed(const config::Config& config);
// "CAP_NET_ADMIN CAP_BPF", or "none".
[[nodiscard]] std::string names(Capabilities capabilities);

// Of the calling thread: what it may do now.
[[nodiscard]] Capabilities held();
// Gives up all but `kept` in every thread there is; threads to come inherit that. Returns the
// reason if some thread could not be reached within 5 s. Only the main thread calls it;
// threads may be made meanwhile, and none ends.
[[nodiscard]] std::optional<std::string> keep_only(Capabilities kept);

}  // namespace pinhole::machine
