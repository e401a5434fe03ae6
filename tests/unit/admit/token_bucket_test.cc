// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/admit/token_bucket.h"

#include <gtest/gtest.h>

#include <random>

namespace pinhole::admit {
namespace {

unsigned taken(TokenBucket& bucket, const Rate& rate, std::uint32_t now_ms, unsigned tries) {
    unsigned count = 0;
    for (unsigned i = 0; i < tries; ++i) {
        count += bucket.take(rate, now_ms) ? 1 : 0;
    }
    return count;
}

TEST(TokenBucket, AFreshOneHoldsABurst) {
    TokenBucket bucket;
    EXPECT_EQ(taken(bucket, {60, 5}, 1000, 100), 5u);
    EXPECT_FALSE(bucket.has({60, 5}, 1000));
}

TEST(TokenBucket, FillsByItsRateAndNoFurther) {
    TokenBucket bucket;
    const Rate rate{120, 5};
    (void)taken(bucket, rate, 0, 100);
    EXPECT_EQ(taken(bucket, rate, 499, 100), 0u);
    EXPECT_TRUE(bucket.has(rate, 500));
    EXPECT_EQ(taken(bucket, rate, 500, 100), 1u);
    EXPECT_EQ(taken(bucket, rate, 1500, 100), 2u);
    EXPECT_EQ(taken(bucket, rate, 10'000'000, 100), 5u);
}

TEST(TokenBucket, NeverGivesMoreThanBurstAndRate) {
    std::mt19937 random{1};
    TokenBucket bucket;
    const Rate rate{600, 20};
    std::uint32_t now = 0xffff0000;  // wraps on the way
    const std::uint32_t begin = now;
    unsigned given = 0;
    for (int i = 0; i < 20'000; ++i) {
        now += random() % 30;
        given += bucket.take(rate, now) ? 1 : 0;
    }
    const double elapsed_ms = now - begin;
    EXPECT_LE(given, 20 + elapsed_ms * 600 / 60'000);
    EXPECT_GE(given, elapsed_ms * 600 / 60'000 * 0.99);
}

TEST(TokenBucket, NothingOfNothing) {
    TokenBucket bucket;
    EXPECT_FALSE(bucket.take({0, 0}, 1));
    EXPECT_FALSE(bucket.take({60, 0}, 100'000));
    TokenBucket once;
    EXPECT_EQ(taken(once, {0, 3}, 0xffffffff, 10), 3u);
    EXPECT_EQ(taken(once, {0, 3}, 0x7fffffff, 10), 0u);
}

TEST(TokenBucket, ABurstBeyondItsBoundIsTheBound) {
    TokenBucket bucket;
    EXPECT_EQ(taken(bucket, {1, 4'000'000'000}, 7, 100'000), TokenBucket::kMaxBurst);
}

}  // namespace
}  // namespace pinhole::admit
