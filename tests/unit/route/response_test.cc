// SPDX-License-Identifier: BSD-3-Clause
// Responses: back by the flow in our branch, and nothing else.
#include "dataplane/route/response.h"

#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::route {
namespace {

TEST(Response, Rfc3261_16_11_GoesBackWhereTheRequestCameFrom) {
    World world;
    world.add({});
    const Sent invite = world.from_core(kInvite);
    for (const unsigned code : {100u, 180u, 200u, 486u, 603u}) {
        const Sent sent = world.from_phone(answer_to(invite, code, "Some Words"));
        ASSERT_TRUE(sent.forwarded()) << code;
        EXPECT_TRUE(sent.decision.is_response);
        EXPECT_EQ(sent.decision.flow, world.peers[0].flow);
        EXPECT_EQ(sent.first_line(), "SIP/2.0 " + std::to_string(code) + " Some Words");
        const auto vias = sent.values(sip::HeaderId::kVia);
        ASSERT_EQ(vias.size(), 1u) << "ours is gone";
        EXPECT_NE(vias[0].find("z9hG4bKcore1"), std::string::npos);
    }
}

TEST(Response, Rfc3261_16_11_ViasInOneHeader) {
    World world;
    world.add({});
    const std::string answer =
        answer_to(world.from_core(with_method(kInvite, "INVITE", "INFO")), 200);
    const std::size_t second = answer.find("\r\nVia: ", answer.find("Via: ") + 1);
    std::string joined = answer;
    joined.replace(second, 7, " ,\t");
    const Sent sent = world.from_phone(joined);
    ASSERT_TRUE(sent.forwarded()) << joined;
    ASSERT_EQ(sent.values(sip::HeaderId::kVia).size(), 1u) << sent.text;
    EXPECT_TRUE(sent.has("\r\nVia: SIP/2.0/UDP 203.0.113.10:5060;")) << sent.text;
}

TEST(Response, GatewaysMayMeddleWithOurHostAndPort) {
    World world;
    world.add({});
    const std::string answer = answer_to(world.from_core(kInvite), 200);
    EXPECT_TRUE(world
                    .from_phone(replace(answer, "UDP 198.51.100.1:5060;rport;",
                                        "UDP 192.168.1.1:1025;received=1.2.3.4;rport=5;"))
                    .forwarded());
}

TEST(Response, OfflinePhoneIsNotAnOfflineEdge) {
    World world;
    world.add({});
    const Sent in =
        world.from_phone(answer_to(world.from_core(kInvite), 503, "Service Unavailable"));
    EXPECT_EQ(in.first_line(), "SIP/2.0 500 Server Internal Error");
    const Sent out =
        world.receive(answer_to(world.from_phone(kInviteOut), 503, "Service Unavailable"),
                      world.peers[0].flow, true);
    EXPECT_EQ(out.first_line(), "SIP/2.0 503 Service Unavailable") << "the core's own stays";
}

TEST(Response, Rfc3261_16_11_ClientsWithoutMagicCookieGetTheirs) {
    World world;
    world.add({});
    const std::string old = replace(kInvite, ";branch=z9hG4bKcore1", ";branch=7");
    const Sent sent = world.from_phone(answer_to(world.from_core(old), 200));
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(sent.decision.flow, world.peers[0].flow);
}

TEST(Response, Rfc3261_16_11_ForgedOnes) {
    World world;
    world.add({});
    const Sent invite = world.from_core(kInvite);
    const std::string good = answer_to(invite, 200);
    const struct {
        std::string text;
        net::Flow by;
        DropReason reason;
    } cases[] = {
        // From elsewhere than the INVITE went, the same host or another.
        {good, World::phone_flow(32948), DropReason::kWrongSender},
        {good, World::stranger_flow(), DropReason::kWrongSender},
        {good, world.peers[0].flow, DropReason::kWrongSender},
        // Another MAC; no branch of ours; none at all.
        {replace(good, "z9hG4bKFB", "z9hG4bKFA"), World::phone_flow(), DropReason::kBadResponse},
        {replace(good, "z9hG4bKF", "z9hG4bKf"), World::phone_flow(), DropReason::kBadResponse},
        {replace(good, "branch=z9hG4bKF", "x="), World::phone_flow(), DropReason::kBadResponse},
        // A victim's Via below ours: whoever was sent one request can't answer another.
        {replace(good, "z9hG4bKcore1", "z9hG4bKvictim"), World::phone_flow(),
         DropReason::kBadResponse},
        // Nothing below ours: then it would be for us.
        {good.substr(0, good.find("Via: SIP/2.0/UDP 203")) + good.substr(good.find("From:")),
         World::phone_flow(), DropReason::kBadResponse},
    };
    for (const auto& c : cases) {
        EXPECT_TRUE(world.from_phone(c.text, c.by).dropped_for(c.reason)) << c.text;
    }
    EXPECT_TRUE(world.from_phone(good).forwarded());
}

TEST(Response, NeverWritesPastItsRoom) {
    World world;
    world.add({});
    const std::string answer = answer_to(world.from_core(kInvite), 200);
    const std::size_t whole = world.from_phone(answer).text.size();
    EXPECT_TRUE(world.receive(answer, World::phone_flow(), false, whole).forwarded());
    for (std::size_t room = 0; room < whole; room += 5) {
        EXPECT_TRUE(world.receive(answer, World::phone_flow(), false, room)
                        .dropped_for(DropReason::kTooLarge));
    }
}

}  // namespace
}  // namespace pinhole::route
