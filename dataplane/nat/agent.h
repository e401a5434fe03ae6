// SPDX-License-Identifier: BSD-3-Clause
// What kind of phone a User-Agent tells of: the maker's name that it begins with. It is a hint by
// which phones that behave alike are held together, and nothing hangs on its being true. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace pinhole::nat {

inline constexpr std::uint8_t kOtherAgent = 0;
// Several kinds, where there is no room for each.
inline constexpr std::uint8_t kMixedAgents = 255;

// Of a User-Agent's value, which may be empty.
[[nodiscard]] std::uint8_t agent_of(std::string_view user_agent);
// As an operator knows it.
[[nodiscard]] std::string_view agent_name(std::uint8_t agent);

}  // namespace pinhole::nat
