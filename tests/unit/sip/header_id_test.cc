// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/header_id.h"

#include "dataplane/sip/method.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

namespace pinhole::sip {
namespace {

std::string swap_case(std::string text) {
    for (char& c : text) {
        const auto u = static_cast<unsigned char>(c);
        c = static_cast<char>(std::islower(u) ? std::toupper(u) : std::tolower(u));
    }
    return text;
}

TEST(HeaderId, Rfc3261_7_3_1_EveryNameInAnyCaseIsItself) {
    for (std::size_t i = 1; i < kHeaderIdCount; ++i) {
        const auto id = static_cast<HeaderId>(i);
        const std::string name(header_name(id));
        ASSERT_FALSE(name.empty());
        EXPECT_EQ(header_id(name), id) << name;
        EXPECT_EQ(header_id(swap_case(name)), id) << name;
        // In place, with what follows in a message behind it.
        const std::string line = name + ": and something that is long enough to be read";
        EXPECT_EQ(header_id(std::string_view(line).substr(0, name.size()), line.size()), id)
            << name;
    }
}

TEST(HeaderId, OneWrongCharacterIsAnotherHeader) {
    for (std::size_t i = 1; i < kHeaderIdCount; ++i) {
        const std::string name(header_name(static_cast<HeaderId>(i)));
        for (std::size_t at = 0; at < name.size(); ++at) {
            for (int c = 0; c < 256; ++c) {
                std::string wrong = name;
                wrong[at] = static_cast<char>(c);
                const bool same =
                    std::tolower(c) == std::tolower(static_cast<unsigned char>(name[at])) &&
                    c < 128;
                const HeaderId got = header_id(wrong);
                EXPECT_EQ(got == static_cast<HeaderId>(i), same) << wrong;
            }
        }
        EXPECT_NE(header_id(name + "x"), static_cast<HeaderId>(i));
        EXPECT_NE(header_id(name.substr(1)), static_cast<HeaderId>(i));
        EXPECT_NE(header_id(name + " "), static_cast<HeaderId>(i));
    }
}

TEST(HeaderId, Rfc3261_7_3_3_CompactForms) {
    // IANA's list, whole.
    const std::string expected = "abcdefijklmorstuvxy";
    std::string found;
    for (int c = 0; c < 256; ++c) {
        const char name = static_cast<char>(c);
        const HeaderId id = header_id({&name, 1});
        if (id != HeaderId::kOther) {
            EXPECT_EQ(compact_form(id), static_cast<char>(std::tolower(c)));
            if (std::islower(c)) {
                found += name;
            }
        }
    }
    EXPECT_EQ(found, expected);
    EXPECT_EQ(header_id("v"), HeaderId::kVia);
    EXPECT_EQ(header_id("I"), HeaderId::kCallId);
    EXPECT_EQ(header_id("k"), HeaderId::kSupported);
    EXPECT_EQ(header_id(""), HeaderId::kOther);
    EXPECT_EQ(header_name(HeaderId::kOther), "");
}

TEST(Method, Rfc3261_7_1_NamesAreCaseSensitive) {
    for (int i = 0; i < static_cast<int>(Method::kOther); ++i) {
        const auto method = static_cast<Method>(i);
        const std::string name(method_name(method));
        EXPECT_EQ(method_of(name), method);
        EXPECT_EQ(method_of(swap_case(name)), Method::kOther);
        EXPECT_EQ(method_of(name + "X"), Method::kOther);
    }
    EXPECT_EQ(method_of(""), Method::kOther);
    EXPECT_EQ(method_of("other"), Method::kOther);
    EXPECT_EQ(method_name(Method::kOther), "");
}

}  // namespace
}  // namespace pinhole::sip
