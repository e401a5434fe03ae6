// SPDX-License-Identifier: BSD-3-Clause
// What a play came to, for people (a line a second, a few at the end) and as JSON. Pure.
#pragma once

#include "bench/load/player.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>

namespace pinhole::load {

// Of the device, whose drops are nobody's fault but the machine's.
struct DeviceFigures {
    std::uint64_t rx_missed = 0;
    std::uint64_t tx_dropped = 0;
};

// A line of at most 80 columns every second, with the rates since the one before.
class LiveLines {
  public:
    static constexpr std::size_t kColumns = 80;
    [[nodiscard]] static std::string heading();
    [[nodiscard]] std::string next(const Player& player, std::uint64_t now_ns);

  private:
    std::size_t phase_ = 0;
    std::uint64_t at_ns_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t answered_ = 0;
};

[[nodiscard]] nlohmann::json to_json(const Player& player, const Plan& plan,
                                     const DeviceFigures& device);
// Sentences about each phase.
[[nodiscard]] std::string summary(const Player& player);
// Nothing wrong, and somebody was answered.
[[nodiscard]] bool went_well(const Player& player);

}  // namespace pinhole::load
