// SPDX-License-Identifier: BSD-3-Clause
// What pinholectl prints, made from the API's JSON: tables that read well at 80 columns. Pure.
// Missing or odd members print as nothing, so that ctl and daemon of two versions get along.
#pragma once

#include "control/escape/escape.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pinhole::api {

[[nodiscard]] std::string status_text(const nlohmann::json& status);
[[nodiscard]] std::string cores_text(const nlohmann::json& cores);
[[nodiscard]] std::string show_text(const nlohmann::json& bindings);
[[nodiscard]] std::string list_text(const nlohmann::json& page);
// A line a gateway and kind of phone.
[[nodiscard]] std::string nat_text(const nlohmann::json& nat);
// Why a phone does or doesn't ring, in words.
[[nodiscard]] std::string why_text(const nlohmann::json& story);

using escape::printable;
// 1,234,567
[[nodiscard]] std::string grouped(std::uint64_t number);
// At most five characters: 99999, 1.23M, 45.6G.
[[nodiscard]] std::string shortened(std::uint64_t number);
// The two largest units: "3 d 4 h", "59 s".
[[nodiscard]] std::string duration(std::uint64_t seconds);

}  // namespace pinhole::api
