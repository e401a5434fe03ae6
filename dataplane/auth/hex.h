// SPDX-License-Identifier: BSD-3-Clause
// Bytes as hexadecimal digits and back, as digests are written. Pure; any thread.
#pragma once

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
// The inverse, in either case; the high bit of a byte of `wrong` is set where there is no digit.
constexpr std::uint32_t four_bytes(std::uint64_t digits, std::uint64_t& wrong) {
    constexpr std::uint64_t kEach = 0x0101'0101'0101'0101;
    constexpr std::uint64_t kHigh = 0x80 * kEach;
    // The high bit of each byte below 0x80 that is no less than `c`.
    const auto from = [](std::uint64_t bytes, unsigned c) { return bytes + (0x80 - c) * kEach; };
    const std::uint64_t low = digits & ~kHigh;
    const std::uint64_t lower = low | 0x20 * kEach;
    const std::uint64_t number = from(low, '0') & ~from(low, '9' + 1) & kHigh;
    const std::uint64_t letter = from(lower, 'a') & ~from(lower, 'f' + 1) & kHigh;
    wrong |= digits | ~(number | letter);
    const std::uint64_t nibbles = (low & 0x0f * kEach) + (letter >> 7) * 9;
    std::uint64_t bytes = (nibbles << 4 | nibbles >> 8) & 0x00ff'00ff'00ff'00ff;
    bytes = (bytes | bytes >> 8) & 0x0000'ffff'0000'ffff;
    return static_cast<std::uint32_t>(bytes | bytes >> 16);
}
static_assert(std::endian::native == std::endian::little);
}  // namespace detail

// Lower case; `out` holds twice `bytes`, a multiple of four as in all that is read here.
inline void write_hex(const std::uint8_t* from, std::size_t bytes, char* out) {
    for (std::size_t i = 0; i < bytes; i += 4) {
        std::uint32_t four;
        std::memcpy(&four, from + i, sizeof four);
        const std::uint64_t digits = detail::eight_digits(four);
        std::memcpy(out + 2 * i, &digits, sizeof digits);
    }
}

// Either case. False: not exactly `bytes` of them, a multiple of four.
[[nodiscard]] inline bool read_hex(std::string_view text, std::uint8_t* out, std::size_t bytes) {
    if (text.size() != 2 * bytes) {
        return false;
    }
    std::uint64_t wrong = 0;
    for (std::size_t i = 0; i < bytes; i += 4) {
        std::uint64_t digits;
        std::memcpy(&digits, text.data() + 2 * i, sizeof digits);
        const std::uint32_t four = detail::four_bytes(digits, wrong);
        std::memcpy(out + i, &four, sizeof four);
    }
    return (wrong & 0x8080'8080'8080'8080) == 0;
}

}  // namespace pinhole::auth
