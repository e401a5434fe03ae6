// SPDX-License-Identifier: BSD-3-Clause
// Phones that register, and edges that answer rightly, wrongly, late and never.
#include "tests/unit/load/world.h"

#include <gtest/gtest.h>

#include <set>

namespace pinhole::load {
namespace {

TEST(Registrations, EachPhoneOnceFromAFlowOfItsOwn) {
    World world(small_plan(Play::kRegister));
    const auto sent = world.turn();
    ASSERT_EQ(sent.size(), 10U);
    std::set<std::string> phones;
    std::set<std::string> calls;
    std::set<std::string> flows;
    for (const Sent& s : sent) {
        phones.insert(s.header(sip::HeaderId::kTo));
        calls.insert(s.header(sip::HeaderId::kCallId));
        flows.insert(net::near_end(s.flow));
        EXPECT_EQ(net::far_end(s.flow), "198.51.100.1:5060");
        world.grant(s);
    }
    EXPECT_EQ(phones.size(), 10U);
    EXPECT_EQ(calls.size(), 10U);
    EXPECT_EQ(flows.size(), 10U);
    EXPECT_EQ(world.player->registered(), 10U);
    EXPECT_TRUE(world.turn().empty());
    (void)world.turn();
    EXPECT_TRUE(world.player->over());
    const Tally& tally = world.player->tally(0);
    EXPECT_EQ(tally.done.get(), 10U);
    EXPECT_EQ(tally.answers[200].get(), 10U);
    EXPECT_EQ(tally.new_mappings.get(), 10U);
    EXPECT_EQ(tally.latency.count(), 10U);
    EXPECT_EQ(tally.wrong_in_all(), 0U);
}

TEST(Registrations, AWindowBoundsWhatIsUnderWay) {
    Plan plan = small_plan(Play::kRegister);
    plan.window = 3;
    World world(plan);
    const auto sent = world.turn();
    ASSERT_EQ(sent.size(), 3U);
    EXPECT_TRUE(world.turn().empty());
    world.grant(sent[1]);
    EXPECT_EQ(world.turn().size(), 1U);
}

TEST(Registrations, LatencyCountsFromTheQuestion) {
    Plan plan = small_plan(Play::kRegister);
    plan.phones = plan.gateways = 1;
    World world(plan);
    const auto sent = world.turn();
    world.now += 5 * kMillisecond;
    world.grant(sent[0]);
    EXPECT_EQ(world.tally().latency.percentile(50), 5 * kMillisecond);
}

TEST(Registrations, WhatIsNotAnsweredIsLostAndAskedAgain) {
    World world(small_plan(Play::kRegister));
    auto sent = world.turn();
    for (std::size_t i = 1; i < sent.size(); ++i) {
        world.grant(sent[i]);
    }
    world.now += world.plan.timeout_ns;
    (void)world.turn();
    EXPECT_EQ(world.tally().lost.get(), 1U);
    const auto again = world.turn();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].header(sip::HeaderId::kTo), sent[0].header(sip::HeaderId::kTo));
    EXPECT_NE(again[0].header(sip::HeaderId::kCSeq), sent[0].header(sip::HeaderId::kCSeq));
    // The first answer comes after all: it is late, and registers nobody.
    world.grant(sent[0]);
    EXPECT_EQ(world.tally().late.get(), 1U);
    EXPECT_EQ(world.player->registered(), 9U);
    world.grant(again[0]);
    EXPECT_EQ(world.player->registered(), 10U);
    EXPECT_EQ(world.tally().wrong_in_all(), 0U);
}

TEST(Registrations, GivesUpOnPhonesThatAreNeverAnswered) {
    World world(small_plan(Play::kRegister));
    for (int i = 0; i < 100 && !world.player->over(); ++i) {
        (void)world.turn();
        world.now += world.plan.timeout_ns;
    }
    EXPECT_TRUE(world.player->over());
    EXPECT_EQ(world.tally().lost.get(), 30U);
}

TEST(Registrations, AnAnswerTwiceIsLate) {
    World world(small_plan(Play::kRegister));
    const auto sent = world.turn();
    world.grant(sent[0]);
    world.grant(sent[0]);
    EXPECT_EQ(world.tally().done.get(), 1U);
    EXPECT_EQ(world.tally().late.get(), 1U);
}

TEST(Registrations, WrongAnswersAreErrors) {
    World world(small_plan(Play::kRegister));
    const auto sent = world.turn();
    const std::string right = World::granting(sent[0], 600);
    const std::string phone = "10000000";
    const std::string branch = "-" + phone + "-10000001";

    world.deliver(sent[1], right);
    EXPECT_EQ(world.wrong(Wrong::kOtherPhone), 1U);
    world.deliver(sent[0], replaced(right, branch, "-10000000-10000002"));
    EXPECT_EQ(world.wrong(Wrong::kNotAsked), 1U);
    world.deliver(sent[0], replaced(right, "CSeq: 10000001", "CSeq: 10000002"));
    EXPECT_EQ(world.wrong(Wrong::kNotAsked), 2U);
    world.deliver(sent[0], replaced(right, "z9hG4bK-cafe0001", "z9hG4bK-cafe0002"));
    EXPECT_EQ(world.wrong(Wrong::kNotAsked), 3U);
    world.deliver(sent[0], replaced(right, "Call-ID: 10000000", "Call-ID: 10000001"));
    EXPECT_EQ(world.wrong(Wrong::kOtherCall), 1U);
    world.deliver(sent[0], "SIP/2.0 200 OK\r\n\r\n");
    EXPECT_EQ(world.wrong(Wrong::kUnreadable), 1U);
    world.deliver(sent[0], right, false);
    EXPECT_EQ(world.wrong(Wrong::kChecksum), 1U);
    world.deliver_from(at("198.51.100.2"), 5060, sent[0].flow.ours, sent[0].flow.our_udp_port,
                       right);
    world.deliver_from(world.plan.edge, 5061, sent[0].flow.ours, sent[0].flow.our_udp_port, right);
    EXPECT_EQ(world.wrong(Wrong::kOtherSource), 2U);
    EXPECT_EQ(world.tally().done.get(), 0U) << "none of these answered anything";

    world.deliver(sent[0], World::answer(sent[0], 200));
    EXPECT_EQ(world.wrong(Wrong::kNoContact), 1U);
    world.deliver(sent[1], replaced(World::granting(sent[1], 600), "Contact: <sip:10000001@",
                                    "Contact: <sip:10000002@"));
    EXPECT_EQ(world.wrong(Wrong::kOtherContact), 1U);
    // The own one, and somebody else's besides.
    world.deliver(sent[2], World::answer(sent[2], 200,
                                         "Contact: " + sent[2].header(sip::HeaderId::kContact) +
                                             ", <sip:10000003@10.100.100.100:5060>\r\n"));
    EXPECT_EQ(world.wrong(Wrong::kOtherContact), 2U);
    EXPECT_EQ(world.tally().done.get(), 0U);
    EXPECT_EQ(world.tally().wrong_in_all(), 12U);
}

TEST(Registrations, PacketsToNobodyAreStrays) {
    World world(small_plan(Play::kRegister));
    const auto sent = world.turn();
    world.deliver_from(world.plan.edge, 5060, at("100.64.0.200"), 1024,
                       World::granting(sent[0], 1));
    world.deliver_from(world.plan.edge, 5060, at("100.64.0.1"), 80, World::granting(sent[0], 1));
    EXPECT_EQ(world.tally().strays.get(), 2U);
}

TEST(Registrations, RefusalsAndProvisionalAnswersAreCounted) {
    World world(small_plan(Play::kRegister));
    const auto sent = world.turn();
    world.deliver(sent[0], World::answer(sent[0], 100));
    world.deliver(sent[0], World::answer(sent[0], 403));
    EXPECT_EQ(world.tally().answers[100].get(), 1U);
    EXPECT_EQ(world.tally().answers[403].get(), 1U);
    EXPECT_EQ(world.tally().refused.get(), 1U);
    EXPECT_EQ(world.tally().done.get(), 0U);
}

constexpr const char* kChallenge =
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n";

TEST(Registrations, AChallengeIsAnsweredAndRemembered) {
    Plan plan = small_plan(Play::kRefresh);
    plan.phones = plan.gateways = 1;
    plan.password = "secret";
    World world(plan);
    auto sent = world.turn();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_FALSE(sent[0].has("Authorization"));
    world.deliver(sent[0], World::answer(sent[0], 401, kChallenge));
    sent = world.taken();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(sent[0].has("nc=00000001"));
    EXPECT_TRUE(sent[0].has("CSeq: 10000002"));
    world.grant(sent[0]);
    EXPECT_EQ(world.tally().challenged.get(), 1U);
    EXPECT_EQ(world.tally().done.get(), 1U);
    (void)world.turn();
    (void)world.turn();
    sent = world.turn();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(world.player->phases_begun(), 2U);
    EXPECT_TRUE(sent[0].has("nc=00000002")) << "unasked, with the same nonce";
}

TEST(Registrations, AWrongPasswordIsARefusal) {
    Plan plan = small_plan(Play::kRegister);
    plan.phones = plan.gateways = 1;
    plan.password = "wrong";
    World world(plan);
    auto sent = world.turn();
    for (int i = 0; i < 2; ++i) {
        world.deliver(sent[0], World::answer(sent[0], 401, kChallenge));
        sent = world.taken();
        ASSERT_EQ(sent.size(), 1U);
    }
    world.deliver(sent[0], World::answer(sent[0], 401, kChallenge));
    EXPECT_TRUE(world.taken().empty());
    EXPECT_EQ(world.tally().refused.get(), 1U);
    EXPECT_EQ(world.tally().challenged.get(), 2U);
    EXPECT_EQ(world.tally().answers[401].get(), 3U);
}

TEST(Registrations, WithoutAPasswordAChallengeIsARefusal) {
    World world(small_plan(Play::kRegister));
    const auto sent = world.turn();
    world.deliver(sent[0], World::answer(sent[0], 401, kChallenge));
    EXPECT_TRUE(world.taken().empty());
    EXPECT_EQ(world.tally().refused.get(), 1U);
}

TEST(Registrations, RefreshesGoOnUntilTheirNumberIsReached) {
    Plan plan = small_plan(Play::kRefresh);
    plan.count = 25;
    World world(plan);
    world.register_all();
    ASSERT_EQ(world.player->phases_begun(), 2U);
    std::size_t asked = 0;
    for (int i = 0; i < 50 && !world.player->over(); ++i) {
        for (const Sent& s : world.turn()) {
            ++asked;
            world.grant(s);
        }
    }
    EXPECT_TRUE(world.player->over());
    EXPECT_EQ(asked, 25U);
    EXPECT_EQ(world.tally().done.get(), 25U);
    EXPECT_EQ(world.player->tally(0).done.get(), 10U);
}

TEST(Registrations, RefreshesKeepTheirRate) {
    Plan plan = small_plan(Play::kRefresh);
    plan.rate_per_s = 100;
    plan.window = 0;
    plan.duration_ns = kSecond;
    World world(plan);
    world.register_all();
    std::size_t asked = 0;
    for (int i = 0; i < 2000 && !world.player->over(); ++i) {
        for (const Sent& s : world.turn()) {
            ++asked;
            world.grant(s);
        }
        world.now += kMillisecond;
    }
    EXPECT_TRUE(world.player->over());
    EXPECT_NEAR(static_cast<double>(asked), 100, 1);
}

TEST(Registrations, AnEchoIsHeldAgainstItsQuestion) {
    Plan plan = small_plan(Play::kEcho);
    plan.phones = 1000;
    plan.count = 10;
    World world(plan);
    const auto sent = world.turn();
    ASSERT_EQ(sent.size(), 10U);
    world.deliver(sent[0], sent[0].text);
    world.deliver(sent[1], sent[0].text);
    EXPECT_EQ(world.tally().done.get(), 1U);
    EXPECT_EQ(world.wrong(Wrong::kOtherPhone), 1U);
}

TEST(Registrations, ToldToStopItWaitsForWhatIsUnderWay) {
    World world(small_plan(Play::kRegister));
    const auto sent = world.turn();
    world.player->stop();
    (void)world.turn();
    EXPECT_FALSE(world.player->over());
    for (const Sent& s : sent) {
        world.grant(s);
    }
    (void)world.turn();
    EXPECT_TRUE(world.player->over());
}

TEST(Hello, IsAnsweredByWhoeverAnswersIt) {
    const Plan plan = small_plan(Play::kRegister);
    World world(plan);
    SendBatch& batch = world.batch;
    ASSERT_TRUE(world.player->say_hello(0, world.now));
    const auto sent = world.taken();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(sent[0].is("OPTIONS"));
    EXPECT_TRUE(batch.used().empty());
    net::Datagram datagram;
    datagram.dst = sent[0].flow.ours;
    datagram.dst_port = sent[0].flow.our_udp_port;
    const std::string answer = World::answer(sent[0], 200);
    datagram.payload = {reinterpret_cast<const std::uint8_t*>(answer.data()), answer.size()};
    EXPECT_TRUE(world.player->is_hello(datagram, world.now));
    ++datagram.dst_port;
    EXPECT_FALSE(world.player->is_hello(datagram, world.now));
}

}  // namespace
}  // namespace pinhole::load
