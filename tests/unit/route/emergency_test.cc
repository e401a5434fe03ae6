// SPDX-License-Identifier: BSD-3-Clause
// Calls for help: what is one, and that it goes through from any phone, to its end and back.
#include "dataplane/route/emergency.h"

#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace pinhole::route {
namespace {

using Values = std::vector<std::string>;

std::string call_for_help(const std::string& uri = "urn:service:sos") {
    return replace(kInviteOut, "sip:200@example.com SIP", uri + " SIP");
}

std::string with_routes(std::string text, const Values& routes) {
    for (const std::string& route : routes) {
        text = replace(text, "Max-Forwards", "Route: " + route + "\nMax-Forwards");
    }
    return text;
}

TEST(Emergency, WhatIsOne) {
    const World world;
    const struct {
        const char* uri;
        bool is_one;
    } cases[] = {
        {"urn:service:sos", true},
        {"URN:Service:SOS", true},
        {"urn:service:sos.police", true},
        {"urn:service:sos.animal-control", true},
        {"urn:service:sosa", false},
        {"urn:service:counseling", false},
        {"urx:service:sos", false},
        {"service:sos", false},
        {"tel:112", true},
        {"tel:1-1-2;phone-context=+49", true},
        {"tel:(9)11", true},
        {"tel:+112", false},
        {"tel:1122", false},
        {"tel:11", false},
        {"tel:--", false},
        {"tel:11211211211211211211", false},
        {"sip:112@example.com", true},
        {"sips:911@example.com", true},
        {"sip:112@198.51.100.1", true},
        {"sip:112;phone-context=+49@example.com;user=phone", true},
        {"sip:%31%31%32@example.com", true},
        {"sip:112@elsewhere.example", false},
        {"sip:113@example.com", false},
        {"sip:example.com", false},
        {"sip:112.example.com", false},
    };
    for (const auto& c : cases) {
        sip::Uri uri;
        ASSERT_TRUE(sip::parse_uri(c.uri, uri)) << c.uri;
        EXPECT_EQ(world.emergency.is_target(uri, world.identity), c.is_one) << c.uri;
    }
}

TEST(Emergency, WithoutNumbersOnlyTheUrn) {
    World world;
    world.emergency = Emergency();
    EXPECT_TRUE(world.from_stranger(call_for_help("tel:112")).replied(403));
    EXPECT_TRUE(world.from_stranger(call_for_help()).forwarded());
}

TEST(Emergency, PassesFromAPhoneThatIsNotRegistered) {
    World world;
    for (const char* uri : {"urn:service:sos.fire", "tel:112", "sip:911@example.com"}) {
        const Sent sent = world.from_stranger(call_for_help(uri));
        ASSERT_TRUE(sent.forwarded()) << uri << sent.text;
        EXPECT_EQ(sent.decision.flow, world.peers[0].flow);
        EXPECT_TRUE(sent.decision.is_emergency);
        EXPECT_TRUE(sent.decision.is_unregistered);
        EXPECT_FALSE(sent.decision.is_stranger);
    }
    const std::string text = with_method(call_for_help(), "INVITE", "MESSAGE");
    EXPECT_TRUE(world.from_stranger(replace(text, "INVITE urn", "MESSAGE urn")).forwarded());
}

TEST(Emergency, ItsCancelAndAckPassAndAreNotCounted) {
    World world;
    for (const std::string method : {"CANCEL", "ACK"}) {
        const std::string text =
            with_method(call_for_help("sip:112@example.com"), "INVITE", method);
        const Sent sent = world.from_stranger(text);
        ASSERT_TRUE(sent.forwarded()) << text;
        EXPECT_FALSE(sent.decision.is_emergency);
    }
}

TEST(Emergency, NothingElsePassesUnderItsName) {
    World world;
    for (const std::string method : {"SUBSCRIBE", "OPTIONS", "BYE", "REFER", "PUBLISH", "FOO"}) {
        EXPECT_TRUE(
            world.from_stranger(with_method(call_for_help("sip:112@example.com"), "INVITE", method))
                .replied(403))
            << method;
    }
    // A Route at its top is not followed either.
    const Sent sent = world.from_stranger(with_routes(call_for_help(), {"<sip:192.0.2.66;lr>"}));
    EXPECT_EQ(sent.decision.flow, world.peers[0].flow);
}

TEST(Emergency, ARegisteredPhoneIsWhoItIs) {
    World world;
    const table::ContactId id = world.add({});
    const Sent sent = world.from_phone(call_for_help());
    ASSERT_TRUE(sent.forwarded());
    EXPECT_TRUE(sent.decision.is_emergency);
    EXPECT_FALSE(sent.decision.is_unregistered);
    EXPECT_EQ(sent.decision.contact, id);
    EXPECT_TRUE(sent.has("P-Asserted-Identity: <sip:100@example.com>"));
}

TEST(Emergency, WhatAnUnregisteredPhoneClaimsGoesNoFurther) {
    World world;
    const Sent sent = world.from_stranger(replace(
        call_for_help(), "Contact:", "P-Asserted-Identity: <sip:king@example.com>\nContact:"));
    ASSERT_TRUE(sent.forwarded());
    EXPECT_FALSE(sent.has("P-Asserted-Identity"));
}

TEST(Emergency, TheOperatorMayDemandARegistration) {
    World world;
    world.emergency = Emergency(std::vector<std::string>{"112"}, false);
    EXPECT_TRUE(world.from_stranger(call_for_help()).replied(403));
    world.add({});
    EXPECT_TRUE(world.from_phone(call_for_help("tel:112")).decision.is_emergency);
}

class EmergencyDialog : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(OneAndTwoRecordRoutes, EmergencyDialog, testing::Bool());

// There is no contact to go by: the token has the flow.
TEST_P(EmergencyDialog, GoesOnInBothDirections) {
    World world(GetParam());
    const net::Flow phone = World::phone_flow(40404);
    const Sent invite = world.receive(call_for_help(), phone, false);
    ASSERT_TRUE(invite.forwarded());
    const Sent answer = world.receive(answer_to(invite, 200), world.peers[0].flow, true);
    ASSERT_TRUE(answer.forwarded());
    EXPECT_EQ(answer.decision.flow, phone);
    Values core_routes = invite.values(sip::HeaderId::kRecordRoute);
    ASSERT_EQ(core_routes.size(), GetParam() ? 2u : 1u);
    Values phone_routes = core_routes;

    std::reverse(phone_routes.begin(), phone_routes.end());
    const std::string bye =
        with_method(replace(kInviteOut, "sip:200@example.com SIP", "sip:100@192.168.1.10:5060 SIP"),
                    "INVITE", "BYE");
    const std::string in_dialog = replace(bye, "example.com>\nCall", "example.com>;tag=t9\nCall");
    const Sent in = world.from_core(with_routes(in_dialog, core_routes));
    ASSERT_TRUE(in.forwarded()) << in.text;
    EXPECT_EQ(in.decision.flow, phone);
    EXPECT_EQ(in.first_line(), "BYE sip:100@192.168.1.10:5060 SIP/2.0");
    EXPECT_TRUE(world.receive(answer_to(in, 200), phone, false).forwarded());
    EXPECT_TRUE(world.receive(answer_to(in, 200), World::phone_flow(40405), false)
                    .dropped_for(DropReason::kWrongSender));

    const Sent out = world.receive(with_routes(in_dialog, phone_routes), phone, false);
    ASSERT_TRUE(out.forwarded()) << out.text;
    EXPECT_EQ(out.decision.flow, world.peers[0].flow);
    EXPECT_TRUE(out.values(sip::HeaderId::kRoute).empty());

    // The same token in another call is worth nothing, and a stranger with it reaches no phone.
    EXPECT_TRUE(world.from_core(with_routes(replace(in_dialog, "out-1@", "out-2@"), core_routes))
                    .replied(430));
    const Sent stranger = world.from_stranger(with_routes(in_dialog, core_routes));
    EXPECT_TRUE(stranger.replied(403) || stranger.decision.flow == world.peers[0].flow);
}

// Two phones' calls with one Call-ID differ in nothing but the flow in their tokens.
TEST(Emergency, ATokenOfAnotherFlowIsNoPartner) {
    World world(true);
    const auto routes_of = [&](std::uint16_t mapped) {
        const Sent invite = world.receive(call_for_help(), World::phone_flow(mapped), false);
        return invite.values(sip::HeaderId::kRecordRoute);  // the core's side first
    };
    const Values mine = routes_of(40404);
    const Values others = routes_of(40405);
    ASSERT_EQ(mine.size(), 2u);
    ASSERT_EQ(others.size(), 2u);
    const auto bye = [&](const std::string& first, const std::string& second) {
        const std::string text =
            with_method(call_for_help("sip:200@203.0.113.10"), "INVITE", "BYE");
        return world.receive(with_routes(text, {first, second}), World::phone_flow(40404), false);
    };
    EXPECT_EQ(bye(mine[1], mine[0]).values(sip::HeaderId::kRoute), Values{});
    EXPECT_EQ(bye(mine[1], others[0]).values(sip::HeaderId::kRoute), Values{others[0]})
        << "another leg's stays";
}

// The core's CANCEL of a re-INVITE and its ACK go where that went.
TEST(Emergency, AReinviteFromTheCoreIsPinned) {
    World world;
    const net::Flow phone = World::phone_flow(40404);
    const Sent invite = world.receive(call_for_help(), phone, false);
    const std::string again =
        replace(replace(kInvite, "sip:100@example.com SIP", "sip:100@192.168.1.10:5060 SIP"),
                "call-1@core", "out-1@192.168.1.10");
    const std::string routed = with_routes(again, invite.values(sip::HeaderId::kRecordRoute));
    const Sent first = world.from_core(routed);
    ASSERT_TRUE(first.forwarded());
    ASSERT_EQ(first.decision.flow, phone);
    const Sent cancel = world.from_core(with_method(again, "INVITE", "CANCEL"));
    ASSERT_TRUE(cancel.forwarded());
    EXPECT_EQ(cancel.decision.flow, phone);
    EXPECT_EQ(cancel.values(sip::HeaderId::kVia)[0], first.values(sip::HeaderId::kVia)[0]);
}

}  // namespace
}  // namespace pinhole::route
