// SPDX-License-Identifier: BSD-3-Clause
// What was learned of gateways comes back as it was, or not at all.
#include "control/intervals/intervals_file.h"

#include <gtest/gtest.h>

#include <array>

namespace pinhole::intervals {
namespace {

Intervals some() {
    return {1'700'000'000,
            {{net::Address::v4(0x43c2'1737), 1, 148, 192, 3'600, 2},
             {*net::parse_address("2001:db8:55:100::"), 6, 0, 32, 86'000, 1}}};
}

TEST(IntervalsFile, ComesBackAsItWas) {
    const ParsedIntervals parsed = parse_intervals(intervals_text(some()));
    ASSERT_TRUE(parsed.intervals.has_value()) << parsed.reason;
    EXPECT_EQ(parsed.intervals->saved_s, some().saved_s);
    EXPECT_EQ(parsed.intervals->lessons, some().lessons);
    EXPECT_TRUE(parse_intervals(intervals_text({5, {}})).intervals.has_value());
}

TEST(IntervalsFile, ATornOrChangedOneIsRefusedWhole) {
    const std::string good = intervals_text(some());
    for (std::size_t n = 0; n < good.size(); ++n) {
        EXPECT_FALSE(parse_intervals(good.substr(0, n)).intervals.has_value()) << n;
        std::string other = good;
        other[n] ^= 1;
        EXPECT_FALSE(parse_intervals(other).intervals.has_value()) << n;
    }
    EXPECT_EQ(parse_intervals(good.substr(0, 40)).reason, "is cut short");
    EXPECT_FALSE(parse_intervals("# another's\nfile\nend 0 0\n").intervals.has_value());
}

TEST(IntervalsFile, WhatIsDaysOldIsForgotten) {
    Intervals kept = some();
    age(kept, kept.saved_s + 100);
    ASSERT_EQ(kept.lessons.size(), 2u);
    EXPECT_EQ(kept.lessons[0].failed_ago_s, 3'700u);
    age(kept, kept.saved_s - 100);
    EXPECT_EQ(kept.lessons[0].failed_ago_s, 3'700u);
    age(kept, kept.saved_s + kOldest_s + 1);
    EXPECT_TRUE(kept.lessons.empty());
}

TEST(IntervalsFile, IsBounded) {
    Intervals many{1, {}};
    many.lessons.assign(kMostKept + 5, {*net::parse_address("2001:db8:55:100:1234:5678:9abc:def0"),
                                        200, 65'535, 65'535, ~0u, ~0u});
    const std::string text = intervals_text(many);
    EXPECT_LE(text.size(), kMaxFile);
    const ParsedIntervals parsed = parse_intervals(text);
    ASSERT_TRUE(parsed.intervals.has_value()) << parsed.reason;
    EXPECT_EQ(parsed.intervals->lessons.size(), kMostKept);
}

// From one run's gateways to the next one's, by the file.
TEST(IntervalsFile, GatewaysTakeItUp) {
    const table::KeyedHash hash(std::array<std::byte, 32>{});
    const auto at = net::Address::v4(0x43c2'1737);
    qualify::Gateways before(4, hash);
    const auto place = before.enter(at, 7);
    qualify::Lesson& lesson = before.at(place.index).lessons[place.lesson];
    lesson.fail_s.set(30);
    lesson.failed_at_s.set(500);
    lesson.losses.set(3);
    qualify::GatewayView view;
    Intervals kept{100, {}};
    ASSERT_TRUE(before.read_any(place.index, view));
    qualify::keep_lessons(view, 600, kept.lessons);
    ASSERT_EQ(kept.lessons.size(), 1u);

    const ParsedIntervals parsed = parse_intervals(intervals_text(kept));
    ASSERT_TRUE(parsed.intervals.has_value());
    qualify::Gateways after(4, hash);
    for (const KeptLesson& one : parsed.intervals->lessons) {
        after.recall(one, 50);
    }
    const auto again = after.enter(at, 7);
    const qualify::Lesson& known = after.at(again.index).lessons[again.lesson];
    EXPECT_EQ(known.agent.get(), 7u);
    EXPECT_EQ(known.fail_s.get(), 30u);
    EXPECT_EQ(50u - known.failed_at_s.get(), 100u);
    EXPECT_EQ(known.losses.get(), 3u);
    const auto other = after.enter(at, 8);
    EXPECT_NE(other.lesson, again.lesson);
    EXPECT_EQ(after.at(other.index).lessons[other.lesson].fail_s.get(), 0u);
}

}  // namespace
}  // namespace pinhole::intervals
