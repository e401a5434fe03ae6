// SPDX-License-Identifier: BSD-3-Clause
// What waits: jobs for their owners, and timers until they are due.
#include "dataplane/edge/waiting.h"

#include "dataplane/edge/pool.h"
#include "dataplane/edge/timer_queue.h"
#include "tests/unit/edge/edges.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::edge::test {
namespace {

TEST(Pool, HandsOutWhatWasReturnedLast) {
    Pool<int> pool(2);
    int* const first = pool.take();
    int* const second = pool.take();
    ASSERT_NE(first, nullptr);
    ASSERT_NE(second, nullptr);
    EXPECT_NE(first, second);
    EXPECT_EQ(pool.take(), nullptr) << "all are out";
    pool.give_back(*first);
    pool.give_back(*second);
    EXPECT_EQ(pool.take(), second);
    EXPECT_EQ(&pool[pool.index_of(*second)], second);
}

TEST(WaitingJobs, LateOnesAreToldOnce) {
    WaitingJobs waiting;
    waiting.begin(3, 1000);
    waiting.begin(4, 1500);
    EXPECT_EQ(waiting.count(), 2U);
    EXPECT_EQ(waiting.take_late(1999, 1000), 0U);
    EXPECT_EQ(waiting.take_late(2000, 1000), 1U);
    EXPECT_EQ(waiting.take_late(2000, 1000), 0U) << "told of before";
    EXPECT_EQ(waiting.take_late(9000, 1000), 1U);
    waiting.end(3);
    EXPECT_FALSE(waiting.waits(3));
    waiting.begin(3, 9000);
    EXPECT_EQ(waiting.take_late(9999, 1000), 0U) << "another job in the same place";
    EXPECT_EQ(waiting.take_late(10'000, 1000), 1U);
}

TEST(WaitingJobs, HasRoomForSoMany) {
    WaitingJobs waiting;
    for (std::uint32_t job = 0; job < kMaxWaiting; ++job) {
        EXPECT_TRUE(waiting.has_room());
        waiting.begin(job, 0);
    }
    EXPECT_FALSE(waiting.has_room());
    waiting.end(7);
    EXPECT_TRUE(waiting.has_room());
}

TEST(TimerQueue, TheNextOneDueComesFirst) {
    TimerQueue queue;
    EXPECT_FALSE(queue.take_due(~std::uint64_t{0}).has_value());
    for (const std::uint64_t due_ms : {30U, 10U, 20U}) {
        queue.add({TimerKind::kOwners, due_ms});
    }
    EXPECT_FALSE(queue.take_due(9).has_value());
    EXPECT_EQ(queue.take_due(10)->due_ms, 10U);
    EXPECT_FALSE(queue.take_due(10).has_value());
    EXPECT_EQ(queue.take_due(100)->due_ms, 20U);
    EXPECT_EQ(queue.take_due(100)->due_ms, 30U);
    EXPECT_FALSE(queue.take_due(100).has_value());
}

std::string register_text(const std::string& user) {
    return "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
           "192.168.1.10:5060;branch=z9hG4bK" +
           user + ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:" + user +
           "@example.com>;tag=f\r\nTo: <sip:" + user + "@example.com>\r\nCall-ID: c-" + user +
           "\r\nCSeq: 1 REGISTER\r\nContact: <sip:" + user +
           "@192.168.1.10:5060>\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n";
}

// Worker 1 stands still: what waits for it is counted once, and counted no more when it has
// answered.
TEST(LateOwners, AreCountedByTheClockAlone) {
    Edges edges({.workers = 2});
    const std::string theirs = edges.user_of(1);
    EXPECT_TRUE(edges.ask(0, from(kNat, 1001), register_text(theirs)).empty());
    EXPECT_EQ(edges.held(0), 1U);
    EXPECT_EQ(edges.sink(0).kept, 1U);
    const auto late = [&] { return edges.counters(0).handoffs_late.get(); };
    edges.pass_ms(999);
    (void)edges.round(0);
    EXPECT_EQ(late(), 0U);
    edges.pass_ms(1);
    (void)edges.round(0);
    EXPECT_EQ(late(), 1U);
    edges.pass_s(60);
    (void)edges.round(0);
    EXPECT_EQ(late(), 1U);
    edges.settle();
    EXPECT_EQ(edges.sent(0).size(), 1U);
    EXPECT_EQ(edges.held(0), 0U);
    // A new one, answered in time; the timer finds nothing to count and is not set again.
    EXPECT_TRUE(edges.ask(0, from(kNat, 1002), register_text(edges.user_of(1, 1))).empty());
    edges.settle();
    edges.pass_s(60);
    (void)edges.round(0);
    EXPECT_EQ(late(), 1U);
    EXPECT_FALSE(edges.sink(0).timers.take_due(~std::uint64_t{0}).has_value());
}

// What is under way when an edge ends goes back.
TEST(LateOwners, AnEdgeThatEndsHandsBackWhatWaits) {
    Edges edges({.workers = 2});
    EXPECT_TRUE(edges.ask(0, from(kNat, 1001), register_text(edges.user_of(1))).empty());
    EXPECT_EQ(edges.held(0), 1U);  // ~Edges aborts if it isn't handed back
}

}  // namespace
}  // namespace pinhole::edge::test
