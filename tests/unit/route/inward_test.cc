// SPDX-License-Identifier: BSD-3-Clause
// Requests from a core peer to a phone.
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::route {
namespace {

std::string branch_of(const Sent& sent) {
    const std::string via = sent.values(sip::HeaderId::kVia).at(0);
    return via.substr(via.find("branch="));
}

TEST(Inward, InviteGoesToTheContactsFlow) {
    World world;
    const table::ContactId id = world.add({});
    const Sent sent = world.from_core(kInvite);
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(sent.decision.flow, World::phone_flow());
    EXPECT_EQ(sent.decision.contact, id);
    EXPECT_TRUE(sent.decision.is_call_in);
    EXPECT_FALSE(sent.decision.is_call_out);
    EXPECT_EQ(sent.first_line(), "INVITE sip:100@192.168.1.10:5060;line=a1b2 SIP/2.0");
    EXPECT_EQ(sent.values(sip::HeaderId::kMaxForwards), (std::vector<std::string>{"68"}));
    const auto vias = sent.values(sip::HeaderId::kVia);
    ASSERT_EQ(vias.size(), 2u);
    EXPECT_TRUE(vias[0].starts_with("SIP/2.0/UDP 198.51.100.1:5060;rport;branch=z9hG4bKF"))
        << vias[0];
    EXPECT_TRUE(vias[1].starts_with("SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKcore1"))
        << vias[1];
    EXPECT_NE(vias[1].find("received=203.0.113.10"), std::string::npos);
    EXPECT_NE(vias[1].find("rport=5060"), std::string::npos);
    const auto routes = sent.values(sip::HeaderId::kRecordRoute);
    ASSERT_EQ(routes.size(), 1u) << "both sides are the same address and port";
    EXPECT_TRUE(routes[0].ends_with("@198.51.100.1:5060;lr>")) << routes[0];
}

TEST(Inward, TheRestIsCopiedByteForByte) {
    World world;
    world.add({});
    const std::string text = crlf(kInvite);
    const Sent sent = world.receive(text, world.peers[0].flow, true);
    ASSERT_TRUE(sent.forwarded());
    const std::string rest = text.substr(text.find("From:"));
    EXPECT_TRUE(sent.text.ends_with(rest)) << sent.text;
}

TEST(Inward, Rfc3261_18_3_BodyBehindContentLengthIsCutOff) {
    World world;
    world.add({});
    const Sent sent = world.from_core(kInvite + "trailing");
    ASSERT_TRUE(sent.forwarded());
    EXPECT_TRUE(sent.text.ends_with("\r\n\r\nv=0\r\n")) << sent.text;
}

TEST(Inward, Rfc3261_7_3_1_FoldsAndBareLineFeedsComeOutPlain) {
    World world;
    world.add({});
    const std::string odd = replace(kInvite, "X-Odd:   kept   as it is \n", "X-Odd: one\n  two\n");
    const Sent folded = world.from_core(odd);
    ASSERT_TRUE(folded.forwarded());
    EXPECT_TRUE(folded.has("\r\nX-Odd: one two\r\n")) << folded.text;
}

TEST(Inward, Rfc3261_16_3_MaxForwards) {
    World world;
    world.add({});
    EXPECT_EQ(world.from_core(replace(kInvite, "Max-Forwards: 69\n", ""))
                  .values(sip::HeaderId::kMaxForwards),
              (std::vector<std::string>{"70"}));
    EXPECT_EQ(world.from_core(replace(kInvite, ": 69", ": 1")).values(sip::HeaderId::kMaxForwards),
              (std::vector<std::string>{"0"}));
    const std::string zero = replace(kInvite, ": 69", ": 0");
    EXPECT_TRUE(world.from_core(zero).replied(483));
    EXPECT_TRUE(world.from_core(with_method(zero, "INVITE", "OPTIONS")).replied(200));
    EXPECT_TRUE(
        world.from_core(with_method(zero, "INVITE", "ACK")).dropped_for(DropReason::kAckNowhere));
}

TEST(Inward, Rfc3261_16_3_ProxyRequire) {
    World world;
    world.add({});
    const std::string text = replace(kInvite, "Max-Forwards: 69", "Proxy-Require: foo, bar");
    const Sent sent = world.from_core(text);
    ASSERT_TRUE(sent.replied(420));
    EXPECT_EQ(sent.values(sip::HeaderId::kUnsupported), (std::vector<std::string>{"foo", "bar"}));
    EXPECT_TRUE(world.from_core(with_method(text, "INVITE", "CANCEL")).forwarded());
    EXPECT_TRUE(world.from_core(with_method(text, "INVITE", "ACK")).forwarded());
    // Require is for the phone.
    EXPECT_TRUE(
        world.from_core(replace(kInvite, "Max-Forwards: 69", "Require: 100rel")).forwarded());
}

TEST(Inward, Rfc3261_16_3_UnknownMethodsPass) {
    World world;
    world.add({});
    for (const char* method :
         {"MESSAGE", "SUBSCRIBE", "NOTIFY", "OPTIONS", "PUBLISH", "FROBNICATE"}) {
        const Sent sent = world.from_core(with_method(kInvite, "INVITE", method));
        EXPECT_TRUE(sent.forwarded()) << method;
        EXPECT_FALSE(sent.decision.is_call_in);
    }
}

TEST(Inward, Rfc3261_8_2_2_1_WhoIsNotHere) {
    World world;
    world.add({.expires_at_s = 1000});  // now
    const struct {
        const char* uri;
        unsigned code;
    } cases[] = {
        {"sip:100@example.com", 480},   {"sip:101@example.com", 404}, {"sip:100@example.net", 404},
        {"sip:100@192.168.1.10", 404},  {"tel:+15551234", 416},       {"sips:100@example.com", 416},
        {"sip:100@example.com:9", 404},
    };
    for (const auto& c : cases) {
        const std::string text =
            replace(kInvite, "sip:100@example.com SIP", c.uri + std::string(" SIP"));
        EXPECT_TRUE(world.from_core(text).replied(c.code)) << c.uri << world.from_core(text).text;
        if (std::string_view(c.uri).starts_with("sip:")) {
            EXPECT_TRUE(world.from_core(with_method(text, "INVITE", "ACK"))
                            .dropped_for(DropReason::kAckNowhere));
        }
    }
    EXPECT_TRUE(world.from_core(with_method(kInvite, "INVITE", "CANCEL")).replied(481));
}

TEST(Inward, TheAorInItsManyForms) {
    World world;
    world.add({});
    for (const char* uri : {"sip:100@EXAMPLE.com", "sip:%31%30%30@example.com",
                            "sip:100@example.com:5060", "sip:100@example.com;user=phone",
                            "sip:100@198.51.100.1", "sip:100@198.51.100.1:5060;transport=udp"}) {
        EXPECT_TRUE(
            world.from_core(replace(kInvite, "sip:100@example.com SIP", uri + std::string(" SIP")))
                .forwarded())
            << uri;
    }
}

struct Order {
    std::uint16_t q[2];
    table::Reach reach[2];
    std::uint32_t refreshed_at_ms[2];
    int best;  // -1: none
};
TEST(Inward, Rfc3261_16_5_BestContact) {
    using enum table::Reach;
    const Order fail[] = {
        {{1000, 500}, {kUnknown, kReachable}, {0, 9}, 0},
        {{1000, 1000}, {kUnknown, kReachable}, {9, 0}, 1},
        {{1000, 1000}, {kReachable, kReachable}, {0, 9}, 1},
        {{1000, 1000}, {kUnknown, kUnknown}, {0xffff'fff0u, 5}, 1},  // the clock has wrapped
        {{1000, 500}, {kUnreachable, kUnknown}, {9, 0}, 1},
        {{1000, 1000}, {kUnreachable, kUnreachable}, {9, 0}, -1},
    };
    for (const Order& order : fail) {
        World world;
        const net::Flow flows[2] = {World::phone_flow(1), World::phone_flow(2)};
        for (int i = 0; i < 2; ++i) {
            world.set_reach(world.add({.uri = "sip:100@192.168.1." + std::to_string(i),
                                       .flow = flows[i],
                                       .q = order.q[i],
                                       .refreshed_at_ms = order.refreshed_at_ms[i]}),
                            order.reach[i]);
        }
        const Sent sent = world.from_core(kInvite);
        if (order.best < 0) {
            EXPECT_TRUE(sent.replied(480));
            world.call_unreachable = true;
            EXPECT_TRUE(world.from_core(kInvite).forwarded());
        } else {
            ASSERT_TRUE(sent.forwarded());
            EXPECT_EQ(sent.decision.flow, flows[order.best]);
        }
    }
}

// Its port may be another phone's by now: nothing rings there, whatever else is tried.
TEST(Inward, ASuspectGetsNoCalls) {
    World world;
    world.set_reach(world.add({.flags = table::kSuspect}), table::Reach::kReachable);
    world.call_unreachable = true;
    EXPECT_TRUE(world.from_core(kInvite).replied(480));
    world.redirect = true;
    EXPECT_TRUE(world.from_core(kInvite).replied(480));
    world.redirect = false;
    world.add({.uri = "sip:100@192.168.1.11", .flow = World::phone_flow(40000), .q = 100});
    EXPECT_EQ(world.from_core(kInvite).decision.flow, World::phone_flow(40000));
}

TEST(Inward, Rfc3261_16_11_WhatBelongsToTheInviteFollowsIt) {
    World world;
    world.add({});
    const Sent invite = world.from_core(kInvite);
    world.move("100@example.com", World::phone_flow(40000));
    const std::string ack = replace(with_method(kInvite, "INVITE", "ACK"), "example.com>\nCall",
                                    "example.com>;tag=t9\nCall");
    for (const std::string& text : {kInvite, with_method(kInvite, "INVITE", "CANCEL"), ack}) {
        const Sent sent = world.from_core(text);
        ASSERT_TRUE(sent.forwarded()) << text;
        EXPECT_EQ(sent.decision.flow, World::phone_flow()) << "where the INVITE went";
        EXPECT_EQ(branch_of(sent), branch_of(invite));
        EXPECT_NE(sent.first_line().find(" sip:100@192.168.1.10:5060;line=a1b2 "),
                  std::string::npos);
    }
    EXPECT_EQ(world.from_core(kInvite).text, invite.text)
        << "a retransmission is the same to the byte";
    const Sent next = world.from_core(replace(kInvite, "core1", "core2"));
    EXPECT_EQ(next.decision.flow, World::phone_flow(40000)) << "a new INVITE is looked up anew";
}

TEST(Inward, Rfc3261_16_11_CancelFollowsThoughTheBindingIsGone) {
    World world;
    const table::ContactId id = world.add({});
    ASSERT_TRUE(world.from_core(kInvite).forwarded());
    world.remove(id);
    EXPECT_TRUE(world.from_core(with_method(kInvite, "INVITE", "CANCEL")).forwarded());
    world.now_us += 181'000'000;
    EXPECT_TRUE(world.from_core(with_method(kInvite, "INVITE", "CANCEL")).replied(481));
}

TEST(Inward, LongContactUrisArePinnedByTheirContact) {
    World world;
    const std::string uri = "sip:100@192.168.1.10;x=" + std::string(300, 'y');
    world.add({.uri = uri});
    ASSERT_TRUE(world.from_core(kInvite).forwarded());
    const Sent cancel = world.from_core(with_method(kInvite, "INVITE", "CANCEL"));
    EXPECT_EQ(cancel.first_line(), "CANCEL " + uri + " SIP/2.0");
}

TEST(Inward, ANewKeyDoesNotChangeACallInProgress) {
    World world;
    world.add({});
    const tokens::MasterKey old{.id = 1, .bytes = {1, 2, 3}};
    const Sent invite = world.from_core(kInvite);
    world.use_keys({{.id = 2, .bytes = {4}}, old});
    EXPECT_EQ(branch_of(world.from_core(with_method(kInvite, "INVITE", "CANCEL"))),
              branch_of(invite));
    EXPECT_TRUE(world.from_phone(answer_to(invite, 200)).forwarded());
}

TEST(Inward, Rfc3261_16_11_TheSameBranchAfterARestart) {
    World before;
    World after;
    before.add({});
    after.add({});
    EXPECT_EQ(before.from_core(kInvite).text, after.from_core(kInvite).text);
}

TEST(Inward, Ipv6) {
    const net::Flow phone = flow("2001:db8::1", 5060, "2001:db8:5::9", 40000);
    World world;
    world.add({.uri = "sip:100@[2001:db8:5::9]:40000", .flow = phone});
    const Sent sent = world.from_core(kInvite);
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(sent.decision.flow, phone);
    EXPECT_TRUE(sent.has("Via: SIP/2.0/UDP [2001:db8::1]:5060;rport;"));
    const auto routes = sent.values(sip::HeaderId::kRecordRoute);
    ASSERT_EQ(routes.size(), 2u) << "the sides differ in family (RFC 5658)";
    EXPECT_TRUE(routes[0].ends_with("@[2001:db8::1]:5060;lr>")) << routes[0];
    EXPECT_TRUE(routes[1].ends_with("@198.51.100.1:5060;lr>")) << routes[1];
    const Sent answer = world.from_phone(answer_to(sent, 200), phone);
    ASSERT_TRUE(answer.forwarded());
    EXPECT_EQ(answer.decision.flow, world.peers[0].flow);
}

TEST(Inward, LargeInvites) {
    World world;
    world.add({});
    std::string vias;
    for (int i = 0; i < 20; ++i) {
        vias += "Via: SIP/2.0/UDP 203.0.113.99;branch=z9hG4bKhop" + std::to_string(i) + "\n";
    }
    std::string sdp;
    while (sdp.size() < 7000) {
        sdp += "a=rtpmap:96 something/8000\r\n";
    }
    std::string text = crlf(replace(kInvite, "Max-Forwards", vias + "Max-Forwards"));
    text = replace(text, "Content-Length: 5\r\n\r\nv=0\r\n",
                   "Content-Length: " + std::to_string(sdp.size()) + "\r\n\r\n" + sdp);
    ASSERT_GT(text.size(), 8000u);
    const Sent sent = world.receive(text, world.peers[0].flow, true);
    ASSERT_TRUE(sent.forwarded());
    EXPECT_TRUE(sent.text.ends_with("\r\n\r\n" + sdp)) << "SDP is never touched";
    EXPECT_EQ(sent.values(sip::HeaderId::kVia).size(), 22u);
}

TEST(Inward, NeverWritesPastItsRoom) {
    World world;
    world.add({});
    const std::size_t whole = world.from_core(kInvite).text.size();
    for (std::size_t room = 0; room < whole; room += 7) {
        EXPECT_TRUE(world.receive(kInvite, world.peers[0].flow, true, room)
                        .dropped_for(DropReason::kTooLarge))
            << room;
    }
    EXPECT_TRUE(world.receive(kInvite, world.peers[0].flow, true, whole).forwarded());
}

TEST(Inward, WhatTellsDialogsAndTransactionsApartMustBeReadable) {  // RFC 3261 §16.3 step 1
    struct Case {
        const char* what;
        const char* with;
        const char* reason;
    };
    for (const Case& c :
         {Case{"From: \"Bob\"", "From: \"Bob", "Bad From"},
          Case{"<sip:200@", "sip:2 00@", "Bad From"},
          Case{"To: <sip:100@example.com>", "To: <sip:100@example.com", "Bad To"},
          Case{"To: <sip:100@example.com>", "To:", "Bad To"},
          Case{"rport\n", "rport, SIP/2.0/UDP\n", "Bad Via"},
          Case{"rport\n", "rport, SIP/2.0/UDP 192.0.2.1, h\n", "Bad Via"},
          Case{"sip:100@example.com SIP", "sip:100@example.com?Route=x SIP", "Bad Request-URI"}}) {
        World world;
        world.add({});
        const Sent sent = world.from_core(replace(kInvite, c.what, c.with));
        EXPECT_EQ(sent.first_line(), std::string("SIP/2.0 400 ") + c.reason) << c.with;
    }
    // A comma too many misleads nobody.
    World world;
    world.add({});
    EXPECT_TRUE(world.from_core(replace(kInvite, "rport\n", "rport,\n")).forwarded());
}

TEST(Inward, SeveralViasInOneHeader) {
    World world;
    world.add({});
    const Sent sent = world.from_core(replace(
        kInvite, ";rport\n", ";rport , SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKx,\n SIP/2.0/TCP a\n"));
    ASSERT_TRUE(sent.forwarded());
    const auto vias = sent.values(sip::HeaderId::kVia);
    ASSERT_EQ(vias.size(), 4u) << sent.text;
    EXPECT_EQ(vias[2], "SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKx");
    EXPECT_EQ(vias[3], "SIP/2.0/TCP a");
}

}  // namespace
}  // namespace pinhole::route
