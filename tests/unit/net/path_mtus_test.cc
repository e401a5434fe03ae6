// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/path_mtus.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace pinhole::net {
namespace {

using Heard = PathMtus::Heard;

constexpr std::uint16_t kLink = 1500;
constexpr std::uint64_t kNow_s = 1'000'000;

const Address kPhone4 = *parse_address("67.194.23.55");
const Address kPhone6 = *parse_address("2001:db8:55:1::11");

Address nth(std::uint32_t n) {
    Address address = kPhone6;
    address.bytes[12] = static_cast<std::uint8_t>(n >> 24);
    address.bytes[13] = static_cast<std::uint8_t>(n >> 16);
    address.bytes[14] = static_cast<std::uint8_t>(n >> 8);
    address.bytes[15] = static_cast<std::uint8_t>(n);
    return address;
}

class PathMtusTest : public testing::Test {
  public:
    static constexpr std::uint64_t kSalt = 0x5a17;
    std::unique_ptr<PathMtus> table = std::make_unique<PathMtus>(kSalt);
};

TEST_F(PathMtusTest, KnowsWhatItWasTold) {
    EXPECT_EQ(table->find(kPhone6), 0U);
    EXPECT_EQ(table->size(), 0U);
    EXPECT_EQ(table->learn(kPhone6, 1300, kLink, kNow_s), Heard::kLearned);
    EXPECT_EQ(table->learn(kPhone4, 1400, kLink, kNow_s), Heard::kLearned);
    EXPECT_EQ(table->find(kPhone6), 1300U);
    EXPECT_EQ(table->find(kPhone4), 1400U);
    EXPECT_EQ(table->find(nth(0)), 0U) << "a neighbour of the same prefix";
    EXPECT_EQ(table->size(), 2U);
}

TEST_F(PathMtusTest, BelievesWhatTheFamilyAllows) {
    struct Case {
        const Address& destination;
        std::uint32_t said;
        Heard heard;
        std::uint16_t known;
    };
    const Case cases[] = {
        {kPhone6, 0, Heard::kTooSmall, 0},
        {kPhone6, 1279, Heard::kTooSmall, 0},
        {kPhone6, 1280, Heard::kLearned, 1280},
        {kPhone6, 1499, Heard::kLearned, 1499},
        {kPhone6, 1500, Heard::kNoNews, 0},  // the link's own
        {kPhone6, 9000, Heard::kNoNews, 0},
        {kPhone6, 65536 + 1300, Heard::kNoNews, 0},
        {kPhone6, 0xffffffff, Heard::kNoNews, 0},
        {kPhone4, 0, Heard::kTooSmall, 0},  // a router older than RFC 1191
        {kPhone4, 67, Heard::kTooSmall, 0},
        {kPhone4, 68, Heard::kLearned, 576},  // routers cut the rest of the way
        {kPhone4, 575, Heard::kLearned, 576},
        {kPhone4, 576, Heard::kLearned, 576},
        {kPhone4, 1492, Heard::kLearned, 1492},
        {kPhone4, 1500, Heard::kNoNews, 0},
    };
    for (const Case& c : cases) {
        const auto fresh = std::make_unique<PathMtus>(1);
        EXPECT_EQ(fresh->learn(c.destination, c.said, kLink, kNow_s), c.heard) << c.said;
        EXPECT_EQ(fresh->find(c.destination), c.known) << c.said;
        EXPECT_EQ(fresh->size(), c.known == 0 ? 0U : 1U) << c.said;
    }
    // A link that carries no more than the family's least has nothing to learn.
    EXPECT_EQ(table->learn(kPhone6, 1280, 1280, kNow_s), Heard::kNoNews);
    EXPECT_EQ(table->learn(kPhone4, 68, 576, kNow_s), Heard::kNoNews);
}

TEST_F(PathMtusTest, NeverGrowsByWhatIsSaid) {
    EXPECT_EQ(table->learn(kPhone6, 1400, kLink, kNow_s), Heard::kLearned);
    EXPECT_EQ(table->learn(kPhone6, 1450, kLink, kNow_s), Heard::kNoNews);
    EXPECT_EQ(table->learn(kPhone6, 1400, kLink, kNow_s), Heard::kNoNews);
    EXPECT_EQ(table->find(kPhone6), 1400U);
    EXPECT_EQ(table->learn(kPhone6, 1300, kLink, kNow_s), Heard::kLearned);
    EXPECT_EQ(table->find(kPhone6), 1300U);
    EXPECT_EQ(table->size(), 1U);
}

TEST_F(PathMtusTest, ForgetsAfterItsTime) {
    EXPECT_EQ(table->learn(kPhone6, 1400, kLink, kNow_s), Heard::kLearned);
    // Lowered later: its time begins anew. Repeated later still: it does not.
    EXPECT_EQ(table->learn(kPhone6, 1300, kLink, kNow_s + 100), Heard::kLearned);
    EXPECT_EQ(table->learn(kPhone6, 1300, kLink, kNow_s + 200), Heard::kNoNews);
    EXPECT_EQ(table->learn(kPhone4, 1300, kLink, kNow_s + 300), Heard::kLearned);
    table->expire(kNow_s + 100 + PathMtus::kLifetime_s - 1);
    EXPECT_EQ(table->find(kPhone6), 1300U);
    table->expire(kNow_s + 100 + PathMtus::kLifetime_s);
    EXPECT_EQ(table->find(kPhone6), 0U);
    EXPECT_EQ(table->find(kPhone4), 1300U);
    EXPECT_EQ(table->size(), 1U);
    // Not swept away yet, but too old to be in the way of what is said now.
    EXPECT_EQ(table->learn(kPhone4, 1450, kLink, kNow_s + 300 + PathMtus::kLifetime_s),
              Heard::kLearned);
    EXPECT_EQ(table->find(kPhone4), 1450U);
    table->expire(kNow_s + 10 * PathMtus::kLifetime_s);
    EXPECT_EQ(table->size(), 0U);
    EXPECT_EQ(table->find(kPhone4), 0U);
}

TEST_F(PathMtusTest, FloodIsBoundedAndTheOldestGoes) {
    constexpr std::uint32_t kFlood = 50'000;
    constexpr std::size_t kRoom = PathMtus::kBuckets * PathMtus::kWays;
    for (std::uint32_t n = 0; n < kFlood; ++n) {
        ASSERT_EQ(table->learn(nth(n), 1280 + n % 200, kLink, kNow_s + n / 100), Heard::kLearned);
        ASSERT_EQ(table->find(nth(n)), 1280 + n % 200) << "the newest is there";
        ASSERT_LE(table->size(), kRoom);
    }
    std::size_t known = 0;
    std::uint32_t oldest = kFlood;
    for (std::uint32_t n = kFlood; n-- > 0;) {
        const std::uint16_t mtu = table->find(nth(n));
        if (mtu != 0) {
            ASSERT_EQ(mtu, 1280 + n % 200);
            ++known;
            oldest = n;
        }
    }
    EXPECT_EQ(known, table->size());
    EXPECT_GT(known, kRoom * 9 / 10) << "spread over the buckets";
    EXPECT_GT(oldest, kFlood / 4) << "what came first has gone";
}

TEST_F(PathMtusTest, WhatEveryPathCarriesIsNotLookedUp) {
    EXPECT_EQ(table->toward(kPhone6, 8000, kLink), kLink);
    EXPECT_EQ(table->learn(kPhone6, 1300, kLink, kNow_s), Heard::kLearned);
    EXPECT_EQ(table->learn(kPhone4, 600, kLink, kNow_s), Heard::kLearned);
    EXPECT_EQ(table->toward(kPhone6, 1280, kLink), kLink);
    EXPECT_EQ(table->toward(kPhone6, 1281, kLink), 1300U);
    EXPECT_EQ(table->toward(kPhone4, 576, kLink), kLink);
    EXPECT_EQ(table->toward(kPhone4, 577, kLink), 600U);
    EXPECT_EQ(table->toward(nth(1), 8000, kLink), kLink);
    // The link has become smaller than the path was.
    EXPECT_EQ(table->toward(kPhone6, 8000, 1290), 1290U);
}

// Destinations of one bucket: whoever makes nth(0), the oldest of all, go has come to its bucket.
std::vector<std::uint32_t> of_one_bucket(std::uint64_t salt, std::size_t count) {
    std::vector<std::uint32_t> found{0};
    for (std::uint32_t n = 1; found.size() < count;) {
        const auto probe = std::make_unique<PathMtus>(salt);
        EXPECT_EQ(probe->learn(nth(0), 1400, kLink, kNow_s), Heard::kLearned);
        while (probe->find(nth(0)) != 0) {
            EXPECT_EQ(probe->learn(nth(n++), 1400, kLink, kNow_s + 1), Heard::kLearned);
        }
        found.push_back(n - 1);
    }
    return found;
}

// One writer under whom a bucket's destinations come and go, readers who must never see one of them
// with another's MTU.
TEST_F(PathMtusTest, ReadersSeeNoMixture) {
    constexpr std::uint32_t kSteps = 400'000;
    constexpr unsigned kReaders = 2;
    const std::vector<std::uint32_t> same = of_one_bucket(kSalt, 8);
    const auto mtu_of = [](std::size_t i) { return static_cast<std::uint16_t>(1300 + i); };
    std::atomic<unsigned> ready{0};
    std::atomic<bool> over{false};
    std::atomic<std::uint32_t> wrong{0};
    std::atomic<std::uint32_t> seen{0};
    std::vector<std::thread> readers;
    for (unsigned reader = 0; reader < kReaders; ++reader) {
        readers.emplace_back([&] {
            std::uint32_t mixed = 0;
            std::uint32_t right = 0;
            ready.fetch_add(1);
            for (bool last = false; !last;) {
                last = over.load(std::memory_order_relaxed);
                for (std::size_t i = 0; i < same.size(); ++i) {
                    const std::uint16_t mtu = table->find(nth(same[i]));
                    // Nothing, its own, or what any path carries if the writer was at it.
                    right += mtu == mtu_of(i) ? 1 : 0;
                    mixed += mtu != 0 && mtu != mtu_of(i) && mtu != kLeastMtuV6 ? 1 : 0;
                }
            }
            wrong.fetch_add(mixed);
            seen.fetch_add(right);
        });
    }
    while (ready.load() < kReaders) {
        std::this_thread::yield();
    }
    for (std::uint32_t step = 0; step < kSteps; ++step) {
        const std::size_t i = step * 2654435761U % same.size();
        (void)table->learn(nth(same[i]), mtu_of(i), kLink, kNow_s + step / 16);
        if (step % 50'000 == 0) {
            table->expire(kNow_s + step / 16 + PathMtus::kLifetime_s);
        }
    }
    over.store(true);
    for (std::thread& reader : readers) {
        reader.join();
    }
    EXPECT_EQ(wrong.load(), 0U);
    EXPECT_GT(seen.load(), 0U);
}

}  // namespace
}  // namespace pinhole::net
