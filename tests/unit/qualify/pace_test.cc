// SPDX-License-Identifier: BSD-3-Clause
// The cap on pings in any 10 ms, the count of plans by tick, and the windows that follow from the
// policy.
#include "control/qualify/pace.h"

#include <gtest/gtest.h>

namespace pinhole::qualify {
namespace {

TEST(Pace, CapFollowsContactsAndPolicy) {
    EXPECT_EQ(Pace::cap({.interval_ms = 25'000}, 0), 32u);
    EXPECT_EQ(Pace::cap({.interval_ms = 25'000}, 22'500), 12u + 32u);  // 10 in 10 ms on average
    EXPECT_EQ(Pace::cap({.interval_ms = 25'000}, 9'000'000), 4'800u + 32u);
    EXPECT_EQ(Pace::cap({.interval_ms = 25'000, .max_pings_per_s = 1'000}, 1'000'000), 10u);
    EXPECT_EQ(Pace::cap({.interval_ms = 25'000, .max_pings_per_s = 1}, 1'000'000), 1u);
    EXPECT_EQ(Pace::cap({.interval_ms = 25'000, .max_pings_per_s = 1'000'000}, 0), 32u);
    EXPECT_EQ(Pace::cap({.interval_ms = 0}, 20'000), 0u);
}

TEST(Pace, HoldsTheCapOverEveryTenMilliseconds) {
    Pace pace;
    std::vector<std::uint64_t> sent;
    for (std::uint64_t ms = 995; ms < 1'200; ms += ms % 3 + 1) {
        pace.set_now(ms, 7);
        while (pace.may_send()) {
            pace.sent();
            sent.push_back(ms);
        }
    }
    for (std::size_t i = 7; i < sent.size(); ++i) {
        EXPECT_GE(sent[i] - sent[i - 7], 10u);
    }
    EXPECT_GE(sent.size(), 7u * 18);
}

TEST(Pace, ForgetsAfterAGap) {
    Pace pace;
    for (const std::uint64_t ms : {100u, 110u, 150u, 100'000u}) {
        pace.set_now(ms, 3);
        for (int i = 0; i < 3; ++i) {
            ASSERT_TRUE(pace.may_send());
            pace.sent();
        }
        EXPECT_FALSE(pace.may_send());
        pace.set_now(ms + 9, 3);
        EXPECT_FALSE(pace.may_send());
    }
}

TEST(Pace, CountsPlansByTickThroughTheWrap) {
    PingLoad load(2'500);
    EXPECT_GE(load.ticks(), 5'000u);
    const wheel::Tick last = 0xffff'ffff;
    load.add(last);
    load.add(last + 1);
    load.add(last + 1);
    EXPECT_EQ(load.get(last), 1u);
    EXPECT_EQ(load.get(0), 2u);
    load.remove(last);
    EXPECT_EQ(load.get(last), 0u);
    EXPECT_LE(PingLoad(0xffff'ffff / 2).ticks(), 1u << 16);
    EXPECT_GE(PingLoad(0).ticks(), 1u);
}

TEST(Policy, WindowsFollowFromTheInterval) {
    const Policy usual{};
    EXPECT_EQ(first_window(usual).from_ms, 3'000u);
    EXPECT_EQ(first_window(usual).to_ms, 20'000u);
    EXPECT_EQ(steady_window(usual).from_ms, 15'000u);
    EXPECT_EQ(steady_window(usual).to_ms, 25'000u);
    EXPECT_EQ(effective_timeout_ms(usual), 3'000u);
    const Policy brief{.interval_ms = 1'000, .timeout_ms = 3'000};
    EXPECT_EQ(first_window(brief).to_ms, 800u);
    EXPECT_EQ(effective_timeout_ms(brief), 500u);  // given up before the next one leaves
    EXPECT_LT(effective_timeout_ms(brief), steady_window(brief).from_ms);
}

}  // namespace
}  // namespace pinhole::qualify
