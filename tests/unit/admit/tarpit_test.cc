// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/admit/tarpit.h"

#include <gtest/gtest.h>

namespace pinhole::admit {
namespace {

TEST(Tarpit, HoldsAKeyForAWhile) {
    Tarpit tarpit;
    EXPECT_TRUE(tarpit.is_empty(0));
    EXPECT_FALSE(tarpit.holds(0, 0)) << "not even the key of an empty place";
    tarpit.hold(7, 1000);
    EXPECT_FALSE(tarpit.is_empty(1000));
    EXPECT_TRUE(tarpit.holds(7, 1000));
    EXPECT_FALSE(tarpit.holds(7 + Tarpit::kPlaces, 1000)) << "the same place, another key";
    EXPECT_TRUE(tarpit.holds(7, 1000 + Tarpit::kSilence_ms - 1));
    EXPECT_FALSE(tarpit.holds(7, 1000 + Tarpit::kSilence_ms));
    EXPECT_TRUE(tarpit.is_empty(1000 + Tarpit::kSilence_ms));
}

TEST(Tarpit, GivesAPlaceToTheNewcomer) {
    Tarpit tarpit;
    tarpit.hold(7, 0);
    tarpit.hold(7 + Tarpit::kPlaces, 0);
    EXPECT_FALSE(tarpit.holds(7, 0));
    EXPECT_TRUE(tarpit.holds(7 + Tarpit::kPlaces, 0));
}

}  // namespace
}  // namespace pinhole::admit
