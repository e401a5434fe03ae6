// SPDX-License-Identifier: BSD-3-Clause
// The phones behind addresses as the text of a file, read strictly: a line each, and at the end how
// many there are and a sum over all that stands before, so that what a disk has damaged or a hand
// has cut is known. Pure.
//
//   pinhole allowances 1
//   saved 1700000000
//   67.194.23.55 4812.25
//   2001:db8:55:100::/64 3.00
//   end 2 0123456789abcdef
#pragma once

#include "dataplane/admit/allowance_copy.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::allowance {

using admit::KnownAddress;

// What is kept at most, those with most phones; and so how long a file may be.
inline constexpr std::size_t kMostKept = 262'144;
inline constexpr std::size_t kMaxFile = 16 << 20;

struct Allowances {
    std::uint64_t saved_s = 0;  // of the epoch
    std::vector<KnownAddress> addresses;
};

struct ParsedAllowances {
    std::optional<Allowances> allowances;
    std::string reason;  // set if there are none: the end of "is damaged: it ..."
};

[[nodiscard]] ParsedAllowances parse_allowances(std::string_view text);
[[nodiscard]] std::string allowances_text(const Allowances& allowances);

// What several workers know, each of its own share of an address's phones, in one list.
[[nodiscard]] std::vector<KnownAddress> merged(
    std::span<const std::span<const KnownAddress>> of_workers);

// What is left of them by now: phones count for less the longer ago they were seen.
void age(Allowances& allowances, std::uint64_t now_s);

}  // namespace pinhole::allowance
