// SPDX-License-Identifier: BSD-3-Clause
#include "control/keys/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pinhole::keys {
namespace {

using ::testing::HasSubstr;

KeyRing two_keys() {
    KeyRing ring;
    ring.starts = 4'294'967'295;
    ring.newest_first = {{.id = 255, .created_s = 1'700'000'000, .bytes = {0xab, 0xcd, 0xef, 0x01}},
                         {.id = 0, .created_s = 0, .bytes = {}}};
    return ring;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(KeyFile, WhatIsWrittenIsRead) {
    const ParsedKeys read = parse_keys(keys_text(two_keys()));
    ASSERT_TRUE(read.ring.has_value()) << read.reason;
    EXPECT_EQ(*read.ring, two_keys());
}

TEST(KeyFile, AsManyAsAreKept) {
    KeyRing ring;
    for (std::uint8_t id = 0; id < kKept; ++id) {
        ring.newest_first.push_back({.id = id, .created_s = 1});
    }
    EXPECT_TRUE(parse_keys(keys_text(ring)).ring.has_value());
    ring.newest_first.push_back({.id = 200, .created_s = 1});
    EXPECT_THAT(parse_keys(keys_text(ring)).reason, HasSubstr("9 keys, not 1 to 8"));
    EXPECT_THAT(parse_keys(keys_text({})).reason, HasSubstr("0 keys"));
}

// A crash can't cut it short, but a full disk of somebody's copy can.
TEST(KeyFile, EveryBeginningOfItIsRefused) {
    std::string text = keys_text(two_keys());
    ASSERT_EQ(text.back(), '\n');
    text.pop_back();
    for (std::size_t size = 0; size < text.size(); ++size) {
        const ParsedKeys read = parse_keys(text.substr(0, size));
        EXPECT_FALSE(read.ring.has_value()) << size;
        EXPECT_FALSE(read.reason.empty()) << size;
    }
    EXPECT_FALSE(parse_keys(text + "x").ring.has_value());
    EXPECT_FALSE(parse_keys(text + text).ring.has_value());
}

struct Damage {
    const char* from;
    const char* to;
    const char* says;
};

class DamagedKeyFile : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedKeyFile, IsRefusedWithTheReasonAndNoSecret) {
    const Damage& damage = GetParam();
    const ParsedKeys read = parse_keys(replaced(keys_text(two_keys()), damage.from, damage.to));
    EXPECT_FALSE(read.ring.has_value());
    EXPECT_THAT(read.reason, HasSubstr(damage.says));
    EXPECT_THAT(read.reason, ::testing::Not(HasSubstr("abcdef01")));
}

const Damage kDamages[] = {
    {"\"pinhole keys\"", "\"pinhole bindings\"", "format"},
    {"\"pinhole keys\"", "7", "format"},
    {"\"version\": 1", "\"version\": 2", "version 1"},
    {"\"version\": 1", "\"version\": \"1\"", "version 1"},
    {"\"starts\": 4294967295", "\"starts\": 4294967296", "format, version, starts and keys"},
    {"\"starts\": 4294967295", "\"starts\": -1", "format, version, starts and keys"},
    {"\"starts\"", "\"begins\"", "format, version, starts and keys"},
    {"\"starts\"", "\"more\": 1, \"starts\"", "format, version, starts and keys"},
    {"\"id\": 255", "\"id\": 256", "no id from 0 to 255 in keys[0]"},
    {"\"id\": 255", "\"id\": 1.5", "no id from 0 to 255 in keys[0]"},
    {"\"id\": 255", "\"id\": 0", "the id 0 twice"},
    {"\"id\": 255", "\"id\": 255, \"x\": 1", "keys[0] that is not made of"},
    {"1700000000", "-1", "created_s of keys[0]"},
    {"1700000000", "\"yesterday\"", "created_s of keys[0]"},
    {"1700000000", "18446744073709551615", "created_s of keys[0]"},
    {"abcdef01", "abcdef0", "32 hexadecimal digits in key of keys[0]"},
    {"abcdef01", "abcdef012", "32 hexadecimal digits in key of keys[0]"},
    {"abcdef01", "ABCDEF01", "32 hexadecimal digits in key of keys[0]"},
    {"abcdef01", "abcdefg1", "32 hexadecimal digits in key of keys[0]"},
};
INSTANTIATE_TEST_SUITE_P(All, DamagedKeyFile, ::testing::ValuesIn(kDamages));

TEST(KeyFile, OtherJsonIsRefused) {
    for (const char* text :
         {"", "null", "[]", "{}", "7", "\"pinhole keys\"", "[{\"format\": 1}]"}) {
        EXPECT_FALSE(parse_keys(text).ring.has_value()) << text;
    }
    const std::string deep(60'000, '[');
    EXPECT_FALSE(parse_keys(deep).ring.has_value());
}

}  // namespace
}  // namespace pinhole::keys
