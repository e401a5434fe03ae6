// SPDX-License-Identifier: BSD-3-Clause
// What a binding says of itself, and what the keeper makes of it: a flow that may be another
// phone's by now.
#include "tests/unit/qualify/world.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pinhole::qualify {
namespace {

using table::Proof;
using table::QualifyView;
using table::Reach;

void set_suspect(World& w, std::uint32_t slot, bool suspect) {
    w.contacts.slots[slot].traits = suspect ? QualifyView::kSuspect : 0;
    w.keeper.changed(slot);
}

std::size_t told(const World& w, std::uint32_t slot, Event event) {
    LedgerPage page;
    EXPECT_TRUE(w.ledger.read_any(slot, page));
    return static_cast<std::size_t>(
        std::count_if(page.entries.begin(), page.entries.begin() + page.count,
                      [&](const LedgerEntry& e) { return e.event == event; }));
}

TEST(KeeperTraits, ASuspectIsNotPingedUntilItsPhoneRegisters) {
    World w({}, 2);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    ASSERT_EQ(w.view(id).state, Reach::kReachable);
    w.sink.pings.clear();
    set_suspect(w, 0, true);
    EXPECT_EQ(w.view(id).state, Reach::kUnknown) << "what was known of it was of its own phone";
    EXPECT_TRUE(w.view(id).is_suspect());
    EXPECT_EQ(w.keeper.figures().suspects.get(), 1U);
    w.keeper.changed(0);
    w.run(200'000);
    EXPECT_TRUE(w.sink.pings.empty()) << "the flow is another phone's to keep";
    EXPECT_EQ(told(w, 0, Event::kSuspected), 1U);
    set_suspect(w, 0, false);
    EXPECT_EQ(w.keeper.figures().suspects.get(), 0U);
    EXPECT_EQ(told(w, 0, Event::kTrusted), 1U);
    w.run_past_ping();
    EXPECT_LE(w.sink.pings.front().ms, w.ms);
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
}

// The other phone answers what is sent to the flow, and its calls prove the flow's life.
TEST(KeeperTraits, NothingThatComesByTheFlowSpeaksForASuspect) {
    World w({}, 1);
    const ContactId id = w.add(0, false);
    w.run_past_ping();
    set_suspect(w, 0, true);
    w.keeper.pong(id, 40'000, 200, true);
    EXPECT_EQ(w.view(id).state, Reach::kUnknown);
    EXPECT_EQ(w.keeper.figures().answered.get(), 0U);
    EXPECT_EQ(w.keeper.figures().stale_pongs.get(), 1U);
    w.run(10);
    w.states.prove_any(0, static_cast<std::uint32_t>(w.ms), Proof::kDialog);
    w.keeper.changed(0);
    EXPECT_EQ(told(w, 0, Event::kSpoke), 0U);
}

TEST(KeeperTraits, ASuspectThatMovesIsNoneAnyMore) {
    World w({}, 1);
    const ContactId id = w.add(0, true);
    set_suspect(w, 0, true);
    w.contacts.slots[0].traits = 0;
    w.move(0);
    EXPECT_EQ(w.keeper.figures().suspects.get(), 0U);
    EXPECT_FALSE(w.view(id).is_suspect());
    w.run_past_ping();
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
}

TEST(KeeperTraits, ASuspectStillExpiresAndIsCountedNoMore) {
    World w({}, 1);
    w.add(0, false, World::kStartS + 60);
    set_suspect(w, 0, true);
    w.run(62'000);
    EXPECT_FALSE(w.sink.expires.empty());
    w.remove(0);
    EXPECT_EQ(w.keeper.figures().suspects.get(), 0U);
    EXPECT_EQ(told(w, 0, Event::kTrusted), 0U);
}

// It is no longer unreachable, so that is not why it may go.
TEST(KeeperTraits, ASuspectIsNotRemovedForSilence) {
    World w({.remove_after_s = 60}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.answers[0] = false;
    w.run(90'000);
    ASSERT_EQ(w.view(id).state, Reach::kUnreachable);
    set_suspect(w, 0, true);
    w.sink.removals.clear();
    w.run(200'000);
    EXPECT_TRUE(w.sink.removals.empty());
}

// A ping that waits in the queue when the news comes is not sent.
TEST(KeeperTraits, NorWhatWasQueued) {
    World w({}, 1);
    w.add(0, true);
    w.sink.queue_full = true;
    w.run(30'000);
    ASSERT_GT(w.sink.refused, 0U);
    set_suspect(w, 0, true);
    w.sink.queue_full = false;
    w.run(100'000);
    EXPECT_TRUE(w.sink.pings.empty());
    EXPECT_EQ(w.keeper.figures().overdue.get(), 0U);
}

TEST(KeeperTraits, AnEarlierRunsSuspectStaysOne) {
    World w({}, 1);
    const ContactId id = w.add(0, true);
    set_suspect(w, 0, true);
    Keeper next({}, {w.states, w.gateways, w.ledger}, w.contacts, w.sink, w.now(), 7);
    next.take_up(0);
    EXPECT_TRUE(w.view(id).is_suspect());
    EXPECT_EQ(next.figures().suspects.get(), 1U);
}

void set_alg(World& w, std::uint32_t slot, unsigned alg) {
    w.contacts.slots[slot].traits = static_cast<std::uint8_t>(alg << QualifyView::kAlgShift);
}

// By gateway and in all: consistent, half, broken.
TEST(KeeperTraits, WhatGatewaysDoToSipIsCounted) {
    World w({}, 4);
    for (std::uint32_t slot = 0; slot < 4; ++slot) {
        set_alg(w, slot, slot == 3 ? 1 : slot);
        w.add(slot, true);
    }
    using Counts = std::array<std::uint32_t, 3>;
    const auto at = [&](std::uint32_t slot) {
        GatewayView view;
        EXPECT_TRUE(w.gateways.read_any(w.states.get_control(slot).gateway, view));
        return view.rewritten;
    };
    const auto all = [&] {
        const auto& of = w.keeper.figures().rewritten;
        return Counts{static_cast<std::uint32_t>(of[0].get()),
                      static_cast<std::uint32_t>(of[1].get()),
                      static_cast<std::uint32_t>(of[2].get())};
    };
    EXPECT_EQ(at(0), (Counts{2, 1, 0}));
    EXPECT_EQ(all(), (Counts{2, 1, 0}));
    set_alg(w, 1, 3);  // its Contact has changed
    w.keeper.changed(1);
    EXPECT_EQ(at(0), (Counts{1, 1, 1}));
    EXPECT_EQ(all(), (Counts{1, 1, 1}));
    w.contacts.slots[1].address = net::Address::v4(0x43c2'1738);  // and it moves to another gateway
    w.move(1);
    EXPECT_EQ(at(0), (Counts{1, 1, 0}));
    EXPECT_EQ(at(1), (Counts{0, 0, 1}));
    set_alg(w, 1, 0);
    w.move(1);
    EXPECT_EQ(at(1), (Counts{0, 0, 0}));
    w.remove(2);
    w.remove(3);
    EXPECT_EQ(at(0), (Counts{0, 0, 0}));
    EXPECT_EQ(all(), (Counts{0, 0, 0}));
}

// ---- Phones that listen elsewhere than they send from

ContactId add_asymmetric(World& w, std::uint32_t slot, bool answers = false) {
    w.contacts.slots[slot].has_other_port = true;
    return w.add(slot, answers);
}

TEST(KeeperProbes, OnceWhereNothingAnswersAtTheFlow) {
    World w({}, 1);
    const ContactId id = add_asymmetric(w, 0);
    w.run_past_ping();
    w.run_past_ping();
    EXPECT_TRUE(w.sink.probes.empty()) << "one may be lost";
    w.run(600'000);
    ASSERT_EQ(w.sink.probes.size(), 1U) << "once, not once a ping";
    EXPECT_EQ(w.sink.probes[0].id, id);
    w.keeper.probe_answered(id, 200);
    ASSERT_EQ(w.sink.retargets.size(), 1U);
    // The owner has done it.
    w.contacts.slots[0].has_other_port = false;
    w.contacts.slots[0].at_contact = true;
    w.answers[0] = true;
    w.move(0);
    EXPECT_EQ(told(w, 0, Event::kRetargeted), 1U);
    EXPECT_EQ(told(w, 0, Event::kMoved), 0U);
    EXPECT_EQ(w.keeper.figures().rebinds.get(), 0U);
    w.run_past_ping();
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
    w.run(600'000);
    EXPECT_EQ(w.sink.probes.size(), 1U);
}

TEST(KeeperProbes, NotWhereThePhoneAnswersOrNamesNoOtherPort) {
    World w({}, 2);
    add_asymmetric(w, 0, true);
    w.add(1, false);
    w.run(600'000);
    EXPECT_TRUE(w.sink.probes.empty());
}

// It says so of a ping that it got; to a ping that was never sent, or to whom it isn't, nothing is
// said.
TEST(KeeperProbes, WhatIsNoAnswerOfIts) {
    World w({}, 2);
    const ContactId id = add_asymmetric(w, 0);
    w.keeper.probe_answered(id, 200);
    EXPECT_TRUE(w.sink.retargets.empty()) << "none was sent";
    w.run(100'000);
    ASSERT_EQ(w.sink.probes.size(), 1U);
    for (const unsigned code : {100U, 404U, 410U, 604U}) {
        w.keeper.probe_answered(id, code);
    }
    w.keeper.probe_answered({id.slot, id.generation + 1}, 200);
    w.keeper.probe_answered({7, 1}, 200);
    w.keeper.probe_answered({}, 200);
    EXPECT_TRUE(w.sink.retargets.empty());
    w.keeper.pong(id, 40'000, 200, true);
    w.keeper.probe_answered(id, 200);
    EXPECT_TRUE(w.sink.retargets.empty()) << "it has answered at its flow meanwhile";
}

void change_port(World& w, std::uint32_t slot, unsigned bits) {
    w.contacts.slots[slot].traits = static_cast<std::uint8_t>(bits << QualifyView::kPortShift);
    w.keeper.changed(slot);
}

TEST(KeeperProbes, AgainAfterAChange) {
    World w({}, 1);
    add_asymmetric(w, 0);
    w.run(100'000);
    ASSERT_EQ(w.sink.probes.size(), 1U);
    w.keeper.changed(0);
    w.run(100'000);
    EXPECT_EQ(w.sink.probes.size(), 1U) << "a refresh is none";
    change_port(w, 0, 1);
    w.run(100'000);
    EXPECT_EQ(w.sink.probes.size(), 2U);
    w.move(0);
    w.run(100'000);
    EXPECT_EQ(w.sink.probes.size(), 3U);
}

// Who registers another port all the time, or with many AORs, has no ports scanned.
TEST(KeeperProbes, AFloodOfChangesIsBounded) {
    World w({}, 200);
    for (std::uint32_t slot = 0; slot < 200; ++slot) {
        add_asymmetric(w, slot);
    }
    constexpr std::uint32_t kRounds = 20;
    constexpr std::uint32_t kRoundMs = 70'000;  // sooner, none would get so far
    for (std::uint32_t round = 0; round < kRounds; ++round) {
        for (std::uint32_t slot = 0; slot < 200; ++slot) {
            change_port(w, slot, round % 4);
        }
        w.run(kRoundMs);
    }
    EXPECT_GT(w.sink.probes.size(), 0U);
    EXPECT_LE(w.sink.probes.size(), kRounds * kRoundMs / Gateways::kProbeEvery_ms + 1);
}

}  // namespace
}  // namespace pinhole::qualify
