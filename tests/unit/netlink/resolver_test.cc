// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/resolver.h"

#include <gtest/gtest.h>

namespace pinhole::netlink {
namespace {

LinkAddress nth(std::uint32_t n) {
    return {2, Address::v4(0x0a000000 + n)};
}

TEST(Resolver, AsksOncePerAddressAndSecond) {
    Resolver resolver;
    EXPECT_TRUE(resolver.ask(nth(1), 5000));
    EXPECT_FALSE(resolver.ask(nth(1), 5000));
    EXPECT_FALSE(resolver.ask(nth(1), 5999));
    EXPECT_TRUE(resolver.ask(nth(2), 5999));
    EXPECT_TRUE(resolver.ask({3, nth(1).address}, 5999));  // another link
    EXPECT_TRUE(resolver.ask(nth(1), 6000));
    EXPECT_FALSE(resolver.ask(nth(1), 6999));
    EXPECT_EQ(resolver.remembered(), 3U);
    EXPECT_TRUE(resolver.remembers(nth(1)));
    EXPECT_FALSE(resolver.remembers(nth(9)));
}

TEST(Resolver, AFloodIsHeldToItsRate) {
    Resolver resolver;
    unsigned asked = 0;
    for (std::uint32_t n = 0; n < 100'000; ++n) {
        asked += resolver.ask(nth(n), 1000 + n / 50) ? 1 : 0;  // 2 s
    }
    EXPECT_EQ(asked, 2 * Resolver::kMaxPerSecond);
    // What was refused was not remembered as asked.
    EXPECT_FALSE(resolver.remembers(nth(99'999)));
    EXPECT_TRUE(resolver.ask(nth(99'999), 3000));
}

TEST(Resolver, ForgetsTheLongestAgo) {
    Resolver resolver;
    std::uint64_t now_ms = 0;
    for (std::uint32_t n = 0; n < Resolver::kMaxRemembered; ++n) {
        now_ms += 10;
        ASSERT_TRUE(resolver.ask(nth(n), now_ms));
    }
    ASSERT_TRUE(resolver.ask(nth(0), now_ms + 1000));  // asked again: now the youngest
    for (std::uint32_t n = 0; n < 10; ++n) {
        ASSERT_TRUE(resolver.ask(nth(1'000'000 + n), now_ms + 2000));
    }
    EXPECT_EQ(resolver.remembered(), Resolver::kMaxRemembered);
    EXPECT_TRUE(resolver.remembers(nth(0)));
    EXPECT_FALSE(resolver.remembers(nth(1)));
    EXPECT_FALSE(resolver.remembers(nth(10)));
    EXPECT_TRUE(resolver.remembers(nth(11)));
}

}  // namespace
}  // namespace pinhole::netlink
