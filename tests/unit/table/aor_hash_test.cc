// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/aor_hash.h"

#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <vector>

namespace pinhole::table::test {
namespace {

TEST(KeyedHash, OfTheSameKeyIsTheSame) {
    EXPECT_EQ(make_hash()("alice@example.com"), make_hash()("alice@example.com"));
    EXPECT_EQ(make_hash()(make_flow(1)), make_hash()(make_flow(1)));
}

TEST(KeyedHash, OfAnotherKeyIsAnother) {
    EXPECT_NE(make_hash(~0ull, 1)("alice@example.com"), make_hash(~0ull, 2)("alice@example.com"));
    EXPECT_NE(make_hash(~0ull, 1)(make_flow(1)), make_hash(~0ull, 2)(make_flow(1)));
}

TEST(KeyedHash, ToldToCollideCollides) {
    EXPECT_EQ(make_hash(0)("alice@example.com"), make_hash(0)("bob@example.com"));
}

TEST(HashParts, StayInBoundsForAnyCount) {
    for (const std::uint64_t hash : {0ull, ~0ull, 0xffff'0000'ffff'ffffull}) {
        for (const std::uint32_t count : {1u, 2u, 3u, 7u, 100u}) {
            EXPECT_LT(shard_of_hash(hash, count), count);
        }
        for (const std::uint32_t count : {1u, 3u, 1000u, 0xffff'ffffu}) {
            EXPECT_LT(bucket_of_hash(hash, count), count);
        }
    }
}

// Buckets of one shard must be as good as the buckets of all.
TEST(HashParts, ShardAndBucketAreIndependent) {
    constexpr std::uint32_t kShards = 4;
    constexpr std::uint32_t kBuckets = 16;
    std::vector<int> seen(kShards * kBuckets);
    const KeyedHash hash = make_hash();
    constexpr int kEach = 1000;
    for (std::uint32_t n = 0; n < kEach * kShards * kBuckets; ++n) {
        const std::uint64_t h = hash(make_aor(n));
        ++seen[shard_of_hash(h, kShards) * kBuckets + bucket_of_hash(h, kBuckets)];
    }
    for (const int count : seen) {
        EXPECT_GT(count, kEach * 8 / 10);  // six standard deviations
        EXPECT_LT(count, kEach * 12 / 10);
    }
}

}  // namespace
}  // namespace pinhole::table::test
