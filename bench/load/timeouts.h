// SPDX-License-Identifier: BSD-3-Clause
// How long gateways remember an idle UDP mapping, as a distribution: "30:70,60:20,300:10" is 30 s
// for 70 % of them, and so on (weights are relative); "30" is 30 s for all; "never" forgets
// nothing. Pure.
#pragma once

#include "control/qualify/random.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace pinhole::load {

class Timeouts {
  public:
    static constexpr std::uint32_t kNever_ms = 0xffff'ffff;

    // None if the text is no distribution.
    [[nodiscard]] static std::optional<Timeouts> parse(std::string_view text);
    [[nodiscard]] std::uint32_t pick_ms(qualify::Random& random) const;

  private:
    struct Share {
        std::uint32_t timeout_ms;
        std::uint32_t weight;
    };
    std::vector<Share> shares_;
    std::uint32_t weights_ = 0;
};

}  // namespace pinhole::load
