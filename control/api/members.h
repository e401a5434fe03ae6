// SPDX-License-Identifier: BSD-3-Clause
// What the printers of text.h share: members of the API's JSON, whatever their type, and figures as
// text. Pure.
#pragma once

#include "control/api/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace pinhole::api {

using nlohmann::json;

inline std::uint64_t number(const json& from, const char* key) {
    const auto found = from.find(key);
    return found != from.end() && found->is_number() ? found->get<std::uint64_t>() : 0;
}

inline double real(const json& from, const char* key) {
    const auto found = from.find(key);
    return found != from.end() && found->is_number() ? found->get<double>() : 0;
}

inline std::string text(const json& from, const char* key) {
    const auto found = from.find(key);
    return found != from.end() && found->is_string()
               ? printable(found->get_ref<const std::string&>())
               : std::string{};
}

inline const json& member(const json& from, const char* key) {
    static const json kNothing = json::object();
    const auto found = from.find(key);
    return found != from.end() ? *found : kNothing;
}

inline bool flag(const json& from, const char* key) {
    const json& value = member(from, key);
    return value.is_boolean() && value.get<bool>();
}

// The objects of a list; what is none is passed over.
inline std::vector<const json*> objects(const json& from, const char* key) {
    std::vector<const json*> out;
    for (const json& item : member(from, key)) {
        if (item.is_object()) {
            out.push_back(&item);
        }
    }
    return out;
}

template <typename... Args>
std::string format(const char* how, Args... args) {
    std::array<char, 128> out;
    const int length = std::snprintf(out.data(), out.size(), how, args...);
    return {out.data(), std::min(static_cast<std::size_t>(std::max(length, 0)), out.size() - 1)};
}

inline std::string milliseconds(double seconds) {
    return seconds < 1 ? format("%.*f ms", seconds < 0.1 ? 1 : 0, seconds * 1e3)
                       : format("%.1f s", seconds);
}

}  // namespace pinhole::api
