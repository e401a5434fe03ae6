// SPDX-License-Identifier: BSD-3-Clause
// What is written is read again; what is not exactly so is refused, whatever it is.
#include "control/allowance/allowance_file.h"

#include "dataplane/net/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>

namespace pinhole::allowance {
namespace {

using testing::HasSubstr;

admit::SourceName v4(std::string_view text) {
    return net::parse_address(text)->bytes;
}
admit::SourceName v6(std::string_view text) {
    admit::SourceName name = net::parse_address(text)->bytes;
    name[15] = 64;
    return name;
}

Allowances some() {
    return {
        .saved_s = 1'700'000'000,
        .addresses = {
            {v4("67.194.23.55"), 4812.25F}, {v6("2001:db8:55:100::"), 3}, {v4("0.0.0.1"), 0.5F}}};
}

TEST(AllowanceFile, IsReadAsItWasWritten) {
    const std::string text = allowances_text(some());
    EXPECT_THAT(text, HasSubstr("\n67.194.23.55 4812.25\n2001:db8:55:100::/64 3.00\n"));
    const ParsedAllowances parsed = parse_allowances(text);
    ASSERT_TRUE(parsed.allowances.has_value()) << parsed.reason;
    EXPECT_EQ(parsed.allowances->saved_s, 1'700'000'000U);
    EXPECT_EQ(parsed.allowances->addresses, some().addresses);
    const auto none = parse_allowances(allowances_text({.saved_s = 7}));
    ASSERT_TRUE(none.allowances.has_value()) << none.reason;
    EXPECT_TRUE(none.allowances->addresses.empty());
}

TEST(AllowanceFile, DamageIsKnown) {
    const std::string text = allowances_text(some());
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
        EXPECT_FALSE(parse_allowances(text.substr(0, cut)).allowances.has_value()) << cut;
        EXPECT_FALSE(parse_allowances(text.substr(0, cut)).reason.empty()) << cut;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        for (const int bit : {0, 4, 7}) {
            std::string other = text;
            other[i] = static_cast<char>(other[i] ^ 1 << bit);
            EXPECT_FALSE(parse_allowances(other).allowances.has_value()) << i << " " << bit;
        }
    }
    EXPECT_THAT(parse_allowances(text.substr(0, text.rfind("end "))).reason,
                HasSubstr("cut short"));
    EXPECT_FALSE(parse_allowances(text + "\n").allowances.has_value());
    EXPECT_FALSE(parse_allowances(text + text).allowances.has_value());
}

// Told by what it is, not by its sum.
TEST(AllowanceFile, NonsenseIsRefused) {
    const std::string good = allowances_text({.saved_s = 7, .addresses = {{v4("1.2.3.4"), 1}}});
    for (const char* line : {"1.2.3.4/64 1.00", "2001:db8:: 1.00", "1.2.3.4 -1.00", "1.2.3.4 nan",
                             "1.2.3.4 65536.00", "1.2.3.4", "1.2.3.4 1.00 x", "x 1.00", ""}) {
        std::string text = good;
        text.replace(text.find("1.2.3.4 1.00"), 12, line);
        EXPECT_THAT(parse_allowances(text).reason, HasSubstr("no address and a number")) << line;
    }
    EXPECT_THAT(parse_allowances("pinhole allowances 2\nsaved 1\nend 0 0\n").reason,
                HasSubstr("begin"));
    EXPECT_THAT(parse_allowances("pinhole allowances 1\nsaved x\nend 0 0\n").reason,
                HasSubstr("saved"));
}

TEST(AllowanceFile, RandomBytesAreRefused) {
    std::mt19937 random{1};
    for (int i = 0; i < 2000; ++i) {
        std::string text(random() % 200, '\0');
        for (char& c : text) {
            c = static_cast<char>(random());
        }
        EXPECT_FALSE(parse_allowances(text + "\n").allowances.has_value());
    }
}

TEST(AllowanceFile, WorkersSharesAreAddedUp) {
    const std::array<KnownAddress, 2> first{{{v4("10.0.0.1"), 2}, {v4("10.0.0.2"), 5}}};
    const std::array<KnownAddress, 2> second{{{v4("10.0.0.3"), 1}, {v4("10.0.0.1"), 7}}};
    const std::array<std::span<const KnownAddress>, 2> both{first, second};
    EXPECT_EQ(merged(both), (std::vector<KnownAddress>{
                                {v4("10.0.0.1"), 9}, {v4("10.0.0.2"), 5}, {v4("10.0.0.3"), 1}}));
}

TEST(AllowanceFile, WhereThereAreTooManyThoseWithMostPhonesAreKept) {
    std::vector<KnownAddress> many(kMostKept + 100);
    for (std::uint32_t i = 0; i < many.size(); ++i) {
        many[i] = {net::Address::v4(0x0a00'0000U + i).bytes, static_cast<float>(i + 1)};
    }
    const std::array<std::span<const KnownAddress>, 1> one{many};
    const auto kept = merged(one);
    ASSERT_EQ(kept.size(), kMostKept);
    EXPECT_EQ(kept.front(), many.back());
    EXPECT_EQ(kept.back(), many[100]);
    EXPECT_LE(allowances_text({.saved_s = 7, .addresses = kept}).size(), kMaxFile);
}

TEST(AllowanceFile, PhonesCountForLessTheLongerAgoTheyWereSeen) {
    Allowances day = some();
    age(day, day.saved_s + 86'400);
    EXPECT_NEAR(day.addresses[0].phones, 4812.25 / 2.71828, 1);
    Allowances future = some();
    age(future, 5);
    EXPECT_EQ(future.addresses, some().addresses);
    Allowances ages = some();
    age(ages, std::uint64_t{1} << 40);
    EXPECT_EQ(ages.addresses[0].phones, 0);
}

}  // namespace
}  // namespace pinhole::allowance
