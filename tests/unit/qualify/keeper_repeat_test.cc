// SPDX-License-Identifier: BSD-3-Clause
// A ping without an answer is sent once more before it counts as missed: to whom, when, and what
// for.
#include "tests/unit/qualify/world.h"

#include <gtest/gtest.h>

namespace pinhole::qualify {
namespace {

using table::Reach;

// Pings since the last time.
std::size_t pings(World& w) {
    const std::size_t n = w.sink.pings.size();
    w.sink.pings.clear();
    return n;
}

// A phone that has answered, and a ping of which just has left.
ContactId pinged_phone(World& w, bool answers_still) {
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.answers[0] = answers_still;
    (void)pings(w);
    while (w.sink.pings.empty()) {
        w.run(5);
    }
    (void)pings(w);
    return id;
}

TEST(KeeperRepeat, OnceAfterAThirdOfTheTimeout) {
    World w({}, 1);
    const ContactId id = pinged_phone(w, false);
    w.run(980);
    EXPECT_EQ(pings(w), 0U);
    w.run(40);
    EXPECT_EQ(pings(w), 1U);
    w.run(1'960);
    EXPECT_EQ(pings(w), 0U) << "once";
    EXPECT_EQ(w.view(id).missed, 0U) << "the two are one ping";
    w.run(60);
    EXPECT_EQ(w.view(id).missed, 1U);
    EXPECT_EQ(w.keeper.figures().repeated.get(), 1U);
    EXPECT_EQ(w.keeper.figures().missed.get(), 1U);
}

TEST(KeeperRepeat, WhoAnswersIsNotAskedAgain) {
    World w({}, 1);
    (void)pinged_phone(w, true);
    w.run(14'000);  // less than the next ping waits
    EXPECT_EQ(pings(w), 0U);
    EXPECT_EQ(w.keeper.figures().repeated.get(), 0U);
}

TEST(KeeperRepeat, AnAnswerToTheSecondIsAsGood) {
    World w({}, 1);
    const ContactId id = pinged_phone(w, false);
    w.answers[0] = true;
    w.run(1'200);
    EXPECT_EQ(pings(w), 1U);
    EXPECT_FALSE(w.view(id).has(table::QualifyView::kWaiting));
    w.run(5'000);
    EXPECT_EQ(w.keeper.figures().missed.get(), 0U);
}

TEST(KeeperRepeat, WhoIsFarAwayIsGivenMoreTime) {
    World w({}, 1);
    const ContactId id = w.add(0, false);
    while (w.sink.pings.empty()) {
        w.run(5);
    }
    w.run(800);
    w.keeper.pong(id, 800'000, 200, true);
    (void)pings(w);
    while (w.sink.pings.empty()) {
        w.run(5);
    }
    (void)pings(w);
    w.run(1'580);
    EXPECT_EQ(pings(w), 0U) << "twice its round trip";
    w.run(40);
    EXPECT_EQ(pings(w), 1U);
}

// Some phones never answer an OPTIONS.
TEST(KeeperRepeat, OfWhoHasNeverAnsweredTheFirstAlone) {
    World w({}, 1);
    (void)w.add(0, false);
    w.run(5 * 60'000);
    EXPECT_EQ(w.keeper.figures().repeated.get(), 1U);
}

TEST(KeeperRepeat, NotOfTheUnreachable) {
    World w({.max_missed = 1, .remove_after_s = 0}, 1);
    const ContactId id = pinged_phone(w, false);
    w.run(3'100);
    ASSERT_EQ(w.view(id).state, Reach::kUnreachable);
    const std::uint64_t before = w.keeper.figures().repeated.get();
    w.run(5 * 60'000);
    EXPECT_EQ(w.keeper.figures().repeated.get(), before);
}

TEST(KeeperRepeat, NotWhereTheWorkerTakesNoMoreNorBeyondAnAddressesBound) {
    World w({}, 1);
    const ContactId id = pinged_phone(w, false);
    w.sink.queue_full = true;
    w.run(2'000);
    w.sink.queue_full = false;
    w.run(900);
    EXPECT_EQ(pings(w), 0U);
    w.run(200);
    EXPECT_EQ(w.view(id).missed, 1U);

    World bounded({.max_address_pings_per_s = 100}, 1);
    (void)pinged_phone(bounded, false);
    bounded.run(2'900);
    EXPECT_EQ(pings(bounded), 0U);
}

}  // namespace
}  // namespace pinhole::qualify
