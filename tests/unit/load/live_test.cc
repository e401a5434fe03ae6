// SPDX-License-Identifier: BSD-3-Clause
// A population over time: refreshes in time, pings, gateways that forget.
#include "tests/unit/load/world.h"

#include <gtest/gtest.h>

#include <map>

namespace pinhole::load {
namespace {

Plan live_plan() {
    Plan plan = small_plan(Play::kLive);
    plan.duration_ns = 1000 * kSecond;
    return plan;
}

std::string ping(const std::string& user) {
    return "OPTIONS sip:" + user +
           "@10.100.100.100:5060 SIP/2.0\r\nVia: SIP/2.0/UDP "
           "198.51.100.1;branch=z9hG4bKping;rport\r\nFrom: <sip:e@e>;tag=1\r\nTo: "
           "<sip:u@x>\r\nCall-ID: p\r\nCSeq: 1 OPTIONS\r\n\r\n";
}

TEST(Live, EachPhoneRefreshesBeforeItExpires) {
    World world(live_plan());
    world.register_all(100);
    ASSERT_EQ(world.player->phases_begun(), 2U);
    std::map<std::string, std::uint64_t> last;
    const std::uint64_t begin = world.now;
    std::uint64_t refreshes = 0;
    for (; world.now < begin + 400 * kSecond; world.now += 100 * kMillisecond) {
        for (const Sent& s : world.turn()) {
            auto& before = last.try_emplace(s.header(sip::HeaderId::kTo), begin).first->second;
            EXPECT_GE(world.now - before, 49 * kSecond);
            EXPECT_LE(world.now - before, 91 * kSecond);
            before = world.now;
            ++refreshes;
            world.grant(s, 100);
        }
    }
    EXPECT_EQ(last.size(), 10U);
    EXPECT_GT(refreshes, 40U);
    EXPECT_LT(refreshes, 81U);
}

TEST(Live, APhoneThatWasNotHeardTriesAgain) {
    World world(live_plan());
    const auto first = world.turn();
    for (std::size_t i = 1; i < first.size(); ++i) {
        world.grant(first[i]);
    }
    world.now += world.plan.timeout_ns;
    (void)world.turn();
    world.now += 6 * kSecond;
    const auto again = world.turn();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].header(sip::HeaderId::kTo), first[0].header(sip::HeaderId::kTo));
}

TEST(Live, PingsAreAnsweredByThePhoneTheyAreFor) {
    World world(live_plan());
    const auto sent = world.turn();
    world.deliver(sent[3], ping("10000003"));
    const auto answers = world.taken();
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_TRUE(answers[0].is("SIP/2.0 200 "));
    EXPECT_EQ(answers[0].flow, sent[3].flow);
    EXPECT_EQ(world.tally().pings.get(), 1U);
    world.deliver(sent[4], ping("10000003"));
    EXPECT_EQ(world.wrong(Wrong::kOtherUser), 1U);
}

TEST(Live, WhatComesToADeadMappingVanishesAndThePhoneMoves) {
    Plan plan = live_plan();
    plan.timeouts = *Timeouts::parse("30");
    World world(plan);
    std::map<std::string, Sent> before;
    for (const Sent& s : world.turn()) {
        before[s.header(sip::HeaderId::kTo)] = s;
        world.grant(s, 100);
    }
    world.now += 31 * kSecond;
    world.deliver(before.begin()->second, ping("10000000"));
    EXPECT_EQ(world.tally().vanished.get(), 1U);
    EXPECT_EQ(world.tally().pings.get(), 0U);
    std::size_t refreshed = 0;
    for (int i = 0; i < 1000; ++i, world.now += 100 * kMillisecond) {
        for (const Sent& s : world.turn()) {
            const Sent& old = before[s.header(sip::HeaderId::kTo)];
            EXPECT_EQ(s.flow.ours, old.flow.ours);
            EXPECT_NE(s.flow.our_udp_port, old.flow.our_udp_port);
            before[s.header(sip::HeaderId::kTo)] = s;
            world.grant(s, 100);
            ++refreshed;
        }
    }
    EXPECT_GE(refreshed, 10U);
    EXPECT_EQ(world.tally().new_mappings.get(), refreshed);
}

TEST(Live, CallsComeBesideTheRefreshes) {
    Plan plan = live_plan();
    plan.call_rate_per_s = 5;
    World world(plan);
    world.register_all();
    std::size_t invites = 0;
    for (int i = 0; i < 100; ++i, world.now += 100 * kMillisecond) {
        for (const Sent& s : world.turn()) {
            invites += s.is("INVITE") ? 1 : 0;
        }
    }
    EXPECT_NEAR(static_cast<double>(invites), 50, 1);
}

// The phones live on as they were; only the figures begin anew.
TEST(Live, WhatComesBeforeItHasSettledIsCountedApart) {
    Plan plan = live_plan();
    plan.settle_ns = 20 * kSecond;
    plan.duration_ns = 5 * kSecond;
    plan.call_rate_per_s = 5;
    World world(plan);
    world.register_all();
    ASSERT_EQ(world.player->phases_begun(), 2U);
    EXPECT_EQ(world.player->phase(1), Phase::kSettle);
    std::size_t invites = 0;
    for (int i = 0; i < 1000 && world.player->phases_begun() == 2; ++i) {
        world.now += 100 * kMillisecond;
        for (const Sent& s : world.turn()) {
            invites += s.is("INVITE") ? 1 : 0;
        }
    }
    EXPECT_NEAR(static_cast<double>(invites), 100, 2);
    ASSERT_EQ(world.player->phases_begun(), 3U);
    EXPECT_EQ(world.player->phase(2), Phase::kLive);
    EXPECT_EQ(world.player->tally(2).calls.get(), 0U);
    EXPECT_FALSE(world.player->over());
    world.now += 5 * kSecond;
    (void)world.turn();
    world.now += plan.timeout_ns;
    (void)world.turn();
    EXPECT_TRUE(world.player->over());
}

TEST(Live, EndsAfterItsTime) {
    Plan plan = live_plan();
    plan.duration_ns = 5 * kSecond;
    World world(plan);
    world.register_all();
    world.now += 4 * kSecond;
    (void)world.turn();
    EXPECT_FALSE(world.player->over());
    world.now += kSecond;
    (void)world.turn();
    EXPECT_TRUE(world.player->over());
}

}  // namespace
}  // namespace pinhole::load
