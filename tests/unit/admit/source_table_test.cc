// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/admit/source_table.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>

namespace pinhole::admit {
namespace {

constexpr Rate kRate{60, 10};
constexpr std::uint32_t kNow_s = 1'700'000'000;

table::KeyedHash hash(std::uint64_t mask = ~0ull) {
    const std::array<std::byte, table::KeyedHash::kSeedBytes> seed{std::byte{3}};
    return table::KeyedHash(seed, mask);
}
SourceName name(std::uint32_t n) {
    SourceName out{1};
    std::memcpy(out.data() + 4, &n, sizeof n);
    return out;
}

TEST(SourceTable, RemembersWhoItHasRoomFor) {
    SourceTable table(1000, hash());
    EXPECT_EQ(table.count(), 1024u);
    EXPECT_EQ(table.find(name(1)), nullptr);
    Source& source = table.at(name(1), kRate, 0, kNow_s);
    EXPECT_TRUE(source.bucket.take(kRate, 0));
    EXPECT_EQ(&table.at(name(1), kRate, 1, kNow_s), &source);
    EXPECT_EQ(table.find(name(1)), &source);
}

// Of five in a group of four the one that there is least to know of goes.
TEST(SourceTable, AFloodOfForgedSourcesPushesOutItself) {
    SourceTable table(4, hash(0));
    for (int i = 0; i < 8; ++i) {  // a flooder
        (void)table.at(name(1), kRate, 0, kNow_s).bucket.take(kRate, 0);
    }
    table.at(name(2), kRate, 0, kNow_s).add_phones(5, kNow_s);  // a gateway
    for (std::uint32_t i = 100; i < 10'000; ++i) {
        (void)table.at(name(i), kRate, i / 100, kNow_s).bucket.take(kRate, i / 100);
    }
    EXPECT_NE(table.find(name(1)), nullptr);
    ASSERT_NE(table.find(name(2)), nullptr);
    EXPECT_EQ(table.find(name(2))->phones_now(kNow_s), 5);
    EXPECT_EQ(table.find(name(101)), nullptr);
}

TEST(SourceTable, WhoHasLongBeenQuietGoesFirst) {
    SourceTable table(4, hash(0));
    for (int i = 0; i < 10; ++i) {
        (void)table.at(name(1), kRate, 0, kNow_s).bucket.take(kRate, 0);
    }
    for (std::uint32_t i = 2; i <= 5; ++i) {  // the first one's bucket is full again by now
        (void)table.at(name(i), kRate, 60'000, kNow_s + 60).bucket.take(kRate, 60'000);
    }
    EXPECT_EQ(table.find(name(1)), nullptr);
    EXPECT_NE(table.find(name(2)), nullptr);
}

TEST(Phones, ARefreshingPhoneIsOnePhone) {
    for (const std::uint32_t expires_s : {120u, 3600u, 7200u}) {
        Source source;
        source.add_phones(1, kNow_s);
        std::uint32_t now = kNow_s;
        for (std::uint32_t elapsed = 0; elapsed < 5 * 86'400; elapsed += expires_s / 2) {
            now += expires_s / 2;
            source.add_phones(static_cast<float>(expires_s) / (2 * SourceTable::kMemory_s), now);
        }
        EXPECT_NEAR(source.phones_now(now), 1, 0.05) << expires_s;
    }
}

TEST(Phones, OutliveAnOutageAndFadeInTheEnd) {
    Source source;
    source.add_phones(5000, kNow_s);
    EXPECT_GT(source.phones_now(kNow_s + 6 * 3600), 3500);
    EXPECT_LT(source.phones_now(kNow_s + 7 * 86'400), 10);
    EXPECT_EQ(source.phones_now(kNow_s - 3600), 5000) << "a clock that was set back";
}

TEST(Phones, AreNeverLessThanNoneNorMoreThanPorts) {
    Source source;
    source.add_phones(-3, kNow_s);
    EXPECT_EQ(source.phones_now(kNow_s), 0);
    source.add_phones(1e9F, kNow_s);
    EXPECT_EQ(source.phones_now(kNow_s), 65'535);
}

}  // namespace
}  // namespace pinhole::admit
