// SPDX-License-Identifier: BSD-3-Clause
#include "control/machine/watchdog.h"

#include <gtest/gtest.h>

namespace pinhole::machine {
namespace {

TEST(Watchdog, IsCalledThreeTimesAPeriod) {
    Watchdog watchdog(3'000'000);
    EXPECT_TRUE(watchdog.due(5'000));
    EXPECT_FALSE(watchdog.due(5'999));
    EXPECT_TRUE(watchdog.due(6'000));
    EXPECT_TRUE(watchdog.due(60'000));
    EXPECT_FALSE(watchdog.due(60'001));
}

TEST(Watchdog, IsStillIfNobodyListens) {
    Watchdog watchdog(0);
    EXPECT_FALSE(watchdog.due(1'000'000));
}

}  // namespace
}  // namespace pinhole::machine
