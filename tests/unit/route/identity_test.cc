// SPDX-License-Identifier: BSD-3-Clause
// Who a phone is, toward the core: not what it says, but what it registered (RFC 3325).
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pinhole::route {
namespace {

using sip::HeaderId;

const std::string kClaims =
    "P-Asserted-Identity: <sip:police@example.com>, <tel:110>\n"
    "Remote-Party-ID: <sip:police@example.com>;party=calling\n"
    "p-preferred-identity: <sip:police@example.com>\n"
    "P-Asserted-Identity: <sip:mayor@example.com>\n"
    "Privacy: id\n";

std::string claiming(const std::string& text) {
    return replace(text, "Call-ID:", kClaims + "Call-ID:");
}

using Values = std::vector<std::string>;

TEST(Identity, TheRegisteredAorIsAsserted) {
    World world;
    world.add({});
    const Sent sent = world.from_phone(claiming(kInviteOut));
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(sent.values(HeaderId::kPAssertedIdentity), Values{"<sip:100@example.com>"});
    EXPECT_FALSE(sent.has("police") || sent.has("mayor") || sent.has("tel:110")) << sent.text;
    EXPECT_EQ(sent.values(HeaderId::kPrivacy), Values{"id"}) << "the core acts on it";
    EXPECT_TRUE(sent.has("\r\nCall-ID: out-1@192.168.1.10\r\n")) << sent.text;
    EXPECT_EQ(world.from_phone(kInviteOut).values(HeaderId::kPAssertedIdentity),
              Values{"<sip:100@example.com>"})
        << "also of who claims nothing";
}

TEST(Identity, BesideRoutesThatAreTakenOff) {
    World world;
    world.add({});
    const Sent sent = world.from_phone(replace(
        claiming(kInviteOut), "Max-Forwards: 70\n",
        "Remote-Party-ID: <sip:police@b>\nRoute: <sip:example.com;lr>, <sip:a.example.net;lr>\n"
        "Remote-Party-ID: <sip:police@c>\nRoute: <sip:b.example.net;lr>\n"));
    ASSERT_TRUE(sent.forwarded());
    EXPECT_FALSE(sent.has("police")) << sent.text;
    EXPECT_EQ(sent.values(HeaderId::kRoute),
              (Values{"<sip:a.example.net;lr>", "<sip:b.example.net;lr>"}));
}

TEST(Identity, OfSeveralOnOneFlow) {
    World world;
    world.add({});
    world.add({.aor = "102@example.com", .uri = "sip:102@192.168.1.10"});
    const struct {
        const char* from;
        const char* aor;
    } cases[] = {
        {"<sip:102@example.com>", "<sip:102@example.com>"},
        {"\"x\" <sip:%3102@EXAMPLE.com>", "<sip:102@example.com>"},
        {"<sip:100@example.com>", "<sip:100@example.com>"},
    };
    for (const auto& c : cases) {
        const std::string text =
            replace(kInviteOut, "From: <sip:100@example.com>", std::string("From: ") + c.from);
        EXPECT_EQ(world.from_phone(text).values(HeaderId::kPAssertedIdentity), Values{c.aor})
            << c.from;
    }
    for (const char* from : {"<sip:anonymous@anonymous.invalid>", "<sip:police@example.com>"}) {
        const auto asserted = world.from_phone(replace(kInviteOut, "<sip:100@example.com>", from))
                                  .values(HeaderId::kPAssertedIdentity);
        ASSERT_EQ(asserted.size(), 1u);
        EXPECT_TRUE(asserted[0] == "<sip:100@example.com>" ||
                    asserted[0] == "<sip:102@example.com>")
            << asserted[0];
    }
}

TEST(Identity, AnotherFlowsAorIsNotAsserted) {
    World world;
    world.add({});
    world.add({.aor = "102@example.com",
               .uri = "sip:102@192.168.1.11",
               .flow = World::phone_flow(40000)});
    const std::string posing = replace(kInviteOut, "From: <sip:100@", "From: <sip:102@");
    EXPECT_EQ(world.from_phone(posing).values(HeaderId::kPAssertedIdentity),
              Values{"<sip:100@example.com>"});
}

// The port may be another phone's by now: what comes from there is not the AOR's until it has shown
// a password.
TEST(Identity, NorIsASuspects) {
    World world;
    world.add({.flags = table::kSuspect});
    const std::string anonymous = replace(kInviteOut, "sip:100@example.com", "sip:a@b.invalid");
    EXPECT_TRUE(world.from_phone(kInviteOut).decision.is_stranger);
    EXPECT_TRUE(world.from_phone(anonymous).decision.is_stranger);
    world.add({.aor = "102@example.com", .uri = "sip:102@192.168.1.11"});
    EXPECT_EQ(world.from_phone(anonymous).values(HeaderId::kPAssertedIdentity),
              Values{"<sip:102@example.com>"});
}

TEST(Identity, WhatMustBeEscapedIs) {
    World world;
    world.add({.aor = "a%22%3Eb@example.com"});
    EXPECT_EQ(world.from_phone(kInviteOut).values(HeaderId::kPAssertedIdentity),
              Values{"<sip:a%22%3Eb@example.com>"});
}

TEST(Identity, NeitherAckNorCancelAsserts) {
    World world;
    world.add({});
    for (const char* method : {"ACK", "CANCEL"}) {
        const Sent sent = world.from_phone(with_method(claiming(kInviteOut), "INVITE", method));
        ASSERT_TRUE(sent.forwarded()) << method;
        EXPECT_TRUE(sent.values(HeaderId::kPAssertedIdentity).empty()) << method;
        EXPECT_FALSE(sent.has("police")) << method;
    }
}

TEST(Identity, InADialogTheFlowVouches) {
    World world;
    world.add({});
    const Sent invite = world.from_core(kInvite);
    const std::string route = invite.values(HeaderId::kRecordRoute).at(0);
    std::string bye = with_method(claiming(kInviteOut), "INVITE", "BYE");
    bye = replace(bye, "Call-ID: out-1@192.168.1.10", "Call-ID: call-1@core\nRoute: " + route);
    const Sent known = world.from_phone(bye);
    ASSERT_TRUE(known.forwarded());
    EXPECT_EQ(known.values(HeaderId::kPAssertedIdentity), Values{"<sip:100@example.com>"});
    const Sent rebound = world.from_phone(bye, World::phone_flow(50000));
    ASSERT_TRUE(rebound.forwarded()) << "the token is enough to pass";
    EXPECT_TRUE(rebound.values(HeaderId::kPAssertedIdentity).empty()) << "but not to be believed";
    EXPECT_FALSE(rebound.has("police"));
}

TEST(Identity, APhonesResponseClaimsNothing) {
    World world;
    world.add({});
    const std::string answer = answer_to(world.from_core(kInvite), 200);
    const Sent sent =
        world.from_phone(replace(answer, "\r\nCall-ID:", crlf("\n" + kClaims + "Call-ID:")));
    ASSERT_TRUE(sent.forwarded());
    EXPECT_TRUE(sent.values(HeaderId::kPAssertedIdentity).empty()) << sent.text;
    EXPECT_FALSE(sent.has("police"));
    EXPECT_EQ(sent.values(HeaderId::kPrivacy), Values{"id"});
}

TEST(Identity, WhatTheCoreAssertsPasses) {
    World world;
    world.add({});
    const std::string claims = crlf(kClaims);
    EXPECT_TRUE(world.receive(crlf(claiming(kInvite)), world.peers[0].flow, true)
                    .has(claims.substr(0, claims.find("p-pref"))));
    const Sent out = world.from_phone(kInviteOut);
    const Sent answer =
        world.receive(replace(answer_to(out, 200), "\r\nCall-ID:", "\r\n" + claims + "Call-ID:"),
                      world.peers[0].flow, true);
    ASSERT_TRUE(answer.forwarded());
    EXPECT_EQ(answer.values(HeaderId::kPAssertedIdentity).size(), 3u);
}

TEST(Identity, LeftAloneIfSoConfigured) {
    World world;
    world.assert_identity = false;
    world.add({});
    const Sent sent = world.from_phone(claiming(kInviteOut));
    EXPECT_EQ(sent.values(HeaderId::kPAssertedIdentity).size(), 3u) << sent.text;
    EXPECT_TRUE(sent.has("Remote-Party-ID: <sip:police@example.com>;party=calling\r\n"));
}

}  // namespace
}  // namespace pinhole::route
