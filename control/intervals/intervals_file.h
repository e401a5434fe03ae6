// SPDX-License-Identifier: BSD-3-Clause
// What was learned of gateways as the text of a file, read strictly. It has a line for each gateway
// and kind of phone, and at the end their number and a sum over all lines before: so damage by a
// disk, a file cut by hand and a file of another program are noticed. Pure.
//
//   pinhole intervals 1
//   saved 1700000000
//   67.194.23.55 1 148 192 3600 2       kind, survived s, not survived s, that long ago s, losses
//   2001:db8:55:100:: 6 0 32 86000 1
//   end 2 0123456789abcdef
#pragma once

#include "control/qualify/gateways.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::intervals {

using qualify::KeptLesson;

// What is kept at most, and so how long a file may be.
inline constexpr std::size_t kMostKept = 262'144;
inline constexpr std::size_t kMaxFile = 24 << 20;
// What is older says too little: gateways are replaced, addresses change hands.
inline constexpr std::uint64_t kOldest_s = std::uint64_t{3} * 24 * 3600;

struct Intervals {
    std::uint64_t saved_s = 0;  // of the epoch
    std::vector<KeptLesson> lessons;
};

struct ParsedIntervals {
    std::optional<Intervals> intervals;
    std::string reason;  // set if there are none: the end of "is damaged: it ..."
};

[[nodiscard]] ParsedIntervals parse_intervals(std::string_view text);
[[nodiscard]] std::string intervals_text(const Intervals& intervals);

// What is still worth something by now: nothing, or all with its age.
void age(Intervals& intervals, std::uint64_t now_s);

}  // namespace pinhole::intervals
