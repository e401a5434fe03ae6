// SPDX-License-Identifier: BSD-3-Clause
// Digits a word at a time: every character in every place, against a table.
#include "dataplane/auth/hex.h"

#include <gtest/gtest.h>

#include <array>
#include <cctype>
#include <string>

namespace pinhole::auth {
namespace {

TEST(Hex, ThereAndBack) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::array<std::uint8_t, 8> bytes{static_cast<std::uint8_t>(byte),
                                                0,
                                                1,
                                                0x9a,
                                                0xff,
                                                0xa9,
                                                static_cast<std::uint8_t>(byte),
                                                static_cast<std::uint8_t>(~byte)};
        std::string digits(16, '\0');
        write_hex(bytes.data(), bytes.size(), digits.data());
        EXPECT_EQ(digits.substr(2, 10), "00019affa9");
        std::array<std::uint8_t, 8> back{};
        EXPECT_TRUE(read_hex(digits, back.data(), back.size()));
        EXPECT_EQ(back, bytes);
        for (char& c : digits) {
            c = static_cast<char>(std::toupper(c));
        }
        EXPECT_TRUE(read_hex(digits, back.data(), back.size()));
        EXPECT_EQ(back, bytes);
    }
}

TEST(Hex, EveryCharacterInEveryPlace) {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t at = 0; at < 16; ++at) {
        for (unsigned c = 0; c < 256; ++c) {
            std::string digits = "0123456789abcdef";
            digits[at] = static_cast<char>(c);
            const bool is_digit = c < 0x80 && std::isxdigit(static_cast<int>(c)) != 0;
            EXPECT_EQ(read_hex(digits, bytes.data(), bytes.size()), is_digit) << at << ' ' << c;
        }
    }
}

TEST(Hex, AnotherLength) {
    std::array<std::uint8_t, 8> bytes{};
    for (const char* text : {"", "0123456789abcde", "0123456789abcdef0", "01234567"}) {
        EXPECT_FALSE(read_hex(text, bytes.data(), bytes.size())) << text;
    }
}

}  // namespace
}  // namespace pinhole::auth
