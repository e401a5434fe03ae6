// SPDX-License-Identifier: BSD-3-Clause
// What a contact proves by itself spares pings, makes up for lost ones and brings it back; and
// nothing else does.
#include "tests/unit/qualify/world.h"

#include <gtest/gtest.h>

namespace pinhole::qualify {
namespace {

using table::Life;
using table::Proof;
using table::QualifyTable;
using table::QualifyView;

void prove(World& w, ContactId id, Proof proof = Proof::kRegister) {
    w.states.prove_any(id.slot, static_cast<std::uint32_t>(w.ms), proof);
}

TEST(Life, KeepsWhenAndByWhat) {
    QualifyTable table(2);
    EXPECT_EQ(table.life_any(1).proof, Proof::kNone);
    table.prove_any(1, 1'003, Proof::kDialog);
    EXPECT_EQ(table.life_any(1).proof, Proof::kDialog);
    EXPECT_EQ(table.life_any(1).at_ms, 1'000u);
    EXPECT_EQ(table.life_any(0).proof, Proof::kNone);
    table.prove_any(2, 1'000, Proof::kPong);  // no such slot
    table.forget_life_control(1);
    EXPECT_EQ(table.life_any(1).proof, Proof::kNone);
}

TEST(Life, AgesThroughTheWrapAndIsNeverOfTheFuture) {
    const Life life{Proof::kPong, 0xffff'fff0};
    EXPECT_EQ(life.age_ms(0x10), 0x20u);
    EXPECT_EQ(life.age_ms(0xffff'ffe0), 0u);  // stamped by a worker whose clock was read later
}

TEST(KeeperLife, AProofMovesTheNextPingOut) {
    World w({}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    // A phone that says something every 10 s needs no ping for as long as it does.
    const std::size_t before = w.sink.pings.size();
    for (int i = 0; i < 60; ++i) {
        prove(w, id);
        w.run(10'000);
    }
    EXPECT_EQ(w.sink.pings.size(), before);
    EXPECT_GT(w.keeper.figures().spared.get(), 20u);
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
    // The last proof was 10 s ago: the next ping comes within an interval of it.
    w.run(15'050);
    EXPECT_EQ(w.sink.pings.size(), before + 1);
}

TEST(KeeperLife, NoIntervalEverPassesWithoutAPingOrAProof) {
    World w({}, 1);
    const ContactId id = w.add(0, true);
    std::uint64_t heard = w.ms;
    std::size_t seen = 0;
    Random random(5);
    for (int i = 0; i < 2'000; ++i) {
        w.run(1'000);
        if (w.sink.pings.size() > seen) {
            seen = w.sink.pings.size();
            heard = w.sink.pings.back().ms;
        }
        ASSERT_LE(w.ms - heard, 26'100u);
        if (random.below(30) == 0) {
            prove(w, id, Proof::kDialog);
            heard = w.ms;
        }
    }
    EXPECT_GT(w.keeper.figures().spared.get(), 0u);
}

TEST(KeeperLife, WithoutAProofNothingIsPutOff) {
    World w({}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    prove(w, id, Proof::kNone);
    const std::uint64_t last = w.sink.pings.back().ms;
    while (w.sink.pings.size() == 1) {
        w.run(10);
        prove(w, id, Proof::kNone);
    }
    EXPECT_LE(w.sink.pings.back().ms - last, 25'020u);
    EXPECT_EQ(w.keeper.figures().spared.get(), 0u);
}

TEST(KeeperLife, AProofOfBeforeThePingOrOfAnotherContactOrFlowIsNone) {
    World w({}, 1);
    ContactId id = w.add(0, true);
    prove(w, id);
    id = w.add(0, true);  // another contact takes the slot
    w.run(20'100);
    EXPECT_EQ(w.keeper.figures().spared.get(), 0u);
    ASSERT_GE(w.sink.pings.size(), 1u);
    prove(w, id);
    w.move(0);
    EXPECT_EQ(w.states.life_any(0).proof, Proof::kNone);
}

TEST(KeeperLife, AProofMakesUpForALostPing) {
    World w({.max_missed = 1}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.answers[0] = false;
    const std::size_t before = w.sink.pings.size();
    while (w.sink.pings.size() == before) {
        w.run(10);
    }
    w.run(1'000);
    prove(w, id);  // after the ping has left, before it is given up
    w.run(3'000);
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
    EXPECT_FALSE(w.view(id).has(QualifyView::kWaiting));
    EXPECT_EQ(w.keeper.figures().missed.get(), 0u);
}

TEST(KeeperLife, AProofBringsBackWhoWasGivenUp) {
    World w({.max_missed = 1, .remove_after_s = 60}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.answers[0] = false;
    while (w.view(id).state != Reach::kUnreachable) {
        w.run(10);
    }
    w.run(5'000);
    prove(w, id);
    w.keeper.changed(0);  // the worker marks it, so that it rings at once
    EXPECT_EQ(w.view(id).state, Reach::kReachable);
    EXPECT_EQ(w.in_state(Reach::kReachable), 1u);
    EXPECT_EQ(w.in_state(Reach::kUnreachable), 0u);
}

TEST(KeeperLife, ARemovalIsNotAskedForWhoLives) {
    World w({.max_missed = 1, .remove_after_s = 60}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.answers[0] = false;
    while (w.view(id).state != Reach::kUnreachable) {
        w.run(10);
    }
    while (w.sink.removals.empty() && w.now().s < w.view(id).unreachable_since_s + 59) {
        w.run(10);
    }
    prove(w, id);
    w.run(2'000);
    EXPECT_TRUE(w.sink.removals.empty());
}

TEST(KeeperLife, ALateAnswerEndsTheHurry) {
    World w({}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.answers[0] = false;
    while (w.view(id).missed == 0) {
        w.run(10);
    }
    const std::size_t before = w.sink.pings.size();
    w.keeper.pong(id, 4'000'000, 200, true);
    w.run(14'000);  // the repetition would have come by now
    EXPECT_EQ(w.sink.pings.size(), before);
}

}  // namespace
}  // namespace pinhole::qualify
