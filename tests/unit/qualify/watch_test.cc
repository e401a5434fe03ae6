// SPDX-License-Identifier: BSD-3-Clause
// When silence is an outage, by the numbers alone.
#include "control/qualify/watch.h"

#include <gtest/gtest.h>

#include <random>

namespace pinhole::qualify {
namespace {

// How many phones have to fall silent in a row.
std::uint32_t needed(Watch& watch) {
    for (std::uint32_t n = 1; n < 1'000; ++n) {
        if (fell_silent(watch, 100 + n)) {
            return n;
        }
    }
    return 0;
}

void teach(Watch& watch, std::uint32_t answers, std::uint32_t misses) {
    for (std::uint32_t i = 0; i < answers; ++i) {
        for (std::uint32_t n = misses * (i + 1) / answers - misses * i / answers; n > 0; --n) {
            (void)fell_silent(watch, 50);
        }
        (void)showed_life(watch, 50, 50, true);
    }
}

TEST(Watch, TheWorseTheLineTheMoreHaveToBeSilent) {
    Watch unknown;
    Watch good;
    Watch lossy;
    Watch bad;
    teach(good, 5'000, 0);
    teach(lossy, 5'000, 500);
    teach(bad, 5'000, 5'000);
    EXPECT_NEAR(miss_rate(unknown), 0.05, 1e-6);
    EXPECT_NEAR(miss_rate(good), 0.01, 1e-6);
    EXPECT_NEAR(miss_rate(lossy), 0.09, 0.01);
    EXPECT_NEAR(miss_rate(bad), 0.5, 0.02);
    EXPECT_EQ(needed(good), 5u);
    EXPECT_EQ(needed(unknown), 7u);
    EXPECT_NEAR(needed(lossy), 9, 1);
    EXPECT_NEAR(needed(bad), 30, 2);
}

TEST(Watch, OneThatLivesUndoesIt) {
    Watch watch;
    for (int round = 0; round < 1'000; ++round) {
        for (int i = 0; i < 4; ++i) {
            ASSERT_FALSE(fell_silent(watch, 100));
        }
        ASSERT_FALSE(showed_life(watch, 100, 100, true));
    }
}

TEST(Watch, AnOutageIsKnownByItsFirstMissAndEndsWithOneAnswer) {
    Watch watch;
    const std::uint32_t n = needed(watch);
    EXPECT_TRUE(watch.silent());
    EXPECT_EQ(watch.silent_since_s.get(), 101u);
    EXPECT_FALSE(fell_silent(watch, 300));
    EXPECT_FALSE(showed_life(watch, 100, 300, false)) << "it registered before";
    EXPECT_TRUE(watch.silent());
    EXPECT_TRUE(showed_life(watch, 400, 400, true));
    EXPECT_FALSE(watch.silent());
    EXPECT_FALSE(showed_life(watch, 401, 401, true));
    EXPECT_EQ(watch.outages.get(), 1u);
    // It has taught nothing about the rate.
    EXPECT_EQ(needed(watch), n);
}

TEST(Watch, ItExcusesWhomItSilencedForSoLong) {
    Watch watch;
    EXPECT_FALSE(excuses(watch, 100, 200, {0, 600}));
    (void)needed(watch);
    EXPECT_TRUE(excuses(watch, 101, 100'000, {0, 600}));
    EXPECT_FALSE(excuses(watch, 100, 100'000, {0, 600})) << "it had been dead before";
    EXPECT_TRUE(excuses(watch, 76, 100'000, {25, 600})) << "its pings were lost just before";
    EXPECT_FALSE(excuses(watch, 75, 100'000, {25, 600}));
    (void)showed_life(watch, 100'000, 100'000, false);
    EXPECT_TRUE(excuses(watch, 101, 100'599, {0, 600}));
    EXPECT_FALSE(excuses(watch, 101, 100'600, {0, 600}));
}

// Ten years of a gateway that pings 10 times a second at 5 % loss each way would be 3 * 10^9 pings;
// as many as a test has time for must bring none.
TEST(Watch, LossAloneIsNoOutage) {
    std::mt19937_64 random(2026);
    for (const double loss : {0.01, 0.0975, 0.3}) {
        Watch watch;
        std::bernoulli_distribution lost(loss);
        for (int i = 0; i < 3'000'000; ++i) {
            lost(random) ? (void)fell_silent(watch, 100) : (void)showed_life(watch, 100, 100, true);
            ASSERT_FALSE(watch.silent()) << loss << " at " << i;
        }
    }
}

}  // namespace
}  // namespace pinhole::qualify
