// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/nonce.h"

#include "tests/unit/auth/support.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::auth {
namespace {

constexpr std::uint64_t kBob = 0x0123456789abcdef;  // the hash of Bob's AOR

TEST(Stamp, Parts) {
    const Stamp stamp = Stamp::of(1'700'000'000, 999, ~std::uint64_t{0});
    EXPECT_EQ(stamp.s(), 1'700'000'000U);
    EXPECT_LT(stamp.moment(), Stamp::of(1'700'000'001, 0, 0).moment());
    EXPECT_GT(stamp.moment(), Stamp::of(1'700'000'000, 998, 5).moment());
    EXPECT_EQ(stamp.moment(), Stamp::of(1'700'000'000, 999, 0).moment()) << "salt is no time";
    EXPECT_NE(stamp, Stamp::of(1'700'000'000, 999, 0));
}

TEST(Nonces, ThereAndBack) {
    const Nonces nonces("example.com", 7);
    const tokens::Keys keys = test_keys();
    const Stamp stamp = Stamp::of(1'700'000'000, 12, 345);
    const NonceText text = nonces.make(keys, kBob, stamp);
    EXPECT_EQ(nonces.read(keys, text.view(), kBob), stamp);
    EXPECT_EQ(nonces.make(keys, kBob, stamp).view(), text.view());
    EXPECT_EQ(text.view().find_first_of("\"\\, \t"), std::string_view::npos);
}

TEST(Nonces, NobodyElses) {
    const Nonces nonces("example.com", 7);
    const tokens::Keys keys = test_keys();
    const std::string text(nonces.make(keys, kBob, Stamp::of(1, 2, 3)).view());
    EXPECT_FALSE(nonces.read(keys, text, kBob + 1));
    EXPECT_FALSE(Nonces("example.org", 7).read(keys, text, kBob)) << "another realm";
    EXPECT_FALSE(Nonces("example.com", 8).read(keys, text, kBob)) << "an earlier run";
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string other = text;
        other[i] = other[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(nonces.read(keys, other, kBob)) << i;
    }
    for (const std::string& other :
         {std::string(), text + "A", text.substr(1), std::string(23, '=')}) {
        EXPECT_FALSE(nonces.read(keys, other, kBob)) << other;
    }
}

// A key that signs no more still verifies.
TEST(Nonces, OverARotation) {
    const Nonces nonces("example.com", 7);
    const tokens::MasterKey old{1, {1, 2, 1}};
    const std::array<tokens::MasterKey, 2> both{{{2, {9}}, old}};
    const tokens::Keys before({&old, 1});
    const tokens::Keys after(both);
    const NonceText text = nonces.make(before, kBob, Stamp::of(1, 2, 3));
    EXPECT_TRUE(nonces.read(after, text.view(), kBob));
    EXPECT_FALSE(nonces.read(tokens::Keys({both.data(), 1}), text.view(), kBob)) << "it is gone";
    EXPECT_FALSE(nonces.read(before, nonces.make(after, kBob, Stamp::of(1, 2, 3)).view(), kBob));
}

}  // namespace
}  // namespace pinhole::auth
