// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/latency_histogram.h"

#include <gtest/gtest.h>

namespace pinhole::load {
namespace {

TEST(LatencyHistogram, BucketsFollowEachOtherWithoutGap) {
    std::size_t last = 0;
    for (std::uint64_t value = 0; value < 100'000; ++value) {
        const std::size_t bucket = LatencyHistogram::bucket_of(value);
        ASSERT_TRUE(bucket == last || bucket == last + 1) << value;
        ASSERT_LE(value, LatencyHistogram::upper_bound(bucket));
        ASSERT_TRUE(bucket == 0 || value > LatencyHistogram::upper_bound(bucket - 1)) << value;
        last = bucket;
    }
}

TEST(LatencyHistogram, KnowsEveryValueToWithinAHundredth) {
    for (std::uint64_t value = 1; value < LatencyHistogram::kMax / 3; value = value * 3 + 1) {
        const auto bound =
            static_cast<double>(LatencyHistogram::upper_bound(LatencyHistogram::bucket_of(value)));
        EXPECT_LE(bound, static_cast<double>(value) * 1.008) << value;
    }
}

TEST(LatencyHistogram, Percentiles) {
    LatencyHistogram h;
    EXPECT_EQ(h.percentile(50), 0U);
    for (std::uint64_t value = 1; value <= 200; ++value) {
        h.record(value);
    }
    EXPECT_EQ(h.count(), 200U);
    EXPECT_EQ(h.percentile(0), 1U);
    EXPECT_EQ(h.percentile(50), 100U);
    EXPECT_EQ(h.percentile(99), 198U);
    EXPECT_EQ(h.percentile(99.9), 200U);
    EXPECT_EQ(h.percentile(100), 200U);
}

TEST(LatencyHistogram, WhatIsTooLongCountsAsTheLongest) {
    LatencyHistogram h;
    h.record(~std::uint64_t{0});
    EXPECT_EQ(h.count(), 1U);
    EXPECT_EQ(h.max(), LatencyHistogram::kMax);
    EXPECT_EQ(h.percentile(50), LatencyHistogram::kMax);
}

TEST(LatencyHistogram, APercentileNeverExceedsTheMaximum) {
    LatencyHistogram h;
    h.record(1'000'003);
    EXPECT_EQ(h.percentile(99), 1'000'003U);
}

}  // namespace
}  // namespace pinhole::load
