// SPDX-License-Identifier: BSD-3-Clause
// mode = "redirect": a core peer is told where the phones are, and comes back for them.
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pinhole::route {
namespace {

struct RedirectWorld : World {
    explicit RedirectWorld(bool separate = false) : World(separate) { redirect = true; }
};

// The URIs of a 302, in order.
std::vector<std::string> edge_uris(const Sent& sent) {
    std::vector<std::string> out;
    for (const std::string& contact : sent.values(sip::HeaderId::kContact)) {
        out.push_back(contact.substr(1, contact.find('>') - 1));
    }
    return out;
}

// As a core follows a 302: the same Call-ID, another branch and CSeq.
std::string followed(const std::string& uri, const std::string& branch = "core2") {
    std::string text = replace(kInvite, "sip:100@example.com SIP", uri + " SIP");
    return replace(replace(text, "core1", branch), "CSeq: 1", "CSeq: 2");
}

TEST(Redirect, Rfc3261_8_3_EachLiveContactBestFirst) {
    RedirectWorld world;
    world.add({.flow = World::phone_flow(1), .q = 250});
    world.add({.uri = "sip:100@192.168.1.11", .flow = World::phone_flow(2)});
    world.add({.uri = "sip:100@192.168.1.12", .flow = World::phone_flow(3), .expires_at_s = 1000});
    const table::ContactId dead =
        world.add({.uri = "sip:100@192.168.1.13", .flow = World::phone_flow(4)});
    const table::ContactId proven =
        world.add({.uri = "sip:100@192.168.1.14", .flow = World::phone_flow(5), .q = 250});
    world.set_reach(dead, table::Reach::kUnreachable);
    world.set_reach(proven, table::Reach::kReachable);
    const Sent sent = world.from_core(kInvite);
    ASSERT_TRUE(sent.replied(302)) << sent.text;
    EXPECT_EQ(sent.decision.flow, world.peers[0].flow);
    const auto contacts = sent.values(sip::HeaderId::kContact);
    ASSERT_EQ(contacts.size(), 3u) << sent.text;
    EXPECT_TRUE(contacts[0].ends_with("@198.51.100.1:5060>;q=1")) << contacts[0];
    EXPECT_TRUE(contacts[1].ends_with("@198.51.100.1:5060>;q=0.25")) << contacts[1];
    const std::uint16_t mapped[] = {2, 5, 1};
    const auto uris = edge_uris(sent);
    for (std::size_t i = 0; i < 3; ++i) {
        const Sent call = world.from_core(followed(uris[i], "fork" + std::to_string(i)));
        ASSERT_TRUE(call.forwarded()) << uris[i];
        EXPECT_EQ(call.decision.flow, World::phone_flow(mapped[i])) << "all may be called at once";
        EXPECT_TRUE(call.decision.is_call_in);
    }
    world.call_unreachable = true;
    EXPECT_EQ(world.from_core(kInvite).values(sip::HeaderId::kContact).size(), 4u);
    EXPECT_EQ(world.from_core(kInvite).text, world.from_core(kInvite).text)
        << "a retransmission gets the same answer";
}

TEST(Redirect, TheCallThatFollows) {
    RedirectWorld world(true);
    world.add({});
    const Sent sent = world.from_core(kInvite);
    const auto uris = edge_uris(sent);
    ASSERT_EQ(uris.size(), 1u);
    EXPECT_TRUE(uris[0].ends_with("@10.0.0.1:5080")) << "where the core reaches us: " << uris[0];
    // The ACK to the 302 ends here.
    const std::string to = sent.values(sip::HeaderId::kTo).at(0);
    EXPECT_TRUE(world
                    .from_core(replace(with_method(kInvite, "INVITE", "ACK"),
                                       "To: <sip:100@example.com>", "To: " + to))
                    .dropped_for(DropReason::kAbsorbedAck));
    const Sent call = world.from_core(followed(uris[0]));
    ASSERT_TRUE(call.forwarded());
    EXPECT_EQ(call.decision.flow, World::phone_flow());
    EXPECT_EQ(call.first_line(), "INVITE sip:100@192.168.1.10:5060;line=a1b2 SIP/2.0");
    EXPECT_EQ(call.values(sip::HeaderId::kRecordRoute).size(), 2u);
    EXPECT_TRUE(world.from_phone(answer_to(call, 200)).forwarded());
    // What belongs to the INVITE follows it.
    world.move("100@example.com", World::phone_flow(40000));
    for (const char* method : {"INVITE", "CANCEL", "ACK"}) {
        const Sent same = world.from_core(with_method(followed(uris[0]), "INVITE", method));
        ASSERT_TRUE(same.forwarded()) << method;
        EXPECT_EQ(same.decision.flow, World::phone_flow());
    }
    // The dialog follows its Record-Route, and the URI means the phone wherever it is by now.
    const std::string route = call.values(sip::HeaderId::kRecordRoute).at(1);
    std::string bye = replace(with_method(followed("sip:100@192.168.1.10", "bye"), "INVITE", "BYE"),
                              "Max-Forwards: 69", "Route: " + route);
    bye = replace(bye, "To: <sip:100@example.com>", "To: <sip:100@example.com>;tag=t9");
    EXPECT_EQ(world.from_core(bye).decision.flow, World::phone_flow(40000));
    EXPECT_EQ(world.from_core(followed(uris[0], "again")).decision.flow, World::phone_flow(40000));
}

TEST(Redirect, WhatIsRedirected) {
    RedirectWorld world;
    world.add({});
    for (const char* method : {"OPTIONS", "MESSAGE", "SUBSCRIBE", "NOTIFY", "FROBNICATE"}) {
        EXPECT_TRUE(world.from_core(with_method(kInvite, "INVITE", method)).replied(302)) << method;
    }
    EXPECT_TRUE(world.from_core(with_method(kInvite, "INVITE", "CANCEL")).replied(481));
    EXPECT_TRUE(world.from_core(with_method(kInvite, "INVITE", "ACK"))
                    .dropped_for(DropReason::kAckNowhere));
    EXPECT_TRUE(world
                    .from_core(replace(kInvite, "To: <sip:100@example.com>",
                                       "To: <sip:100@example.com>;tag=t9"))
                    .forwarded())
        << "a dialog is not sent elsewhere";
    EXPECT_TRUE(world.from_phone(kInviteOut).forwarded()) << "a phone's own call is the core's";
    EXPECT_TRUE(world.from_stranger(kInvite).replied(403));
}

TEST(Redirect, WhoIsNotHere) {
    RedirectWorld world;
    world.add({.expires_at_s = 1000});  // now
    const struct {
        const char* uri;
        unsigned code;
    } cases[] = {
        {"sip:100@example.com", 480},
        {"sip:101@example.com", 404},
        {"sip:100@example.net", 404},
        {"sips:100@example.com", 416},
    };
    for (const auto& c : cases) {
        EXPECT_TRUE(
            world
                .from_core(replace(kInvite, "sip:100@example.com SIP", c.uri + std::string(" SIP")))
                .replied(c.code))
            << c.uri;
    }
}

TEST(Redirect, AnEdgeUriWhosePhoneIsAway) {
    RedirectWorld world;
    const table::ContactId id = world.add({});
    const std::string invite = followed(edge_uris(world.from_core(kInvite)).at(0));
    world.set_reach(id, table::Reach::kUnreachable);
    EXPECT_TRUE(world.from_core(invite).replied(480));
    world.call_unreachable = true;
    EXPECT_TRUE(world.from_core(replace(invite, "core2", "core3")).forwarded());
    world.remove(id);
    world.add({.aor = "102@example.com", .uri = "sip:102@192.168.1.10"});  // in its slot, perhaps
    EXPECT_TRUE(world.from_core(invite).replied(480));
    EXPECT_TRUE(world.from_core(with_method(invite, "INVITE", "CANCEL")).replied(481));
}

TEST(Redirect, AnEdgeUriIsForOneCallOfOnePeer) {
    RedirectWorld world;
    world.add({});
    const std::string uri = edge_uris(world.from_core(kInvite)).at(0);
    const std::string invite = followed(uri);
    EXPECT_TRUE(world.from_core(replace(invite, "call-1", "call-2")).replied(404));
    std::string forged = uri;
    forged[10] = forged[10] == 'A' ? 'B' : 'A';
    EXPECT_TRUE(world.from_core(followed(forged)).replied(404));
    EXPECT_TRUE(world.from_core(followed(replace(uri, "198.51.100.1", "192.0.2.9"))).replied(404));
    EXPECT_TRUE(world.from_stranger(invite).replied(403)) << "only a core peer is relayed for";
    const Sent from_phone = world.from_phone(invite);
    ASSERT_TRUE(from_phone.forwarded());
    EXPECT_EQ(from_phone.decision.flow, world.peers[0].flow) << "what a phone says is the core's";
    world.redirect = false;
    EXPECT_TRUE(world.from_core(invite).forwarded()) << "calls outlive a change of the mode";
}

TEST(Redirect, AnEdgeUriIsNoRouteAndNoRouteIsATarget) {
    RedirectWorld world;
    world.add({});
    const std::string uri = edge_uris(world.from_core(kInvite)).at(0);
    const Sent call = world.from_core(followed(uri));
    const std::string route = call.values(sip::HeaderId::kRecordRoute).at(0);
    const std::string as_route = replace(followed("sip:100@192.168.1.10", "core8"),
                                         "Max-Forwards: 69", "Route: <" + uri + ";lr>");
    EXPECT_TRUE(world.from_core(as_route).replied(430));
    EXPECT_TRUE(world.from_stranger(as_route).replied(403));
    const std::string target = route.substr(1, route.find(';') - 1);
    EXPECT_TRUE(world.from_core(followed(target, "core9")).replied(404));
}

}  // namespace
}  // namespace pinhole::route
