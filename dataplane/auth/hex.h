// SPDX-License-Identifier: BSD-3-Clause
// Bytes as hexadecimal digits and back, as digests are written. Pure; any thread.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pinhole::auth {

namespace detail {
// Four bytes as eight digits, in a word: the byte in the lowest place comes first.
constexpr std::uint64_t eight_digits(std::uint32_t bytes) {
    std::uint64_t spread = bytes;
    spread = (spread | spread << 16) & 0x0000'ffff'0000'ffff;
    spread = (spread | spread << 8) & 0x00ff'00ff'00ff'00ff;
    const std::uint64_t nibbles =
        (spread >> 4 & 0x000f'000f'000f'000f) | (spread & 0x000f'000f'000f'000f) << 8;
    const std::uint64_t letters = (nibbles + 0x0606'0606'0606'0606) >> 4 & 0x0101'0101'0101'0101;
    return nibbles + 0x3030'3030'3030'3030 + letters * ('a' - '9' - 1);
}
static_assert(std::endian::native == std::endian::little);
}  // namespace detail

// Lower case; `out` holds twice `bytes`.
inline void write_hex(const std::uint8_t* from, std::size_t bytes, char* out) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::size_t i = 0;
    for (; i + 4 <= bytes; i += 4) {
        std::uint32_t four;
        std::memcpy(&four, from + i, sizeof four);
        const std::uint64_t digits = detail::eight_digits(four);
        std::memcpy(out + 2 * i, &digits, sizeof digits);
    }
    for (; i < bytes; ++i) {
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
