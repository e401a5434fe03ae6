// SPDX-License-Identifier: BSD-3-Clause
// What an answer, silence, a move and time mean to a contact: each rule of the keeper on synthetic
// time.
#include "tests/unit/qualify/world.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace pinhole::qualify {
namespace {

using table::QualifyView;
using table::Reach;

constexpr std::uint32_t kInterval = 25'000;

std::vector<std::uint64_t> ping_times(const World& w) {
    std::vector<std::uint64_t> out;
    for (const Sent& e : w.sink.pings) {
        out.push_back(e.ms);
    }
    return out;
}

// Without those that were sent again.
std::vector<std::uint64_t> first_times(const World& w) {
    std::vector<std::uint64_t> out;
    for (const std::uint64_t ms : ping_times(w)) {
        if (out.empty() || ms - out.back() > 1'100) {
            out.push_back(ms);
        }
    }
    return out;
}

TEST(KeeperRules, FirstPingComesSoonButNotAtOnce) {
    World w({}, 200);
    for (std::uint32_t slot = 0; slot < 200; ++slot) {
        w.add(slot, true);
    }
    w.run(20'100);
    std::vector<std::uint64_t> first(200, 0);
    for (const Sent& e : w.sink.pings) {
        first[e.id.slot] = first[e.id.slot] == 0 ? e.ms - World::kStartMs : first[e.id.slot];
    }
    // A Linux gateway forgets within 30 s what has not passed both ways after its first 2 s.
    std::array<unsigned, 17> by_second{};
    for (const std::uint64_t at : first) {
        ASSERT_GE(at, 3'000u);
        ASSERT_LE(at, 20'020u);
        ++by_second[std::min<std::size_t>((at - 3'000) / 1'000, 16)];
    }
    for (const unsigned n : by_second) {  // 12 on average
        EXPECT_GE(n, 6u);
        EXPECT_LE(n, 18u);
    }
}

TEST(KeeperRules, FirstPingOfAShortIntervalComesWithinEightTenthsOfIt) {
    World w({.interval_ms = 2'000, .timeout_ms = 500}, 50);
    for (std::uint32_t slot = 0; slot < 50; ++slot) {
        w.add(slot, true);
    }
    w.run(1'620);
    EXPECT_EQ(w.sink.pings.size(), 50u);
}

// RFC 3327: the pinhole is the proxy's.
TEST(KeeperRules, WhatAPathLeadsToIsNotPinged) {
    World w({}, 2);
    const ContactId moved = w.add(1, true, World::kStartS + 200);
    w.add(0, true, World::kStartS + 200);
    w.contacts.slots[0].by_path = true;
    w.move(0);
    w.run(30'000);
    ASSERT_FALSE(w.sink.pings.empty());
    for (const Sent& ping : w.sink.pings) {
        EXPECT_EQ(ping.id, moved);
    }
    w.contacts.slots[1].by_path = true;
    w.move(1);
    const std::size_t before = w.sink.pings.size();
    w.run(100'000);
    EXPECT_EQ(w.sink.pings.size(), before);
    EXPECT_EQ(w.view(moved).state, Reach::kUnknown);
    w.contacts.slots[1].by_path = false;
    w.move(1);
    w.run(20'100);
    EXPECT_GT(w.sink.pings.size(), before) << "it has come to us again";
    w.run(60'000);
    EXPECT_GE(w.sink.expires.size(), 2U) << "both have their time";
}

TEST(KeeperRules, PingsWithinTheWindowAfterTheLastPing) {
    World w({}, 1);
    const ContactId id = w.add(0, true);
    w.run(1'000'000);
    const auto times = ping_times(w);
    ASSERT_GT(times.size(), 40u);
    ASSERT_LT(times.size(), 66u);
    for (std::size_t i = 1; i < times.size(); ++i) {
        EXPECT_GE(times[i] - times[i - 1], 15'000u);
        EXPECT_LE(times[i] - times[i - 1], 25'020u);
    }
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
    EXPECT_EQ(w.keeper.figures().sent.get(), times.size());
    EXPECT_EQ(w.keeper.figures().answered.get(), times.size());
    EXPECT_EQ(w.keeper.figures().missed.get(), 0u);
    EXPECT_EQ(w.keeper.figures().late.get(), 0u);
}

TEST(KeeperRules, AnAnswerTellsStateAndRoundTrip) {
    World w({}, 1);
    const ContactId id = w.add(0, true);
    EXPECT_EQ(w.view(id).state, Reach::kUnknown);
    EXPECT_EQ(w.in_state(Reach::kUnknown), 1u);
    w.run_past_ping();
    const QualifyView view = w.view(id);
    EXPECT_EQ(view.state, Reach::kReachable);
    EXPECT_EQ(view.last_rtt_us, World::kRttMs * 1'000);
    EXPECT_TRUE(view.has(QualifyView::kEverAnswered));
    EXPECT_FALSE(view.has(QualifyView::kWaiting));
    EXPECT_EQ(w.in_state(Reach::kUnknown), 0u);
    EXPECT_EQ(w.in_state(Reach::kReachable), 1u);
    EXPECT_EQ(w.keeper.figures().rtt.count(), 1u);
    EXPECT_EQ(w.keeper.figures().rtt.sum_us(), World::kRttMs * 1'000);
}

TEST(KeeperRules, APhoneThatNeverAnsweredIsNeverUnreachable) {
    World w({.remove_after_s = 10}, 1);
    const ContactId id = w.add(0, false);
    w.run(600'000);
    EXPECT_EQ(w.view(id).state, Reach::kUnknown);
    EXPECT_GT(w.view(id).missed, 20u);
    EXPECT_TRUE(w.sink.removals.empty());
    const auto times = first_times(w);
    for (std::size_t i = 1; i < times.size(); ++i) {  // nor pinged more often
        EXPECT_GE(times[i] - times[i - 1], 15'000u);
    }
}

TEST(KeeperRules, APhoneThatAnsweredAndMissesMaxMissedIsUnreachable) {
    World w({.max_missed = 3, .remove_after_s = 0}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.answers[0] = false;
    const std::size_t before = w.sink.pings.size();
    while (w.sink.pings.size() < before + 6) {  // three, each sent again
        w.run(10);
        ASSERT_EQ(w.view(id).state, Reach::kReachable);
    }
    w.run(1'900);
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
    w.run(150);
    EXPECT_EQ(w.view(id).state, Reach::kUnreachable);
    EXPECT_EQ(w.view(id).unreachable_since_s, w.now().s);
    EXPECT_EQ(w.in_state(Reach::kUnreachable), 1u);
    EXPECT_EQ(w.in_state(Reach::kReachable), 0u);
    EXPECT_EQ(w.keeper.figures().missed.get(), 3u);

    // It is still pinged, at the usual pace, and any answer brings it back.
    const std::size_t pinged = w.sink.pings.size();
    w.run(100'000);
    EXPECT_GE(w.sink.pings.size(), pinged + 3);
    EXPECT_LE(w.sink.pings.size(), pinged + 7);
    w.answers[0] = true;
    w.run(26'000);
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
    EXPECT_EQ(w.view(id).missed, 0u);
    EXPECT_TRUE(w.sink.removals.empty());
}

TEST(KeeperRules, AfterAMissedPingAPhoneThatUsedToAnswerIsPingedSooner) {
    World w({.max_missed = 5}, 1);
    w.add(0, true);
    w.run_past_ping();
    w.answers[0] = false;
    w.run(70'000);
    const auto times = first_times(w);
    ASSERT_GE(times.size(), 7u);
    for (int i = 1; i <= 3; ++i) {  // what waits for 25 s may have 5 s left
        EXPECT_GE(times[i + 1] - times[i], 3'000u);
        EXPECT_LE(times[i + 1] - times[i], 4'020u);
    }
    EXPECT_GE(times[5] - times[4], 10'000u);
    EXPECT_LE(times[5] - times[4], 15'020u);
    EXPECT_GE(times[6] - times[5], 15'000u) << "unreachable: as often as any";
}

TEST(KeeperRules, ALateAnswerIsLifeToo) {
    World w({.max_missed = 1, .remove_after_s = 0}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.answers[0] = false;
    w.run(40'000);
    ASSERT_EQ(w.view(id).state, Reach::kUnreachable);
    w.keeper.pong(id, 9'000'000, 404, true);
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
    EXPECT_EQ(w.view(id).missed, 0u);
}

TEST(KeeperRules, AnAnswerFromAnotherPortIsLifeAndCounted) {
    World w({}, 1);
    const ContactId id = w.add(0, false);
    w.run_past_ping();
    w.keeper.pong(id, 40'000, 200, false);
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
    EXPECT_EQ(w.keeper.figures().wrong_flow_pongs.get(), 1u);
    EXPECT_EQ(w.keeper.figures().answered.get(), 1u);
}

TEST(KeeperRules, WhatIsNoProofChangesNothing) {
    World w({}, 2);
    const ContactId id = w.add(0, false);
    w.run_past_ping();
    ASSERT_EQ(w.sink.pings.size(), 1u);
    const auto& figures = w.keeper.figures();
    w.keeper.pong(id, 40'000, 100, true);  // provisional
    w.keeper.pong({0, id.generation + 1}, 40'000, 200, true);
    w.keeper.pong({0, 0}, 40'000, 200, true);
    w.keeper.pong({1, 0}, 40'000, 200, true);
    w.keeper.pong({7, 1}, 40'000, 200, true);
    w.keeper.pong(id, (kInterval + 1) * 1'000, 200, true);  // a ping of long ago, played again
    EXPECT_EQ(figures.stale_pongs.get(), 5u);
    EXPECT_EQ(w.view(id).state, Reach::kUnknown);
    w.keeper.pong(id, 40'000, 200, true);
    w.keeper.pong(id, 40'000, 200, true);  // doubled on the way
    EXPECT_EQ(figures.repeated_pongs.get(), 1u);
    EXPECT_EQ(figures.answered.get(), 1u);
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
}

TEST(KeeperRules, AnUnreachableContactIsRemovedAfterAWhileAndAgainUntilItIsGone) {
    World w({.max_missed = 1, .remove_after_s = 60}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.answers[0] = false;
    while (w.view(id).state != Reach::kUnreachable) {
        w.run(10);
    }
    const std::uint64_t due = w.begin_of(w.view(id).unreachable_since_s + 60);
    w.run(61'000);
    ASSERT_GE(w.sink.removals.size(), 1u);
    EXPECT_GE(w.sink.removals[0].ms, due);
    EXPECT_LE(w.sink.removals[0].ms, due + 20);
    EXPECT_EQ(w.sink.removals[0].id, id);
    w.run(10'000);
    EXPECT_GE(w.sink.removals.size(),
              5u);  // the owner lost the command: it is asked again, a few times in 10 s
    EXPECT_LE(w.sink.removals.size(), 12u);
    w.remove(0);
    const std::size_t asked = w.sink.removals.size();
    w.run(10'000);
    EXPECT_EQ(w.sink.removals.size(), asked);
    EXPECT_EQ(w.keeper.figures().removed.get(), 1u);
    EXPECT_EQ(w.keeper.figures().expired.get(), 0u);
    EXPECT_EQ(w.in_state(Reach::kUnreachable), 0u);
    EXPECT_EQ(w.keeper.contacts(), 0u);
    EXPECT_EQ(w.view(id).generation, 0u);
}

TEST(KeeperRules, AnAnswerCallsTheRemovalOff) {
    World w({.max_missed = 1, .remove_after_s = 60}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.answers[0] = false;
    w.run(60'000);
    ASSERT_EQ(w.view(id).state, Reach::kUnreachable);
    w.answers[0] = true;
    w.run(300'000);
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
    EXPECT_TRUE(w.sink.removals.empty());
}

TEST(KeeperRules, AMovedContactIsUnknownAndPingedSoonAndKeepsThatItHasAnswered) {
    World w({.max_missed = 2, .remove_after_s = 0}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.answers[0] = false;
    while (w.view(id).missed == 0) {
        w.run(10);
    }
    const std::uint64_t at = w.ms;
    const std::size_t before = w.sink.pings.size();
    w.move(0);
    QualifyView view = w.view(id);
    EXPECT_EQ(view.state, Reach::kUnknown);
    EXPECT_EQ(view.missed, 0u);
    EXPECT_TRUE(view.has(QualifyView::kEverAnswered));
    EXPECT_EQ(w.in_state(Reach::kUnknown), 1u);
    EXPECT_EQ(w.in_state(Reach::kReachable), 0u);
    w.run(20'100);
    ASSERT_GT(w.sink.pings.size(), before);
    EXPECT_LE(w.sink.pings[before].ms, at + 20'020);
    w.run(60'000);
    EXPECT_EQ(w.view(id).state, Reach::kUnreachable);  // silent by the new flow as well
}

// A refresh for less time, or a mark too many: what is known of the flow still holds.
TEST(KeeperRules, AMarkWithoutAMoveForgetsNothing) {
    World w({}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.contacts.slots[0].expires_at_s = w.now().s + 8;
    w.keeper.changed(0);
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
    EXPECT_EQ(w.keeper.figures().rebinds.get(), 0u);
    w.run(8'500);
    EXPECT_EQ(w.sink.expires.size(), 1u);
}

TEST(KeeperRules, AContactThatMovesAllTheTimeIsStillPinged) {
    World w({}, 1);
    w.add(0, true);
    for (int i = 0; i < 200; ++i) {
        w.run(300);
        w.move(0);
    }
    EXPECT_GE(w.sink.pings.size(), 60'000u / 20'300);
    EXPECT_LE(w.sink.pings.size(), 60u);
}

TEST(KeeperRules, ExpiresOnTimeAndAsksAgainWhileItIsThere) {
    World w({}, 3);
    w.run(2'000);
    const std::uint32_t at_s = w.now().s + 3'600;
    const ContactId id = w.add(1, true, at_s);
    w.run(w.begin_of(at_s) - w.ms - 5);
    EXPECT_TRUE(w.sink.expires.empty());
    w.run(25);
    ASSERT_EQ(w.sink.expires.size(), 1u);
    EXPECT_EQ(w.sink.expires[0].id, id);
    w.run(6'000);
    EXPECT_GE(w.sink.expires.size(), 3u);
    EXPECT_LE(w.sink.expires.size(), 7u);
    w.remove(1);
    EXPECT_EQ(w.keeper.figures().expired.get(), 1u);
    EXPECT_EQ(w.keeper.figures().removed.get(), 0u);
}

TEST(KeeperRules, ARefreshMovesTheExpiryWithoutAnEvent) {
    World w({}, 1);
    const ContactId id = w.add(0, true, w.now().s + 60);
    w.run(50'000);
    w.contacts.slots[0].expires_at_s = w.now().s + 60;
    w.run(55'000);
    EXPECT_TRUE(w.sink.expires.empty());
    w.run(5'500);
    EXPECT_EQ(w.sink.expires.size(), 1u);
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
    // It came back in the moment between the question and its owner: all goes on.
    w.contacts.slots[0].expires_at_s = w.now().s + 600;
    const std::size_t pings = w.sink.pings.size();
    w.run(100'000);
    EXPECT_EQ(w.sink.expires.size(), 1u);
    EXPECT_GE(w.sink.pings.size(), pings + 4);
    w.remove(0);
    EXPECT_EQ(w.keeper.figures().expired.get(), 0u);
}

TEST(KeeperRules, WithoutPingsContactsExpireAndNothingElse) {
    World w({.interval_ms = 0}, 1);
    const ContactId id = w.add(0, true, w.now().s + 100);
    w.keeper.changed(0);
    w.run(99'000);
    EXPECT_TRUE(w.sink.pings.empty());
    w.run(1'500);
    EXPECT_EQ(w.sink.expires.size(), 1u);
    EXPECT_EQ(w.view(id).state, Reach::kUnknown);
}

TEST(KeeperRules, ASlotTakenByAnotherContactStartsAnew) {
    World w({}, 1);
    const ContactId old_id = w.add(0, true);
    w.run_past_ping();
    const ContactId id = w.add(0, false);  // removed and taken between two looks at the marks
    ASSERT_NE(id, old_id);
    EXPECT_EQ(w.view(old_id).generation, 0u);
    EXPECT_EQ(w.states.reach_any(old_id), Reach::kUnknown);
    EXPECT_EQ(w.view(id).state, Reach::kUnknown);
    EXPECT_FALSE(w.view(id).has(QualifyView::kEverAnswered));
    EXPECT_EQ(w.view(id).last_rtt_us, 0u);
    EXPECT_EQ(w.in_state(Reach::kUnknown), 1u);
    EXPECT_EQ(w.in_state(Reach::kReachable), 0u);
    EXPECT_EQ(w.keeper.contacts(), 1u);
}

TEST(KeeperRules, AMarkThatIsStillToComeIsNoHarm) {
    // The entry comes due before the mark of the removal, or of the new contact, has been seen.
    World w({}, 2);
    w.add(0, true);
    w.add(1, true);
    w.contacts.slots[0].present = false;
    w.contacts.slots[1].generation += 1;
    w.run(20'100);
    EXPECT_EQ(w.keeper.contacts(), 1u);
    w.run(20'100);
    EXPECT_EQ(w.view({1, 2}).state, Reach::kReachable);
    w.keeper.changed(0);
    w.keeper.changed(77);  // no such slot
    EXPECT_EQ(w.keeper.contacts(), 1u);
}

TEST(KeeperRules, BothClocksMayWrap) {
    // The millisecond clock passes 2^32 (what the state keeps of it) and ticks pass 2^32 within the
    // run.
    for (const std::uint64_t wrap : {std::uint64_t{1} << 32, std::uint64_t{10} << 32}) {
        World w({}, 50, wrap - 30'000);
        for (std::uint32_t slot = 0; slot < 50; ++slot) {
            w.add(slot, true);
        }
        w.run(120'000);
        EXPECT_GE(w.sink.pings.size(), 50u * 5);
        EXPECT_LE(w.sink.pings.size(), 50u * 9);
        EXPECT_EQ(w.in_state(Reach::kReachable), 50u);
        EXPECT_EQ(w.keeper.figures().missed.get(), 0u);
        EXPECT_EQ(w.keeper.figures().late.get(), 0u);
    }
}

TEST(KeeperRules, AnExpiryOfYearsIsKept) {
    World w({.interval_ms = 0}, 1);
    w.add(0, true, std::numeric_limits<std::uint32_t>::max());
    w.run(40'000'000'000, 60'000);  // 463 days
    EXPECT_TRUE(w.sink.expires.empty());
    EXPECT_EQ(w.keeper.contacts(), 1u);
}

// A contact is due several times for a ping: to be pinged, pinged again, and given up. Each time
// the keeper reads it once, and the ping goes by that.
TEST(KeeperRules, APingReadsItsContactOnce) {
    World w({}, 1);
    w.add(0, true);
    w.run_past_ping();
    w.answers[0] = false;  // so that pings are repeated, too
    std::size_t looked_at = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t reads = w.contacts.reads;
        const std::size_t pings = w.sink.pings.size();
        w.run(5);
        if (w.sink.pings.size() != pings) {
            ASSERT_EQ(w.contacts.reads, reads + 1);
            ++looked_at;
        }
    }
    EXPECT_GT(looked_at, 5U);
    EXPECT_GT(w.keeper.figures().repeated.get(), 0U);
}

TEST(KeeperRules, CostsFewBytes) {
    EXPECT_LE(Keeper::bytes_per_contact(), 48u);
}

}  // namespace
}  // namespace pinhole::qualify
