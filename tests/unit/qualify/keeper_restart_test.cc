// SPDX-License-Identifier: BSD-3-Clause
// A restart: the contacts are there before the keeper is, and what was learned of them with them.
#include "tests/unit/qualify/world.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace pinhole::qualify {
namespace {

constexpr std::uint32_t kMany = 10'000;
constexpr std::uint32_t kInterval = 25'000;
constexpr std::uint32_t kDown_ms = 3'000;

// The contacts and states of `before`, kDown_ms later, in the hands of another keeper.
void take_over(const World& before, World& after) {
    after.contacts.slots = before.contacts.slots;
    after.answers = before.answers;
    for (std::uint32_t slot = 0; slot < before.states.capacity(); ++slot) {
        after.states.write_control(slot, before.states.get_control(slot));
    }
    for (std::uint32_t slot = 0; slot < before.states.capacity(); ++slot) {
        after.keeper.take_up(slot);
    }
}

class Restarted : public testing::Test {
  protected:
    Restarted() : before_({}, kMany) {
        for (std::uint32_t slot = 0; slot < kMany; ++slot) {
            before_.add(slot, slot % 10 != 0);
            if (slot % 50 == 0) {
                before_.run(5);
            }
        }
        before_.run(4 * kInterval);
        after_ = std::make_unique<World>(PingPolicy{}, kMany, before_.ms + kDown_ms);
        take_over(before_, *after_);
    }

    World before_;
    std::unique_ptr<World> after_;
};

TEST_F(Restarted, WhatWasLearnedIsKnown) {
    for (const Reach state : {Reach::kUnknown, Reach::kReachable, Reach::kUnreachable}) {
        EXPECT_EQ(after_->in_state(state), before_.in_state(state));
    }
    EXPECT_EQ(after_->keeper.contacts(), kMany);
    after_->run(3 * kInterval);
    EXPECT_EQ(after_->in_state(Reach::kReachable), kMany - kMany / 10);
}

// A ping comes when it would have come, or, if that was while nobody was there, soon: and never
// many at once.
TEST_F(Restarted, PingsGoOnInTheirPhase) {
    after_->run(3 * kInterval, 1);
    std::vector<std::uint64_t> next(kMany, 0);
    for (const Sent& ping : after_->sink.pings) {
        if (next[ping.id.slot] == 0) {
            next[ping.id.slot] = ping.ms;
        }
    }
    std::uint32_t late = 0;
    for (std::uint32_t slot = 0; slot < kMany; ++slot) {
        const std::uint32_t last = before_.states.get_control(slot).last_ping_ms;
        ASSERT_NE(next[slot], 0U) << slot;
        const std::uint64_t gap = static_cast<std::uint32_t>(next[slot]) - last;
        EXPECT_GE(gap, kInterval * 3 / 5) << slot;
        late += gap > kInterval + kDown_ms ? 1 : 0;
    }
    EXPECT_LE(late, kMany / 100);
    EXPECT_LE(busiest_10_ms(after_->sink.pings),
              1.2 * 10.0 * kMany / (PingPace::kMeanInterval * kInterval) + 32);
}

TEST(KeeperRestart, AContactThatWasNeverPingedIsSoon) {
    World before({}, 2);
    const ContactId id = before.add(0, true);
    World after({}, 2, before.ms + 1);
    take_over(before, after);
    after.run(20'100);  // the steady window's begins at 15 s, but may end at 25
    ASSERT_FALSE(after.sink.pings.empty());
    EXPECT_EQ(after.sink.pings.front().id, id);
}

TEST(KeeperRestart, WhatTheStatesKnowOfAnotherContactIsNotItsOwn) {
    World before({}, 1);
    before.add(0, true);
    before.run(kInterval);
    ASSERT_EQ(before.in_state(Reach::kReachable), 1U);
    World after({}, 1, before.ms);
    ++before.contacts.slots[0].generation;
    take_over(before, after);
    EXPECT_EQ(after.in_state(Reach::kUnknown), 1U);
}

// Longer or shorter intervals hold from the next ping on.
TEST(KeeperRestart, AnotherPolicyHoldsFromTheNextPingOn) {
    PingPolicy policy;
    World w(policy, 100);
    for (std::uint32_t slot = 0; slot < 100; ++slot) {
        w.add(slot, true);
    }
    w.run(4 * kInterval);
    policy.interval_ms = 5'000;
    policy.timeout_ms = 1'000;
    w.keeper.use(policy);
    w.run(kInterval);
    const std::size_t before = w.sink.pings.size();
    w.run(20'000);
    EXPECT_NEAR(static_cast<double>(w.sink.pings.size() - before), 100 * 20.0 / 4.5, 60);
    EXPECT_EQ(w.in_state(Reach::kReachable), 100U);
}

}  // namespace
}  // namespace pinhole::qualify
