// SPDX-License-Identifier: BSD-3-Clause
#include "control/keys/key_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace pinhole::keys {
namespace {

constexpr std::uint64_t kDay = 86'400;
constexpr std::uint64_t kStart = 1'700'000'000;

KeyBytes bytes_of(std::uint64_t n) {
    KeyBytes bytes{};
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<std::uint8_t>(n >> 8 * i);
    }
    return bytes;
}

// A new key whenever one is due, looked at every hour.
KeyRing days_on(KeyRing ring, std::uint64_t from_s, std::uint64_t days) {
    for (std::uint64_t now = from_s; now < from_s + days * kDay; now += 3600) {
        if (rotation_due(ring, kDay, now)) {
            ring = rotated(ring, bytes_of(now), kDay, now);
        }
    }
    return ring;
}

TEST(KeyRing, TheFirstIsDueAtOnceAndTheNextAfterItsTime) {
    EXPECT_TRUE(rotation_due({}, kDay, kStart));
    EXPECT_TRUE(rotation_due({}, 0, kStart));
    const KeyRing ring = rotated({}, bytes_of(1), kDay, kStart);
    ASSERT_EQ(ring.newest_first.size(), 1u);
    EXPECT_EQ(ring.newest_first[0].created_s, kStart);
    EXPECT_EQ(ring.newest_first[0].bytes, bytes_of(1));
    EXPECT_FALSE(rotation_due(ring, kDay, kStart));
    EXPECT_FALSE(rotation_due(ring, kDay, kStart + kDay - 1));
    EXPECT_TRUE(rotation_due(ring, kDay, kStart + kDay));
    EXPECT_FALSE(rotation_due(ring, 0, kStart + 1000 * kDay)) << "0 is never";
}

TEST(KeyRing, AClockThatWasWrongMakesOneDue) {
    const KeyRing ring = rotated({}, bytes_of(1), kDay, kStart + 100 * kDay);
    EXPECT_TRUE(rotation_due(ring, kDay, kStart));
    EXPECT_FALSE(rotation_due(ring, kDay, kStart + 100 * kDay - 60)) << "NTP's small steps";
}

// The promise: what is signed under a key verifies for kKept - 1 days after the last moment at
// which the key signed.
TEST(KeyRing, EachVerifiesAWeekAfterItsLastSignature) {
    KeyRing ring;
    struct Life {
        KeyBytes bytes;
        std::uint64_t signed_last_s;
        std::uint64_t known_last_s;
    };
    std::vector<Life> lives;
    for (std::uint64_t now = kStart; now < kStart + 40 * kDay; now += 600) {
        if (rotation_due(ring, kDay, now)) {
            ring = rotated(ring, bytes_of(now), kDay, now);
            lives.push_back({ring.newest_first[0].bytes, now, now});
        }
        lives.back().signed_last_s = now;
        for (Life& life : lives) {
            for (const StoredKey& key : ring.newest_first) {
                life.known_last_s = key.bytes == life.bytes ? now : life.known_last_s;
            }
        }
    }
    ASSERT_EQ(lives.size(), 40u);
    for (std::size_t i = 0; i < 32; ++i) {
        EXPECT_GE(lives[i].known_last_s - lives[i].signed_last_s + 600, (kKept - 1) * kDay) << i;
        EXPECT_LE(lives[i].known_last_s - lives[i].signed_last_s, kKept * kDay) << i;
    }
}

TEST(KeyRing, IdsDifferThroughAllOfTheirNumbers) {
    KeyRing ring;
    std::set<int> seen;
    for (std::uint64_t day = 0; day < 600; ++day) {
        ring = rotated(ring, bytes_of(day), kDay, kStart + day * kDay);
        std::set<int> ids;
        for (const StoredKey& key : ring.newest_first) {
            EXPECT_TRUE(ids.insert(key.id).second) << "day " << day;
        }
        EXPECT_LE(ids.size(), kKept);
        seen.insert(ring.newest_first[0].id);
    }
    EXPECT_EQ(seen.size(), 256u);
    KeyRing odd;
    odd.newest_first = {{.id = 255}, {.id = 0}, {.id = 1}};
    EXPECT_EQ(rotated(odd, {}, 0, kStart).newest_first[0].id, 2);
}

// Kept for the journey, not for ever: after a long stop only what signed until it is left.
TEST(KeyRing, AfterALongStopTheLongUnusedGo) {
    const KeyRing before = days_on({}, kStart, 8);
    ASSERT_EQ(before.newest_first.size(), kKept);
    const StoredKey last = before.newest_first[0];
    const KeyRing after = rotated(before, bytes_of(99), kDay, kStart + 60 * kDay);
    ASSERT_EQ(after.newest_first.size(), 2u);
    EXPECT_EQ(after.newest_first[0].bytes, bytes_of(99));
    EXPECT_EQ(after.newest_first[1], last);
    // A short one costs none but the oldest.
    EXPECT_EQ(rotated(before, bytes_of(99), kDay, kStart + 8 * kDay + 3600).newest_first.size(),
              kKept);
}

TEST(KeyRing, TheNewestSigns) {
    KeyRing ring;
    ring.newest_first = {{.id = 9, .bytes = bytes_of(2)}, {.id = 4, .bytes = bytes_of(1)}};
    const tokens::Keys keys = token_keys(ring);
    EXPECT_EQ(keys.current_id(), 9);
    EXPECT_TRUE(keys.knows(4));
    EXPECT_FALSE(keys.knows(1));
    EXPECT_EQ(token_keys(days_on({}, kStart, 20)).knows(13), true) << "all of kKept are known";
}

TEST(FirstGeneration, LiesFarFromThoseOfManyStartsAround) {
    for (const std::uint32_t from : {0u, 1u, 12'345u, 0xffff'ff00u}) {
        std::vector<std::uint32_t> starts;
        for (std::uint32_t n = 0; n < 1000; ++n) {
            starts.push_back(first_generation(from + n));
            EXPECT_NE(starts.back(), 0u);
        }
        std::sort(starts.begin(), starts.end());
        std::uint32_t nearest = starts.front() - starts.back();  // around the end
        for (std::size_t i = 1; i < starts.size(); ++i) {
            nearest = std::min(nearest, starts[i] - starts[i - 1]);
        }
        EXPECT_GE(nearest, 1'400'000u) << from;
    }
}

}  // namespace
}  // namespace pinhole::keys
