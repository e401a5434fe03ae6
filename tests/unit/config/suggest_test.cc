// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/suggest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace pinhole::config {
namespace {

TEST(EditDistance, CountsSlips) {
    EXPECT_EQ(edit_distance("", ""), 0u);
    EXPECT_EQ(edit_distance("abc", "abc"), 0u);
    EXPECT_EQ(edit_distance("abc", ""), 3u);
    EXPECT_EQ(edit_distance("", "abc"), 3u);
    EXPECT_EQ(edit_distance("wokers", "workers"), 1u);
    EXPECT_EQ(edit_distance("prot", "port"), 1u);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
    EXPECT_EQ(edit_distance(std::string(65, 'a'), "a"), 64u);
}

TEST(Suggest, NearestOrNothing) {
    constexpr std::array<std::string_view, 4> kNames{"min_expires", "max_expires",
                                                     "default_expires", "idle"};
    EXPECT_EQ(suggest("min_expire", kNames), "min_expires");
    EXPECT_EQ(suggest("maxexpires", kNames), "max_expires");
    EXPECT_EQ(suggest("expires", kNames), "min_expires");
    EXPECT_EQ(suggest("zebra", kNames), std::nullopt);
    EXPECT_EQ(suggest("x", kNames), std::nullopt);
}

}  // namespace
}  // namespace pinhole::config
