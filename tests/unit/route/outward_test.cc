// SPDX-License-Identifier: BSD-3-Clause
// Requests from phones, and from strangers.
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::route {
namespace {

TEST(Outward, ARegisteredPhoneCallsOut) {
    World world;
    const table::ContactId id = world.add({});
    const Sent sent = world.from_phone(kInviteOut);
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(sent.decision.flow, world.peers[0].flow);
    EXPECT_EQ(sent.decision.contact, id);
    EXPECT_TRUE(sent.decision.is_call_out);
    EXPECT_EQ(sent.first_line(), "INVITE sip:200@example.com SIP/2.0");
    const auto vias = sent.values(sip::HeaderId::kVia);
    ASSERT_EQ(vias.size(), 2u);
    EXPECT_NE(vias[1].find("received=67.194.23.55"), std::string::npos) << vias[1];
    EXPECT_NE(vias[1].find("rport=32947"), std::string::npos) << vias[1];
}

// RFC 3261 §22.3: a phone whose mapping has moved, and that has shown its password.
TEST(Outward, WhoHasShownAPasswordCallsOut) {
    World world;
    const std::string invite =
        replace(kInviteOut, "Max-Forwards: 70\n",
                "Max-Forwards: 70\nProxy-Authorization: Digest realm=\"core\"\n"
                "Proxy-Authorization: Digest realm=\"example.com\"\n");
    EXPECT_TRUE(world.from_phone(invite).replied(403));
    sip::Message message;
    const std::string wire = crlf(invite);
    ASSERT_EQ(sip::parse(wire, message), sip::ParseError::kOk);
    world.proven = {"100@example.com",
                    message.next_index(sip::HeaderId::kProxyAuthorization,
                                       message.first_index(sip::HeaderId::kProxyAuthorization))};
    const Sent sent = world.from_phone(invite);
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(sent.decision.flow, world.peers[0].flow);
    EXPECT_EQ(sent.values(sip::HeaderId::kPAssertedIdentity),
              std::vector<std::string>{"<sip:100@example.com>"});
    EXPECT_TRUE(sent.has("Digest realm=\"core\"")) << "not ours";
    EXPECT_FALSE(sent.has("Digest realm=\"example.com\""));
    EXPECT_TRUE(sent.decision.is_unregistered);

    // What belongs to it has no password of its own (§22.1), and goes the same way.
    world.proven = {};
    for (const char* method : {"CANCEL", "ACK"}) {
        EXPECT_EQ(world.from_phone(with_method(kInviteOut, "INVITE", method)).decision.flow,
                  world.peers[0].flow);
        EXPECT_FALSE(world.from_stranger(with_method(kInviteOut, "INVITE", method)).forwarded());
    }
    EXPECT_TRUE(world.from_phone(kInviteOut).replied(403));
    EXPECT_TRUE(world.from_phone(with_method(kInviteOut, "INVITE", "BYE")).replied(403));
}

TEST(Outward, Rfc3261_16_4_PreloadedRoutesOfOursAreTakenOff) {
    World world;
    world.add({});
    const struct {
        const char* route;
        std::vector<std::string> left;
    } cases[] = {
        {"Route: <sip:198.51.100.1;lr>", {}},
        {"Route: <sip:example.com;lr>, <sip:198.51.100.1:5060;lr>", {}},
        {"Route: <sip:edge@example.com;lr>\nRoute: <sip:a.example.net;lr>",
         {"<sip:a.example.net;lr>"}},
        {"Route: <sip:example.com;lr>,<sip:b.example.net;lr> , <sip:c.example.net;lr>",
         {"<sip:b.example.net;lr>", "<sip:c.example.net;lr>"}},
        {"Route: <sip:a.example.net;lr>, <sip:example.com;lr>",
         {"<sip:a.example.net;lr>", "<sip:example.com;lr>"}},
    };
    for (const auto& c : cases) {
        const Sent sent = world.from_phone(replace(kInviteOut, "Max-Forwards: 70", c.route));
        ASSERT_TRUE(sent.forwarded()) << c.route;
        EXPECT_EQ(sent.decision.flow, world.peers[0].flow) << "a Route is never followed";
        EXPECT_EQ(sent.values(sip::HeaderId::kRoute), c.left) << c.route;
    }
}

TEST(Outward, OneCallMeetsOnePeer) {
    std::vector<net::Flow> flows;
    for (int i = 0; i < 5; ++i) {
        flows.push_back(flow(World::kEdge, 5060, "203.0.113." + std::to_string(10 + i), 5060));
    }
    World world(flows);
    world.add({});
    const Sent invite = world.from_phone(kInviteOut);
    for (const char* method : {"CANCEL", "ACK", "INFO"}) {
        EXPECT_EQ(world.from_phone(with_method(kInviteOut, "INVITE", method)).decision.flow,
                  invite.decision.flow);
    }
}

TEST(Outward, NoPeerNoCall) {
    World world(std::vector<net::Flow>{});
    world.add({});
    const Sent sent = world.from_phone(kInviteOut);
    EXPECT_TRUE(sent.replied(503));
    EXPECT_FALSE(sent.values(sip::HeaderId::kRetryAfter).empty());
}

TEST(Outward, Rfc3261_18_2_2_APhoneThatListensElsewhereThanItSendsFrom) {
    World world;
    // Registered by the exception of RFC 3261 §18.2.2: its flow ends at the port it listens at.
    world.add({.uri = "sip:100@67.194.23.55:5070", .flow = World::phone_flow(5070)});
    const std::string invite = replace(kInviteOut, "192.168.1.10:5060;branch=z9hG4bKphone1;rport",
                                       "67.194.23.55:5070;branch=z9hG4bKp");
    const Sent sent = world.from_phone(invite, World::phone_flow(40000));
    ASSERT_TRUE(sent.forwarded());
    const Sent answer = world.receive(answer_to(sent, 200), world.peers[0].flow, true);
    ASSERT_TRUE(answer.forwarded());
    EXPECT_EQ(answer.decision.flow, World::phone_flow(5070));
    // And what goes in may be answered from the port it sends from.
    const Sent in = world.from_core(kInvite);
    ASSERT_EQ(in.decision.flow, World::phone_flow(5070));
    EXPECT_TRUE(world.from_phone(answer_to(in, 200), World::phone_flow(40000)).forwarded());
}

// Found at its Contact's port (table::kAtContact), it calls from the port that it sends from; from
// another address, or to another port of ours, nobody is it.
TEST(Outward, APhoneThatWasFoundAtItsContactsPort) {
    World world;
    world.add({.uri = "sip:100@67.194.23.55:5070",
               .flow = World::phone_flow(5070),
               .flags = table::kAtContact});
    EXPECT_TRUE(world.from_phone(kInviteOut, World::phone_flow(40000)).forwarded());
    EXPECT_TRUE(world.from_stranger(kInviteOut).decision.is_stranger);
    net::Flow other = World::phone_flow(40000);
    other.our_udp_port = 5080;
    EXPECT_TRUE(world.from_phone(kInviteOut, other).decision.is_stranger);
    EXPECT_TRUE(world
                    .from_phone(replace(kInviteOut, "<sip:100@example.com>;tag=p1",
                                        "<sip:101@example.com>;tag=p1"),
                                World::phone_flow(40000))
                    .decision.is_stranger)
        << "it is no neighbour of its own";
}

// The Via of who shares a public address with the phone (its neighbour behind the same gateway) may
// name the phone's mapping: through a NAT that proves nothing.
TEST(Outward, AViaDoesNotMakeANeighbourThePhone) {
    World world;
    world.add({});
    const std::string invite = replace(kInviteOut, "192.168.1.10:5060;branch=z9hG4bKphone1;rport",
                                       "67.194.23.55:32947;branch=z9hG4bKp");
    EXPECT_TRUE(world.from_phone(invite, World::phone_flow(32948)).decision.is_stranger);
    EXPECT_TRUE(world.from_phone(invite).forwarded()) << "the phone itself";
}

TEST(Outward, OfSeveralLinesOnOneFlowTheCallersOwn) {
    World world;
    world.add({});
    const table::ContactId second =
        world.add({.aor = "102@example.com", .uri = "sip:102@192.168.1.10"});
    world.add({.aor = "103@example.com", .uri = "sip:103@192.168.1.10"});
    const std::string from_second = replace(kInviteOut, "From: <sip:100@", "From: <sip:102@");
    EXPECT_EQ(world.from_phone(from_second).decision.contact, second);
    const std::string hidden = replace(kInviteOut, "From: <sip:100@example.com>",
                                       "From: <sip:anonymous@anonymous.invalid>");
    EXPECT_TRUE(world.from_phone(hidden).forwarded()) << "the flow vouches for it, not the From";
}

TEST(Outward, NobodyElseIsRelayedFor) {
    World world;
    world.add({.expires_at_s = 1000});  // it has just expired
    for (const net::Flow& by :
         {World::stranger_flow(), World::phone_flow(), World::phone_flow(32948),
          flow("10.0.0.1", 5080, World::kNat, 32947, 1)}) {
        for (const std::string& text :
             {kInvite, kInviteOut, with_method(kInviteOut, "INVITE", "MESSAGE"),
              with_method(kInvite, "INVITE", "OPTIONS")}) {
            const Sent sent = world.from_phone(text, by);
            EXPECT_TRUE(sent.replied(403)) << text;
            EXPECT_TRUE(sent.decision.is_stranger);
            EXPECT_EQ(sent.decision.flow, by);
        }
        EXPECT_TRUE(world.from_phone(with_method(kInviteOut, "INVITE", "ACK"), by)
                        .dropped_for(DropReason::kStranger));
        EXPECT_TRUE(world.from_phone(with_method(kInviteOut, "INVITE", "CANCEL"), by).replied(481));
    }
}

TEST(Outward, AStrangersFromProvesNothing) {
    World world;
    world.add({});
    EXPECT_TRUE(world.from_stranger(kInviteOut).replied(403));
}

TEST(Outward, RegisterForOthersIsARequestLikeAnyOther) {
    World world;
    world.add({});
    const std::string text =
        with_method(replace(kInviteOut, "sip:200@example.com SIP", "sip:example.net SIP"), "INVITE",
                    "REGISTER");
    EXPECT_TRUE(world.from_phone(text).forwarded());
    EXPECT_TRUE(world.from_stranger(text).replied(403));
}

}  // namespace
}  // namespace pinhole::route
