// SPDX-License-Identifier: BSD-3-Clause
// Several flows of one phone (RFC 5626 §7): a call goes by one of them, the one that lives; and the
// Route that a phone was told by Service-Route (RFC 3608) is ours to take off.
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::route {
namespace {

World::Phone flow_of(std::uint32_t reg_id, std::uint16_t mapped, std::string instance = "1") {
    World::Phone phone;
    phone.instance = "<urn:uuid:" + instance + ">";
    phone.reg_id = reg_id;
    phone.flow = World::phone_flow(mapped);
    return phone;
}

std::uint16_t called(World& world) {
    const Sent sent = world.from_core(kInvite);
    return sent.forwarded() ? sent.decision.flow.their_udp_port : 0;
}

TEST(Flows, Rfc5626_7_TheLiveFlowOfAnInstance) {
    World world;
    World::Phone first = flow_of(1, 1);
    first.refreshed_at_ms = 1000;
    const table::ContactId one = world.add(first);
    World::Phone second = flow_of(2, 2);
    second.q = 500;
    const table::ContactId two = world.add(second);
    EXPECT_EQ(called(world), 1) << "the freshest of two that nothing is known of";
    world.set_reach(two, table::Reach::kReachable);
    World again;
    (void)again.add(first);
    again.set_reach(again.add(second), table::Reach::kReachable);
    EXPECT_EQ(called(again), 2) << "an answered ping counts more than the date, and than q";
    again.set_reach(one, table::Reach::kReachable);
    again.set_reach(two, table::Reach::kUnreachable);
    EXPECT_EQ(called(again), 2) << "a retransmission goes where it went";
    World later;
    later.set_reach(later.add(first), table::Reach::kReachable);
    later.set_reach(later.add(second), table::Reach::kUnreachable);
    EXPECT_EQ(called(later), 1);
}

TEST(Flows, Rfc5626_7_ARedirectNamesOneFlowAnInstance) {
    World world;
    world.redirect = true;
    (void)world.add(flow_of(1, 1));
    const table::ContactId live = world.add(flow_of(2, 2));
    (void)world.add(flow_of(1, 3, "2"));
    (void)world.add({.flow = World::phone_flow(4)});
    world.set_reach(live, table::Reach::kReachable);
    const Sent sent = world.from_core(kInvite);
    ASSERT_TRUE(sent.replied(302));
    const auto contacts = sent.values(sip::HeaderId::kContact);
    ASSERT_EQ(contacts.size(), 3U) << "two phones of one AOR are two still";
    const std::string uri = contacts[0].substr(1, contacts[0].find('>') - 1);
    const Sent call = world.from_core(replace(kInvite, "sip:100@example.com SIP", uri + " SIP"));
    EXPECT_EQ(call.decision.flow.their_udp_port, 2);
}

// Without reg-id they are contacts of IPv4 and IPv6, or of a phone older than RFC 5626.
TEST(Flows, Rfc5626_7_WithoutRegIdAreNoFlows) {
    World world;
    world.redirect = true;
    (void)world.add(flow_of(0, 1));
    (void)world.add(flow_of(0, 2));
    EXPECT_EQ(world.from_core(kInvite).values(sip::HeaderId::kContact).size(), 2U);
}

TEST(ServiceRoute, Rfc3608_5_OurRouteIsTakenOff) {
    World world;
    (void)world.add({});
    sip::Uri ours;
    ASSERT_TRUE(sip::parse_uri("sip:edge.example.net;lr", ours));
    const std::string routes =
        "Route: <sip:Edge.example.net;lr>, <sip:core.example.net;lr>\nCall-ID:";
    const Sent before = world.from_phone(replace(kInviteOut, "Call-ID:", routes));
    EXPECT_EQ(before.values(sip::HeaderId::kRoute).size(), 2U);
    ASSERT_TRUE(world.identity.add_route_host(ours));
    const Sent sent = world.from_phone(replace(kInviteOut, "Call-ID:", routes));
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(sent.values(sip::HeaderId::kRoute),
              std::vector<std::string>{"<sip:core.example.net;lr>"});
    EXPECT_FALSE(world.identity.is_ours("edge.example.net", 0)) << "nobody registers under it";
}

}  // namespace
}  // namespace pinhole::route
