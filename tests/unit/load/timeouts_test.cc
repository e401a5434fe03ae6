// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/timeouts.h"

#include <gtest/gtest.h>

#include <map>

namespace pinhole::load {
namespace {

TEST(Timeouts, WhatIsNoDistribution) {
    for (const char* text : {"", "x", "0", "30:", "30:0", "30:x", "30,", ",30", "-1", "30:1:2",
                             "nevermore", "1000001", "30:1000001"}) {
        EXPECT_FALSE(Timeouts::parse(text)) << text;
    }
}

TEST(Timeouts, ArePickedByTheirWeights) {
    const auto timeouts = Timeouts::parse("30:6,60:3,never:1");
    ASSERT_TRUE(timeouts);
    qualify::Random random(1);
    std::map<std::uint32_t, int> seen;
    for (int i = 0; i < 10'000; ++i) {
        ++seen[timeouts->pick_ms(random)];
    }
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_NEAR(seen[30'000], 6000, 300);
    EXPECT_NEAR(seen[60'000], 3000, 300);
    EXPECT_NEAR(seen[Timeouts::kNever_ms], 1000, 300);
}

TEST(Timeouts, OneForAll) {
    qualify::Random random(1);
    EXPECT_EQ(Timeouts::parse("25")->pick_ms(random), 25'000U);
    EXPECT_EQ(Timeouts::parse("never")->pick_ms(random), Timeouts::kNever_ms);
}

}  // namespace
}  // namespace pinhole::load
