// SPDX-License-Identifier: BSD-3-Clause
// "Did you mean": the nearest of a few names to what was written. Pure.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace pinhole::config {

// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). Both up
// to 64 characters; longer texts count as 64 apart.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest, if near enough to be a slip of the pen.
[[nodiscard]] std::optional<std::string_view> suggest(std::string_view written,
                                                      std::span<const std::string_view> names);

}  // namespace pinhole::config
