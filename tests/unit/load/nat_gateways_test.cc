// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/nat_gateways.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace pinhole::load {
namespace {

const net::Address kFirst = *net::parse_address("100.64.0.1");

NatGateways gateways(std::uint32_t phones, std::uint32_t gateways, const char* timeouts = "30",
                     const net::Address& first = kFirst) {
    return {phones, gateways, first, *Timeouts::parse(timeouts), 1};
}

TEST(NatGateways, EachPhoneHasAFlowOfItsOwnThatLeadsBackToIt) {
    for (const auto& first : {kFirst, *net::parse_address("2001:db8::fffe")}) {
        NatGateways all = gateways(1000, 7, "30", first);
        std::set<std::pair<net::Address, std::uint16_t>> flows;
        for (PhoneIndex phone = 0; phone < 1000; ++phone) {
            PublicEnd from;
            EXPECT_TRUE(all.leave(phone, 1000, from));
            EXPECT_TRUE(all.owns(from.address));
            EXPECT_GE(from.udp_port, 1024);
            flows.insert({from.address, from.udp_port});
            PhoneIndex found = 0;
            EXPECT_EQ(all.arrive(from, 1000, found), Delivery::kIn);
            EXPECT_EQ(found, phone);
        }
        EXPECT_EQ(flows.size(), 1000U);
    }
}

TEST(NatGateways, AddressesFollowTheFirst) {
    NatGateways all = gateways(300, 300);
    PublicEnd from;
    (void)all.leave(0, 0, from);
    EXPECT_EQ(net::to_string(from.address), "100.64.0.1");
    (void)all.leave(299, 0, from);
    EXPECT_EQ(net::to_string(from.address), "100.64.1.44");
    EXPECT_FALSE(all.owns(*net::parse_address("100.64.1.45")));
    EXPECT_FALSE(all.owns(*net::parse_address("100.64.0.0")));
    EXPECT_FALSE(all.owns(*net::parse_address("::6440:1")));
}

TEST(NatGateways, AnIdleMappingDiesAndTheNextPacketHasAnotherPort) {
    NatGateways all = gateways(4, 2);
    PublicEnd first;
    EXPECT_TRUE(all.leave(3, 1000, first));
    PhoneIndex phone = 0;
    EXPECT_EQ(all.arrive(first, 31'000, phone), Delivery::kIn);  // at the last moment
    EXPECT_EQ(all.arrive(first, 61'000, phone), Delivery::kIn);  // what came in kept it alive
    EXPECT_EQ(all.arrive(first, 91'001, phone), Delivery::kDead);
    EXPECT_EQ(phone, 3U);

    PublicEnd second;
    EXPECT_TRUE(all.leave(3, 91'002, second));
    EXPECT_EQ(second.address, first.address);
    EXPECT_NE(second.udp_port, first.udp_port);
    EXPECT_EQ(all.arrive(first, 91'003, phone), Delivery::kDead);  // the old one stays dead
    EXPECT_EQ(all.arrive(second, 91'003, phone), Delivery::kIn);
    EXPECT_FALSE(all.leave(3, 121'003, second));  // what it sends keeps it alive
}

TEST(NatGateways, NeverForgets) {
    NatGateways all = gateways(1, 1, "never");
    PublicEnd from;
    (void)all.leave(0, 0, from);
    PhoneIndex phone = 0;
    EXPECT_EQ(all.arrive(from, 4'000'000'000, phone), Delivery::kIn);
}

TEST(NatGateways, PortsComeRoundAndStayApart) {
    NatGateways all = gateways(NatGateways::kMaxPhonesBehind, 1, "1");
    std::set<std::uint16_t> last;
    for (std::uint64_t round = 0; round < 8; ++round) {
        for (const PhoneIndex phone : {0U, 1U, NatGateways::kMaxPhonesBehind - 1}) {
            PublicEnd from;
            EXPECT_TRUE(all.leave(phone, round * 2000, from));
            PhoneIndex found = 0;
            EXPECT_EQ(all.arrive(from, round * 2000, found), Delivery::kIn);
            EXPECT_EQ(found, phone);
        }
    }
}

TEST(NatGateways, WhatIsNobodys) {
    NatGateways all = gateways(5, 2);  // two and three phones
    PhoneIndex phone = 0;
    EXPECT_EQ(all.arrive({kFirst, 1023}, 0, phone), Delivery::kNobody);
    EXPECT_EQ(all.arrive({kFirst, 65535}, 0, phone), Delivery::kDead);  // a generation to come
    EXPECT_EQ(all.arrive({*net::parse_address("100.64.0.3"), 2000}, 0, phone), Delivery::kNobody);
    // The third phone of the second gateway.
    EXPECT_EQ(all.arrive({*net::parse_address("100.64.0.2"), 1024 + 3 + 2}, 0, phone),
              Delivery::kNobody);
    EXPECT_EQ(all.arrive({kFirst, 1024}, 0, phone), Delivery::kDead) << "it never sent";
}

}  // namespace
}  // namespace pinhole::load
