// SPDX-License-Identifier: BSD-3-Clause
// What the edge answers itself.
#include "dataplane/route/local.h"

#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::route {
namespace {

const std::string kOptions =
    "OPTIONS sip:198.51.100.1 SIP/2.0\n"
    "Via: SIP/2.0/UDP 192.0.2.66:5060;branch=z9hG4bKlb;rport\n"
    "Max-Forwards: 70\n"
    "From: <sip:probe@balancer.example.net>;tag=b1\n"
    "To: <sip:198.51.100.1>\n"
    "Call-ID: probe-1@balancer.example.net\n"
    "CSeq: 1 OPTIONS\n"
    "User-Agent: a load balancer that looks whether we live\n"
    "Content-Length: 0\n"
    "\n";

TEST(Local, Rfc3261_11_2_OptionsGetOk) {
    World world;
    for (const char* uri : {"sip:198.51.100.1", "sip:198.51.100.1:5060", "sip:example.com",
                            "sip:EXAMPLE.com:5060", "sip:[2001:db8::1]"}) {
        const Sent sent = world.from_stranger(replace(kOptions, "sip:198.51.100.1", uri));
        ASSERT_TRUE(sent.replied(200)) << uri << sent.text;
        EXPECT_EQ(sent.decision.flow, World::stranger_flow());
        EXPECT_TRUE(sent.has("received=192.0.2.66")) << sent.text;
        EXPECT_TRUE(sent.has("rport=5060"));
        EXPECT_EQ(sent.values(sip::HeaderId::kAllow),
                  (std::vector<std::string>{"REGISTER", "OPTIONS", "NOTIFY"}));
        EXPECT_TRUE(sent.has("To: <sip:198.51.100.1>;tag=") ||
                    uri != std::string("sip:198.51.100.1"));
    }
}

TEST(Local, Rfc3261_8_2_7_AnswersAreTheSameForARetransmission) {  // RFC 3261 §8.2.7
    World world;
    EXPECT_EQ(world.from_stranger(kOptions).text, world.from_stranger(kOptions).text);
}

TEST(Local, Rfc3261_8_2_1_OtherMethodsAre405WithAllow) {
    World world;
    for (const char* method : {"INVITE", "SUBSCRIBE", "MESSAGE", "PUBLISH", "FOO", "NOTIFY"}) {
        const Sent sent = world.from_stranger(with_method(kOptions, "OPTIONS", method));
        EXPECT_TRUE(sent.replied(405)) << method;
        EXPECT_FALSE(sent.values(sip::HeaderId::kAllow).empty());
    }
    EXPECT_TRUE(world.from_stranger(with_method(kOptions, "OPTIONS", "CANCEL")).replied(481));
    EXPECT_TRUE(world.from_stranger(with_method(kOptions, "OPTIONS", "ACK"))
                    .dropped_for(DropReason::kAckNowhere));
}

TEST(Local, Rfc3261_8_2_2_3_UnknownRequireIs420) {
    World world;
    const Sent sent = world.from_stranger(
        replace(kOptions, "Max-Forwards: 70\n", "Require: foo, bar\nRequire: baz\n"));
    ASSERT_TRUE(sent.replied(420)) << sent.text;
    EXPECT_EQ(sent.values(sip::HeaderId::kUnsupported),
              (std::vector<std::string>{"foo", "bar", "baz"}));
    EXPECT_TRUE(
        world.from_stranger(replace(kOptions, "Max-Forwards: 70", "Require:")).replied(200));
    EXPECT_TRUE(world.from_stranger(replace(kOptions, "Max-Forwards: 70", "Require:\nRequire: foo"))
                    .replied(420));
    const std::string long_require = "Require: " + std::string(600, 'r') + "\n";
    EXPECT_TRUE(
        world.from_stranger(replace(kOptions, "Max-Forwards: 70\n", long_require)).replied(400));
    // 405 comes first (RFC 3261 §8.2.1).
    EXPECT_TRUE(world
                    .from_stranger(with_method(
                        replace(kOptions, "Max-Forwards: 70", "Require: foo"), "OPTIONS", "INVITE"))
                    .replied(405));
}

TEST(Local, BrokenRequestsGetAReason) {
    World world;
    const Sent version = world.from_stranger(replace(kOptions, "SIP/2.0\nVia", "SIP/3.0\nVia"));
    EXPECT_TRUE(version.replied(505)) << version.text;
    const Sent length =
        world.from_stranger(replace(kOptions, "Content-Length: 0", "Content-Length: 9"));
    EXPECT_TRUE(length.replied(400)) << length.text;
    EXPECT_FALSE(length.first_line().starts_with("SIP/2.0 400 Bad Request"))
        << "it says what is bad";
    const Sent uri = world.from_stranger(replace(kOptions, "sip:198.51.100.1 SIP", "sip:@ SIP"));
    EXPECT_TRUE(uri.replied(400)) << uri.text;
    EXPECT_TRUE(world.from_stranger("hello\n\n").dropped_for(DropReason::kNotSip));
    EXPECT_TRUE(world.from_stranger("\n\n").dropped_for(DropReason::kKeepalive));
    EXPECT_TRUE(world.from_stranger(replace(kOptions, "Via: SIP/2.0/UDP 192.0.2.66:5060", "Via: x"))
                    .dropped_for(DropReason::kMalformed))
        << "an answer would not find its way";
    EXPECT_TRUE(world.from_stranger(replace(kOptions, "Via: ", "Via:\nVia: "))
                    .dropped_for(DropReason::kMalformed));
    EXPECT_TRUE(world.from_stranger(replace(kOptions, "CSeq: ", "X-CSeq: "))
                    .dropped_for(DropReason::kMalformed))
        << "SIP, but nothing to address an answer by";
}

TEST(Local, KeepAliveNoiseIsAnswered) {
    World world;
    const std::string notify = replace(with_method(kOptions, "OPTIONS", "NOTIFY"),
                                       "Max-Forwards: 70", "Event: keep-alive");
    for (const char* uri : {"sip:198.51.100.1", "sip:100@example.com"}) {
        EXPECT_TRUE(
            world.from_stranger(replace(notify, "sip:198.51.100.1 SIP", uri + std::string(" SIP")))
                .replied(200))
            << uri;
    }
}

TEST(Local, Rfc3261_8_2_7_AckToOurAnswerIsAbsorbed) {
    World world;
    const Sent refusal = world.from_stranger(kInvite);
    ASSERT_TRUE(refusal.replied(403));
    const std::string to = refusal.values(sip::HeaderId::kTo).at(0);
    const std::string ack =
        replace(with_method(kInvite, "INVITE", "ACK"), "To: <sip:100@example.com>", "To: " + to);
    EXPECT_TRUE(world.from_stranger(ack).dropped_for(DropReason::kAbsorbedAck));
    EXPECT_TRUE(world.from_core(ack).dropped_for(DropReason::kAbsorbedAck));
}

// An answer to who has proved nothing is at most 1.5 times what was asked, headers of IP and UDP
// counted.
TEST(Local, NothingAmplifies) {
    World world;
    const std::string shortest =
        "OPTIONS sip:example.com SIP/2.0\nv:SIP/2.0/UDP a\nf:sip:a\nt:sip:a\ni:1\nCSeq:1 "
        "OPTIONS\n\n";
    for (const std::string& text :
         {shortest, kOptions, kInvite, with_method(shortest, "OPTIONS", "X"),
          replace(shortest, "\nf:", "\nRequire:a\nf:")}) {
        const Sent sent = world.from_stranger(text);
        if (sent.decision.kind == Kind::kReply) {
            EXPECT_LE((sent.text.size() + 28) * 2, (crlf(text).size() + 28) * 3) << sent.text;
        } else {
            EXPECT_TRUE(sent.dropped_for(DropReason::kAmplification)) << text;
        }
    }
}

TEST(Local, RegisterForUs) {
    World world;
    sip::Message message;
    const struct {
        const char* line;
        bool ours;
    } cases[] = {{"REGISTER sip:example.com SIP/2.0\n", true},
                 {"REGISTER sip:198.51.100.1 SIP/2.0\n", true},
                 {"REGISTER sip:example.net SIP/2.0\n", false},
                 {"OPTIONS sip:example.com SIP/2.0\n", false}};
    for (const auto& c : cases) {
        const std::string line = c.line;
        const std::string wire = crlf(
            replace(with_method(kOptions, "OPTIONS", line.substr(0, line.find(' '))),
                    kOptions.substr(8, kOptions.find('\n') - 7), line.substr(line.find(' ') + 1)));
        ASSERT_EQ(sip::parse(wire, message), sip::ParseError::kOk) << wire;
        EXPECT_EQ(is_for_registrar(message, world.identity), c.ours) << c.line;
    }
}

}  // namespace
}  // namespace pinhole::route
