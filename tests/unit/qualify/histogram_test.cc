// SPDX-License-Identifier: BSD-3-Clause
#include "control/qualify/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pinhole::qualify {
namespace {

TEST(Histogram, BoundsRise) {
    EXPECT_TRUE(std::is_sorted(Histogram::kBoundsUs.begin(), Histogram::kBoundsUs.end()));
}

TEST(Histogram, ABoundBelongsToItsBucket) {
    Histogram h;
    std::uint64_t sum = 0;
    for (const std::uint64_t bound : Histogram::kBoundsUs) {
        h.record(bound);
        h.record(bound + 1);
        sum += 2 * bound + 1;
    }
    h.record(0);
    EXPECT_EQ(h.bucket(0), 2u);  // 0 and the bound
    for (std::size_t i = 1; i < Histogram::kBoundsUs.size(); ++i) {
        EXPECT_EQ(h.bucket(i), 2u) << i;
    }
    EXPECT_EQ(h.bucket(Histogram::kBoundsUs.size()), 1u);
    EXPECT_EQ(h.count(), 2 * Histogram::kBoundsUs.size() + 1);
    EXPECT_EQ(h.sum_us(), sum);
}

}  // namespace
}  // namespace pinhole::qualify
