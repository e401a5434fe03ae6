// SPDX-License-Identifier: BSD-3-Clause
// On a clock of the test's own: a peer that answers, falls silent, answers 503, comes back.
#include "control/qualify/peer_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

namespace pinhole::qualify {
namespace {

using route::PeerState;

// One millisecond a step; `answer` says what a peer gives to a check: a code, or 0 for silence.
class World {
  public:
    explicit World(std::size_t peers, PeerPolicy policy = {})
        : health(peers), checks(policy, health, now_ms) {}

    void pass_ms(std::uint64_t ms) {
        for (const std::uint64_t until = now_ms + ms; now_ms < until; ++now_ms) {
            for (const auto& [peer, at] : std::exchange(coming_, {})) {
                checks.answered(peer, kRtt_us, at, now_ms);
            }
            while (const auto peer = checks.next_due(now_ms)) {
                if (!can_send) {
                    checks.postponed(*peer, now_ms);
                    continue;
                }
                checks.sent(*peer, now_ms);
                sent_ms[*peer].push_back(now_ms);
                if (const unsigned code = answer(*peer); code != 0) {
                    coming_.emplace_back(*peer, code);
                }
            }
        }
    }
    [[nodiscard]] PeerState state(std::size_t peer = 0) const { return health.state_any(peer); }

    static constexpr std::uint32_t kRtt_us = 1000;

    std::uint64_t now_ms = 77'000;
    bool can_send = true;
    std::function<unsigned(std::size_t)> answer = [](std::size_t) { return 200; };
    std::map<std::size_t, std::vector<std::uint64_t>> sent_ms;
    route::PeerHealth health;
    PeerChecks checks;

  private:
    std::vector<std::pair<std::size_t, unsigned>> coming_;
};

TEST(PeerChecks, AskOnceAnIntervalWhileAllIsWell) {
    World world(2);
    world.pass_ms(60'000);
    for (const std::size_t peer : {0u, 1u}) {
        EXPECT_EQ(world.state(peer), PeerState::kUp);
        EXPECT_EQ(world.sent_ms[peer].size(), 12u);
        EXPECT_EQ(world.checks.figures(peer).answered.get(), 12u);
        EXPECT_EQ(world.checks.figures(peer).missed.get(), 0u);
        EXPECT_EQ(world.checks.figures(peer).rtt_us.load(), World::kRtt_us);
    }
    EXPECT_NE(world.sent_ms[0][0], world.sent_ms[1][0]) << "all at one moment";
}

TEST(PeerChecks, OffMeansNobodyIsAskedOrSuspected) {
    World world(1, {.interval_ms = 0});
    world.pass_ms(60'000);
    EXPECT_TRUE(world.sent_ms.empty());
    EXPECT_EQ(world.state(), PeerState::kUnknown);
    EXPECT_TRUE(world.health.usable_any(0));
}

TEST(PeerChecks, AnyFinalAnswerIsLife) {
    for (const unsigned code : {200u, 302u, 404u, 405u, 483u, 500u, 603u}) {
        World world(1);
        world.answer = [&](std::size_t) { return code; };
        world.pass_ms(30'000);
        EXPECT_EQ(world.state(), PeerState::kUp) << code;
    }
}

TEST(PeerChecks, APeerThatNeverAnsweredIsUsableUntilItHasMissedItsShare) {
    World world(1);
    world.answer = [](std::size_t) { return 0; };
    world.pass_ms(2'900);
    EXPECT_EQ(world.state(), PeerState::kUnknown);
    EXPECT_TRUE(world.health.usable_any(0));
    world.pass_ms(200);
    EXPECT_EQ(world.state(), PeerState::kDown) << "three timeouts, one after the other";
    EXPECT_FALSE(world.health.usable_any(0));
    EXPECT_EQ(world.checks.figures(0).missed.get(), 3u);
}

TEST(PeerChecks, OneLostPacketChangesNothingAndIsAskedAboutSoon) {
    World world(1);
    world.pass_ms(6'000);
    const std::uint64_t up_since = world.checks.figures(0).since_ms.load();
    int lost = 2;
    world.answer = [&](std::size_t) { return lost-- > 0 ? 0 : 200; };
    world.pass_ms(24'000);
    EXPECT_EQ(world.state(), PeerState::kUp);
    EXPECT_EQ(world.checks.figures(0).missed.get(), 2u);
    const auto& sent = world.sent_ms[0];
    EXPECT_EQ(sent[3] - sent[2], 1'000u) << "after a miss";
    EXPECT_EQ(sent[5] - sent[4], 5'000u) << "after an answer";
    // The row is broken by the answer: two more are not the third.
    lost = 2;
    world.pass_ms(24'000);
    EXPECT_EQ(world.state(), PeerState::kUp);
    EXPECT_EQ(world.checks.figures(0).since_ms.load(), up_since) << "not even for a moment";
}

TEST(PeerChecks, SilenceIsDeathWithinIntervalAndTimeouts) {
    World world(2);
    world.pass_ms(20'000);
    world.answer = [](std::size_t peer) { return peer == 0 ? 0 : 200; };
    const std::uint64_t died = world.now_ms;
    while (world.state() == PeerState::kUp && world.now_ms < died + 60'000) {
        world.pass_ms(1);
    }
    EXPECT_LE(world.now_ms - died, 5'000u + 3 * 1'000u + 1);
    EXPECT_EQ(world.checks.figures(0).since_ms.load(), world.now_ms - 1);
    EXPECT_EQ(world.state(1), PeerState::kUp);
    // A dead one is asked once an interval.
    const std::size_t before = world.sent_ms[0].size();
    world.pass_ms(50'000);
    EXPECT_EQ(world.sent_ms[0].size() - before, 10u);
}

TEST(PeerChecks, OneAnswerIsNoReturnTwoAre) {
    World world(1);
    world.answer = [](std::size_t) { return 0; };
    world.pass_ms(10'000);
    ASSERT_EQ(world.state(), PeerState::kDown);
    bool odd = false;
    world.answer = [&](std::size_t) { return (odd = !odd) ? 200 : 0; };
    world.pass_ms(120'000);
    EXPECT_EQ(world.state(), PeerState::kDown) << "every other check lost";
    world.answer = [](std::size_t) { return 200; };
    const std::uint64_t back = world.now_ms;
    while (world.state() == PeerState::kDown && world.now_ms < back + 60'000) {
        world.pass_ms(1);
    }
    EXPECT_LE(world.now_ms - back, 5'000u + 1'000u + 3);
}

TEST(PeerChecks, APeerThatSaysItIsOutOfServiceIs) {
    World world(1);
    world.pass_ms(20'000);
    world.answer = [](std::size_t) { return 503; };
    world.pass_ms(9'000);
    EXPECT_EQ(world.state(), PeerState::kDown);
    EXPECT_GE(world.checks.figures(0).refused.get(), 3u);
    EXPECT_EQ(world.checks.figures(0).missed.get(), 0u);
}

TEST(PeerChecks, WhatCouldNotLeaveSaysNothing) {
    World world(1);
    world.can_send = false;
    world.pass_ms(60'000);
    EXPECT_EQ(world.state(), PeerState::kUnknown);
    EXPECT_EQ(world.checks.figures(0).missed.get(), 0u);
    world.can_send = true;
    world.pass_ms(2'000);
    EXPECT_EQ(world.state(), PeerState::kUp);
}

TEST(PeerChecks, OnlyTheCheckUnderWayIsAnsweredAndOnce) {
    World world(1);
    world.answer = [](std::size_t) { return 0; };
    world.pass_ms(10'000);
    ASSERT_EQ(world.state(), PeerState::kDown);
    const auto count = [&] { return world.checks.figures(0).answered.get(); };
    // Nothing is under way: a repeated or late answer.
    world.checks.answered(0, 100, 200, world.now_ms);
    EXPECT_EQ(count(), 0u);
    world.pass_ms(5'000);
    world.pass_ms(5'000 - (world.now_ms - world.sent_ms[0].back()));
    world.pass_ms(1);  // one under way since this moment
    world.checks.answered(0, 5'000'500, 200, world.now_ms);
    EXPECT_EQ(count(), 0u) << "an answer to an older check";
    world.checks.answered(0, 500, 200, world.now_ms);
    world.checks.answered(0, 500, 200, world.now_ms);
    world.checks.answered(7, 500, 200, world.now_ms);
    EXPECT_EQ(count(), 1u);
    EXPECT_EQ(world.state(), PeerState::kDown) << "the same answer twice is one answer";
}

TEST(PeerChecks, BeginAnewWithOthers) {
    World world(3);
    world.answer = [](std::size_t) { return 0; };
    world.pass_ms(30'000);
    ASSERT_EQ(world.state(0), PeerState::kDown);
    world.checks.begin({.interval_ms = 2'000}, 1, world.now_ms);
    EXPECT_EQ(world.state(0), PeerState::kUnknown) << "it is another peer";
    EXPECT_EQ(world.checks.figures(0).missed.get(), 0U);
    world.answer = [](std::size_t) { return 200; };
    world.sent_ms.clear();
    world.pass_ms(20'000);
    EXPECT_EQ(world.state(0), PeerState::kUp);
    EXPECT_NEAR(static_cast<double>(world.sent_ms[0].size()), 10, 1);
    EXPECT_EQ(world.sent_ms.count(1), 0U);
    world.checks.begin({}, 9, world.now_ms);
    world.pass_ms(20'000);
    EXPECT_EQ(world.sent_ms.count(2), 1U) << "as many as there is room for";
}

}  // namespace
}  // namespace pinhole::qualify
