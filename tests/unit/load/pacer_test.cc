// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/pacer.h"

#include <gtest/gtest.h>

namespace pinhole::load {
namespace {

TEST(Pacer, ClosedLoopSendsWhileTheWindowHasRoom) {
    const Pacer pace(0, 2, 0);
    std::uint64_t from = 0;
    EXPECT_TRUE(pace.may_send(77, 1, from));
    EXPECT_EQ(from, 77U);
    EXPECT_FALSE(pace.may_send(77, 2, from));
}

TEST(Pacer, OpenLoopCountsFromWhenItWasDue) {
    Pacer pace(1000, 0, 5'000'000);
    std::uint64_t from = 0;
    EXPECT_TRUE(pace.may_send(5'000'000, 1'000'000, from));
    pace.sent();
    EXPECT_FALSE(pace.may_send(5'999'999, 0, from));
    // Held up for 10 ms: what was due meanwhile counts from then.
    EXPECT_TRUE(pace.may_send(16'000'000, 0, from));
    EXPECT_EQ(from, 6'000'000U);
    pace.sent();
    EXPECT_TRUE(pace.may_send(16'000'000, 0, from));
    EXPECT_EQ(from, 7'000'000U);
}

TEST(Pacer, AWindowBoundsARate) {
    const Pacer pace(1000, 3, 0);
    std::uint64_t from = 0;
    EXPECT_TRUE(pace.may_send(1, 2, from));
    EXPECT_FALSE(pace.may_send(1, 3, from));
}

}  // namespace
}  // namespace pinhole::load
