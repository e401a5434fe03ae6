// SPDX-License-Identifier: BSD-3-Clause
// Calls to and from a phone that is reached by a Path (RFC 3327): the proxies on the way are
// Routes, and the first of them is the target.
#include "dataplane/route/lookup.h"
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::route {
namespace {

const net::Flow kProxy = flow(World::kEdge, 5060, "10.0.0.5", 5070);
const std::string kPath = "<sip:f1@10.0.0.5:5070;lr>, <sip:first.example.net;lr;ob>";

World::Phone behind_proxy(const std::string& aor = "100@example.com") {
    World::Phone phone;
    phone.aor = aor;
    phone.flow = kProxy;
    phone.path = kPath;
    return phone;
}

const std::vector<std::string> kRoutes{"<sip:f1@10.0.0.5:5070;lr>",
                                       "<sip:first.example.net;lr;ob>"};

TEST(Path, Rfc3327_5_4_ACallGoesByThePath) {
    World world;
    world.add(behind_proxy());
    const Sent sent = world.from_core(kInvite);
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(sent.decision.flow, kProxy);
    EXPECT_EQ(sent.first_line(), "INVITE sip:100@192.168.1.10:5060;line=a1b2 SIP/2.0");
    EXPECT_EQ(sent.values(sip::HeaderId::kRoute), kRoutes);
    World plain;
    plain.add({});
    EXPECT_TRUE(plain.from_core(kInvite).values(sip::HeaderId::kRoute).empty());
}

TEST(Path, Rfc3327_5_4_BeforeTheRoutesThatTheCallBrings) {
    World world;
    world.add(behind_proxy());
    const Sent sent = world.from_core(replace(
        kInvite, "X-Odd:", "Route: <sip:198.51.100.1;lr>, <sip:more.example.net;lr>\nX-Odd:"));
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(sent.values(sip::HeaderId::kRoute),
              (std::vector<std::string>{kRoutes[0], kRoutes[1], "<sip:more.example.net;lr>"}));
}

// RFC 3261 §9.1 and §17.1.1.3: CANCEL and ACK have the Routes of their INVITE.
TEST(Path, Rfc3261_9_1_WhatBelongsToTheCallGoesByItToo) {
    World world;
    const table::ContactId id = world.add(behind_proxy());
    ASSERT_TRUE(world.from_core(kInvite).forwarded());
    const Sent cancel = world.from_core(with_method(kInvite, "INVITE", "CANCEL"));
    ASSERT_TRUE(cancel.forwarded());
    EXPECT_EQ(cancel.decision.flow, kProxy);
    EXPECT_EQ(cancel.values(sip::HeaderId::kRoute), kRoutes);
    EXPECT_EQ(cancel.first_line(), "CANCEL sip:100@192.168.1.10:5060;line=a1b2 SIP/2.0");
    world.remove(id);
    EXPECT_TRUE(world.from_core(with_method(kInvite, "INVITE", "ACK")).forwarded())
        << "the contact has gone meanwhile, and its Path with it";
}

// In a dialog the Routes are those that its proxies have recorded; where they have not, the Path.
TEST(Path, Rfc3327_5_4_InADialogItsOwnRoutesCount) {
    World world;
    world.add(behind_proxy());
    const Sent invite = world.from_core(kInvite);
    ASSERT_TRUE(invite.forwarded());
    const std::string ours = invite.values(sip::HeaderId::kRecordRoute).at(0);
    const std::string bye = replace(replace(with_method(kInvite, "INVITE", "BYE"),
                                            "BYE sip:100@example.com", "BYE sip:100@192.168.1.10"),
                                    "core1", "core2");
    const Sent recorded = world.from_core(
        replace(bye, "X-Odd:", "Route: " + ours + ", <sip:rr@10.0.0.5;lr>\nX-Odd:"));
    ASSERT_TRUE(recorded.forwarded());
    EXPECT_EQ(recorded.decision.flow, kProxy);
    EXPECT_EQ(recorded.values(sip::HeaderId::kRoute),
              (std::vector<std::string>{"<sip:rr@10.0.0.5;lr>"}));
    const Sent unrecorded = world.from_core(replace(bye, "X-Odd:", "Route: " + ours + "\nX-Odd:"));
    ASSERT_TRUE(unrecorded.forwarded());
    EXPECT_EQ(unrecorded.values(sip::HeaderId::kRoute), kRoutes);
}

// A proxy answers from any port of its own.
TEST(Path, AnswersComeFromTheProxyWhateverItsPort) {
    World world;
    world.add(behind_proxy());
    const Sent invite = world.from_core(kInvite);
    net::Flow other = kProxy;
    other.their_udp_port = 40'000;
    EXPECT_TRUE(world.from_phone(answer_to(invite, 180), other).forwarded());
    EXPECT_FALSE(world.from_stranger(answer_to(invite, 180)).forwarded());
}

// Behind one proxy are as many as there are: the From says who, and only for its own contact.
TEST(Path, AProxysCallOutIsItsPhonesByTheFrom) {
    World world;
    world.add(behind_proxy());
    World::Phone direct;
    direct.aor = "101@example.com";
    world.add(direct);
    const Sent sent = world.from_phone(kInviteOut, kProxy);
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(sent.values(sip::HeaderId::kPAssertedIdentity),
              (std::vector<std::string>{"<sip:100@example.com>"}));
    net::Flow other_port = kProxy;
    other_port.their_udp_port = 40'000;
    EXPECT_TRUE(world.from_phone(replace(kInviteOut, "phone1", "phone2"), other_port).forwarded());
    for (const char* other : {"101", "102"}) {
        EXPECT_TRUE(
            world
                .from_phone(replace(kInviteOut, "<sip:100@", std::string("<sip:") + other + "@"),
                            kProxy)
                .replied(403))
            << other;
    }
    EXPECT_TRUE(world.from_stranger(kInviteOut).replied(403));
}

TEST(Path, NothingIsLearnedOfNatFromIt) {
    table::ContactView contact;
    contact.uri = "sip:100@192.168.1.10:5060";
    contact.state.flow = kProxy;
    EXPECT_TRUE(is_behind_nat(contact));
    contact.path = kPath;
    EXPECT_FALSE(is_behind_nat(contact));
}

}  // namespace
}  // namespace pinhole::route
