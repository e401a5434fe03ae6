// SPDX-License-Identifier: BSD-3-Clause
// What nobody shall see in a terminal, and what everybody may.
#include "control/escape/escape.h"

#include <gtest/gtest.h>

#include <random>

namespace pinhole::escape {
namespace {

TEST(Escape, ControlCharactersAreNotShown) {
    EXPECT_EQ(printable("a\x1b[0m\r\n\t\x7f"), "a?[0m????");
    EXPECT_EQ(printable({"\0b", 2}), "?b");
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m"),
              "?31m");
}

TEST(Escape, WhatTurnsOrHidesTextIsNotShown) {
    for (const char* hidden : {"\u202e", "\u2066", "\u200b", "\u200f", "\u2028", "\u2029", "\ufeff",
                               "\u00ad", "\u061c", "\U000e0041", "\ufff9"}) {
        EXPECT_EQ(printable("a" + std::string(hidden) + "b"), "a?b");
    }
}

TEST(Escape, NamesInAnyScriptAreShown) {
    for (const char* name : {"sip:alice@example.com", "Jos\u00e9", "\u0416\u0435\u043d\u044f",
                             "\u5c71\u7530", "\U0001f4de", "\\x1b", "\"'<>&%"}) {
        EXPECT_EQ(printable(name), name);
    }
    EXPECT_EQ(printable(""), "");
}

TEST(Escape, WhatIsNoUtf8IsNotShown) {
    EXPECT_EQ(printable("a\xff"
                        "b"),
              "a?b");
    EXPECT_EQ(printable("\xc3"), "?");
    EXPECT_EQ(printable("\xc0\x8a"), "??") << "a line feed in two bytes";
    EXPECT_EQ(printable("\xe0\x82\x9b"), "???") << "C1 in three";
    EXPECT_EQ(printable("\xed\xa0\x80"), "???") << "a surrogate";
    EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????") << "past the last";
    EXPECT_EQ(printable("\xe5\xb1"), "??") << "cut";
}

// Whatever comes: no control byte leaves, and what has passed once passes again as it is.
TEST(Escape, WhatStandsBehindTheTextIsNotRead) {
    const std::string_view whole = "\xc3\xa4\xe2\x82\xac";
    EXPECT_EQ(printable(whole.substr(0, 1)), "?");
    EXPECT_EQ(printable(whole.substr(0, 4)), "\xc3\xa4??");
}

TEST(Escape, RandomBytes) {
    std::mt19937 random{1};
    for (int i = 0; i < 20'000; ++i) {
        std::string text(random() % 12, '\0');
        for (char& c : text) {
            c = static_cast<char>(random());
        }
        const std::string out = printable(text);
        for (const char c : out) {
            ASSERT_GE(static_cast<unsigned char>(c), 0x20);
            ASSERT_NE(c, 0x7f);
        }
        ASSERT_EQ(printable(out), out);
    }
}

}  // namespace
}  // namespace pinhole::escape
