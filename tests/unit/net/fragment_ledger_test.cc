// SPDX-License-Identifier: BSD-3-Clause
// Whose fragments are kept, and which datagram gives way.
#include "dataplane/net/fragment_ledger.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::net {
namespace {

using Entry = FragmentLedger::Entry;

constexpr std::uint64_t kAge = 1000;

Datagram piece(const Address& from, std::uint32_t id) {
    Datagram d;
    d.src = from;
    d.dst = Address::v4(0xc6336401);
    d.v4 = from.is_v4();
    d.fragment.id = id;
    return d;
}
Address v4(std::uint32_t n) {
    return Address::v4(0x0a000000 + n);
}
Address v6(const std::string& text) {
    return *parse_address(text);
}

TEST(FragmentLedger, KnowsTheDatagramsUnderWay) {
    FragmentLedger ledger;
    EXPECT_EQ(ledger.enter(piece(v4(1), 7), 1, kAge), Entry::kBegun);
    EXPECT_EQ(ledger.enter(piece(v4(1), 7), 2, kAge), Entry::kKnown);
    EXPECT_EQ(ledger.enter(piece(v4(1), 8), 2, kAge), Entry::kBegun);
    EXPECT_EQ(ledger.enter(piece(v4(2), 7), 2, kAge), Entry::kBegun);
    Datagram elsewhere = piece(v4(1), 7);
    elsewhere.dst = v4(99);
    EXPECT_EQ(ledger.enter(elsewhere, 2, kAge), Entry::kBegun);
    EXPECT_EQ(ledger.under_way(), 4U);
    ledger.end(piece(v4(1), 7));
    EXPECT_EQ(ledger.under_way(), 3U);
    EXPECT_EQ(ledger.enter(piece(v4(1), 7), 3, kAge), Entry::kBegun);
    ledger.end(piece(v4(3), 7));
    EXPECT_EQ(ledger.under_way(), 4U);
}

TEST(FragmentLedger, PiecesAreCounted) {
    FragmentLedger ledger;
    EXPECT_EQ(ledger.enter(piece(v4(1), 7), 1, kAge), Entry::kBegun);
    for (unsigned i = 1; i < FragmentLedger::kPieces; ++i) {
        EXPECT_EQ(ledger.enter(piece(v4(1), 7), 1, kAge), Entry::kKnown);
    }
    EXPECT_EQ(ledger.enter(piece(v4(1), 7), 1, kAge), Entry::kManyPieces);
    EXPECT_EQ(ledger.enter(piece(v4(1), 8), 1, kAge), Entry::kBegun);
}

TEST(FragmentLedger, ASourceIsCapped) {
    FragmentLedger ledger;
    for (std::uint32_t id = 0; id < FragmentLedger::kOfSource; ++id) {
        EXPECT_EQ(ledger.enter(piece(v4(1), id), 1, kAge), Entry::kBegun);
    }
    EXPECT_EQ(ledger.enter(piece(v4(1), 99), 1, kAge), Entry::kSourceFull);
    EXPECT_EQ(ledger.enter(piece(v4(1), 3), 1, kAge), Entry::kKnown) << "what is under way goes on";
    EXPECT_EQ(ledger.enter(piece(v4(2), 99), 1, kAge), Entry::kBegun) << "others are not concerned";
    ledger.end(piece(v4(1), 3));
    EXPECT_EQ(ledger.enter(piece(v4(1), 99), 1, kAge), Entry::kBegun);
    EXPECT_EQ(ledger.enter(piece(v4(1), 100), 1, kAge), Entry::kSourceFull);
}

TEST(FragmentLedger, A64IsOneSource) {
    FragmentLedger ledger;
    for (std::uint32_t id = 0; id < FragmentLedger::kOfSource; ++id) {
        const Address from = v6("2001:db8:1:2::" + std::to_string(id + 1));
        EXPECT_EQ(ledger.enter(piece(from, 1), 1, kAge), Entry::kBegun);
    }
    EXPECT_EQ(ledger.enter(piece(v6("2001:db8:1:2::99"), 1), 1, kAge), Entry::kSourceFull);
    EXPECT_EQ(ledger.enter(piece(v6("2001:db8:1:3::1"), 1), 1, kAge), Entry::kBegun);
}

TEST(FragmentLedger, OfAllTheOldestGivesWay) {
    FragmentLedger ledger;
    for (std::uint32_t n = 0; n < FragmentLedger::kDatagrams; ++n) {
        EXPECT_EQ(ledger.enter(piece(v4(n), 1), 100 + n, kAge), Entry::kBegun);
    }
    EXPECT_EQ(ledger.enter(piece(v4(999), 1), 300, kAge), Entry::kTookPlace);
    EXPECT_EQ(ledger.given_up_to(), 100U);
    EXPECT_EQ(ledger.under_way(), FragmentLedger::kDatagrams);
    EXPECT_EQ(ledger.enter(piece(v4(1), 1), 301, kAge), Entry::kKnown) << "the next oldest stays";
    EXPECT_EQ(ledger.enter(piece(v4(0), 1), 302, kAge), Entry::kTookPlace);
    EXPECT_EQ(ledger.given_up_to(), 101U);
}

TEST(FragmentLedger, WhatIsOldIsForgotten) {
    FragmentLedger ledger;
    for (std::uint32_t id = 0; id < FragmentLedger::kOfSource; ++id) {
        EXPECT_EQ(ledger.enter(piece(v4(1), id), 50, kAge), Entry::kBegun);
    }
    EXPECT_EQ(ledger.enter(piece(v4(1), 99), 50 + kAge, kAge), Entry::kSourceFull);
    EXPECT_EQ(ledger.enter(piece(v4(1), 99), 51 + kAge, kAge), Entry::kBegun);
    EXPECT_EQ(ledger.under_way(), 1U);
}

}  // namespace
}  // namespace pinhole::net
