// SPDX-License-Identifier: BSD-3-Clause
// Bytes as hexadecimal digits and back, as digests are written. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pinhole::auth {

// Lower case; `out` holds twice `bytes`.
inline void write_hex(const std::uint8_t* from, std::size_t bytes, char* out) {
    constexpr char kDigits[] = "0123456789abcdef";
    for (std::size_t i = 0; i < bytes; ++i) {
        out[2 * i] = kDigits[from[i] >> 4];
        out[2 * i + 1] = kDigits[from[i] & 15];
    }
}

namespace detail {
constexpr std::array<std::int8_t, 256> make_hex_values() {
    std::array<std::int8_t, 256> values{};
    for (unsigned c = 0; c < values.size(); ++c) {
        values[c] = static_cast<std::int8_t>(c >= '0' && c <= '9'   ? c - '0'
                                             : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                                    : -1);
    }
    return values;
}
inline constexpr std::array<std::int8_t, 256> kHexValues = make_hex_values();
}  // namespace detail

// -1: none.
[[nodiscard]] constexpr int hex_digit(char c) {
    return detail::kHexValues[static_cast<unsigned char>(c)];
}

// Either case. False: not exactly `bytes` of them.
[[nodiscard]] inline bool read_hex(std::string_view text, std::uint8_t* out, std::size_t bytes) {
    if (text.size() != 2 * bytes) {
        return false;
    }
    int wrong = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
        const int high = hex_digit(text[2 * i]);
        const int low = hex_digit(text[2 * i + 1]);
        wrong |= high | low;
        out[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return wrong >= 0;
}

}  // namespace pinhole::auth
