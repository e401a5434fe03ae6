// SPDX-License-Identifier: BSD-3-Clause
// Pings leave evenly: avalanches of registrations, stalls, full queues, budgets too small, and
// expiries beside them.
#include "tests/unit/qualify/world.h"

#include <gtest/gtest.h>

#include <random>

namespace pinhole::qualify {
namespace {

constexpr std::uint32_t kMany = 20'000;
constexpr std::uint32_t kInterval = 25'000;

// kMany contacts register within one second.
void avalanche(World& w, std::uint32_t expires_at_s = World::kStartS + World::kFarS) {
    for (std::uint32_t slot = 0; slot < kMany; ++slot) {
        w.add(slot, true, expires_at_s);
        if (slot % (kMany / 200) == 0) {
            w.run(5);
        }
    }
}

double mean_per_10_ms(const World& w, std::uint64_t from_ms) {
    const auto& pings = w.sink.pings;
    const auto n =
        std::count_if(pings.begin(), pings.end(), [&](const Sent& e) { return e.ms >= from_ms; });
    return static_cast<double>(n) * 10 / static_cast<double>(w.ms - from_ms);
}

// What the contacts need: one ping each in 0.93 intervals.
double need_per_10_ms(std::uint32_t contacts) {
    return 10.0 * contacts / (PingPace::kMeanInterval * kInterval);
}

// Pings that left more than one of the histogram's bounds after they were due.
std::uint64_t lag_over(const World& w, std::uint64_t bound_us) {
    const Histogram& lag = w.keeper.figures().lag;
    std::uint64_t n = lag.bucket(Histogram::kBoundsUs.size());
    for (std::size_t i = 1; i < Histogram::kBoundsUs.size(); ++i) {
        n += Histogram::kBoundsUs[i - 1] >= bound_us ? lag.bucket(i) : 0;
    }
    return n;
}

TEST(KeeperPace, AnAvalancheIsSpreadAndNotRepeated) {
    World w({}, kMany);
    avalanche(w);
    w.run(3 * kInterval, 1);
    const std::uint64_t settled = w.ms;
    w.run(4 * kInterval, 1);
    const double mean = mean_per_10_ms(w, settled);
    EXPECT_NEAR(mean, need_per_10_ms(kMany), 0.5);
    EXPECT_LE(busiest_10_ms(w.sink.pings, settled), 1.2 * mean + 32);
    // The first pings, four times as dense as those to come, are paced as well, and few wait long
    // for it.
    EXPECT_LE(busiest_10_ms(w.sink.pings), 1.2 * need_per_10_ms(kMany) + 32);
    EXPECT_EQ(lag_over(w, 1'000'000), 0u);
    EXPECT_EQ(w.in_state(Reach::kReachable), kMany);
    EXPECT_EQ(w.keeper.figures().missed.get(), 0u);
}

TEST(KeeperPace, ChoosesTheEmptierTick) {
    // Without the choice, 10 on average scatter to 25 and more in some tick; with it they don't.
    World w({}, kMany);
    avalanche(w);
    w.run(4 * kInterval, 10);
    const std::uint64_t settled = w.ms;
    w.run(4 * kInterval, 10);
    EXPECT_LE(busiest_10_ms(w.sink.pings, settled), 19u);
}

// Not all at its beginning: 215 a tick here.
TEST(KeeperPace, ATicksPingsAreSpreadOverTheTick) {
    World w({.interval_ms = 1'000}, kMany);
    avalanche(w);
    w.run(5'000, 1);
    const std::uint64_t settled = w.ms;
    w.run(5'000, 1);
    EXPECT_GT(mean_per_10_ms(w, settled), 200);
    EXPECT_LE(busiest(w.sink.pings, 1, settled), 60u);
    EXPECT_EQ(w.keeper.figures().late.get(), 0u);
    EXPECT_EQ(w.keeper.figures().overdue.get(), 0u);
}

TEST(KeeperPace, EveryContactIsPingedInItsWindow) {
    World w({}, kMany);
    avalanche(w);
    w.run(8 * kInterval, 10);
    std::vector<std::uint64_t> last(kMany, 0);
    for (const Sent& e : w.sink.pings) {
        if (last[e.id.slot] != 0) {
            ASSERT_GE(e.ms - last[e.id.slot], 15'000u);
            ASSERT_LE(e.ms - last[e.id.slot], 25'200u);
        }
        last[e.id.slot] = e.ms;
    }
    for (const std::uint64_t at : last) {
        ASSERT_GE(at, w.ms - 25'200);
    }
}

TEST(KeeperPace, AStallIsCaughtUpWithoutABurst) {
    World w({}, kMany);
    avalanche(w);
    w.run(3 * kInterval, 1);
    const auto sent = w.keeper.figures().sent.get();
    const auto late_before = w.keeper.figures().late.get();
    const std::uint64_t stalled = w.ms;
    w.ms += 5'000;
    w.run(3 * kInterval, 1);
    EXPECT_LE(busiest_10_ms(w.sink.pings, stalled), 1.2 * need_per_10_ms(kMany) + 32);
    EXPECT_GT(w.keeper.figures().late.get(), late_before + 2'500);  // most of what 5 s held
    EXPECT_GT(w.keeper.figures().sent.get(), sent + 3 * kMany);
    EXPECT_EQ(w.keeper.figures().missed.get(), 0u);  // pongs were drained first
    const auto late = w.keeper.figures().late.get();
    w.run(2 * kInterval, 1);
    EXPECT_EQ(w.keeper.figures().late.get(), late);  // it is over
    // First come, first served: nobody waited longer than the stall.
    EXPECT_LE(lag_over(w, 5'000'000), 50u);
    EXPECT_EQ(lag_over(w, 10'000'000), 0u);
}

// What it is handed meanwhile leaves at once when it goes on.
TEST(KeeperPace, AWorkerThatStandsStillIsHandedNoMoreThanMayLeave) {
    World w({}, kMany);
    avalanche(w);
    w.run(3 * kInterval, 1);
    w.waiting = kMany;
    const std::size_t before = w.sink.pings.size();
    w.run(2'000, 1);
    EXPECT_LE(static_cast<double>(w.sink.pings.size() - before), 1.2 * need_per_10_ms(kMany) + 32);
    w.waiting = 0;
    const std::uint64_t goes_on = w.ms;
    w.run(2 * kInterval, 1);
    EXPECT_LE(busiest_10_ms(w.sink.pings, goes_on), 1.2 * need_per_10_ms(kMany) + 32);
    EXPECT_EQ(w.keeper.figures().overdue.get(), 0u);
    EXPECT_EQ(w.keeper.figures().missed.get(), 0u);
}

TEST(KeeperPace, AFullQueueIsTriedOnceACallAndLosesNothing) {
    World w({}, 2'000);
    for (std::uint32_t slot = 0; slot < 2'000; ++slot) {
        w.add(slot, true);
    }
    w.run(2 * kInterval, 5);
    w.sink.queue_full = true;
    const std::size_t before = w.sink.pings.size();
    const std::uint64_t full_since = w.ms;
    w.run(10'000, 5);
    EXPECT_EQ(w.sink.pings.size(), before);
    EXPECT_LE(w.sink.refused, 2'000u);  // once a call
    EXPECT_GT(w.keeper.figures().overdue.get(), 500u);
    EXPECT_GT(w.keeper.figures().queue_full.get(), 0u);
    w.sink.queue_full = false;
    w.run(2 * kInterval, 5);
    EXPECT_LE(busiest_10_ms(w.sink.pings, full_since), 1.2 * need_per_10_ms(2'000) + 32);
    EXPECT_EQ(w.keeper.figures().overdue.get(), 0u);
    EXPECT_EQ(w.in_state(Reach::kReachable), 2'000u);
    EXPECT_EQ(w.keeper.figures().missed.get(), 0u);
}

TEST(KeeperPace, ASlotStandsInTheQueueOnceWhoeverHoldsIt) {
    World w({}, 4);
    w.sink.queue_full = true;
    w.add(0, true);  // stays, and with it the others' places behind it
    w.run(20'500);
    for (int round = 0; round < 10; ++round) {
        for (std::uint32_t slot = 1; slot < 4; ++slot) {
            w.add(slot, true);
        }
        w.run(20'500);
        EXPECT_EQ(w.keeper.figures().overdue.get(), 4u);
    }
    w.sink.queue_full = false;
    w.run(10);
    EXPECT_EQ(w.sink.pings.size(), 4u);
    EXPECT_EQ(w.keeper.figures().overdue.get(), 0u);
}

TEST(KeeperPace, TheBudgetOfPingsHoldsAndExpiriesDontWaitForIt) {
    // 20,000 contacts need 900 pings a second and may have 200.
    World w({.max_pings_per_s = 200}, kMany);
    const std::uint32_t at_s = w.now().s + 100;
    avalanche(w, at_s);
    std::uint32_t expired = 0;
    w.sink.on_expire = [&](ContactId id) {
        ++expired;
        w.contacts.slots[id.slot].present = false;
    };
    const std::uint64_t from = w.ms;
    w.run(w.begin_of(at_s) - w.ms + 20, 1);
    EXPECT_EQ(expired, kMany);
    EXPECT_LE(busiest(w.sink.pings, 1'000), 200u);
    EXPECT_LE(busiest_10_ms(w.sink.pings), 3u);
    const double seconds = static_cast<double>(w.ms - from) / 1'000;
    EXPECT_GE(static_cast<double>(w.sink.pings.size()), 190 * (seconds - 5));
    for (std::uint32_t slot = 0; slot < kMany; ++slot) {
        w.keeper.changed(slot);
    }
    EXPECT_EQ(w.keeper.figures().expired.get(), kMany);
    EXPECT_EQ(w.keeper.contacts(), 0u);
}

TEST(KeeperPace, AllExpireOnTime) {
    World w({}, kMany);
    std::mt19937 random(7);
    std::vector<std::uint64_t> due(kMany);
    w.run(1'500, 10);
    for (std::uint32_t slot = 0; slot < kMany; ++slot) {
        const std::uint32_t at_s = w.now().s + 1 + random() % 7'200;
        w.add(slot, slot % 3 != 0, at_s);
        due[slot] = w.begin_of(at_s);
    }
    std::uint32_t expired = 0;
    w.sink.on_expire = [&](ContactId id) {
        ASSERT_TRUE(w.contacts.slots[id.slot].present);
        ASSERT_GE(w.ms, due[id.slot]);
        ASSERT_LE(w.ms, due[id.slot] + 20);
        w.contacts.slots[id.slot].present = false;
        ++expired;
    };
    w.run(7'202'000, 10);
    EXPECT_EQ(expired, kMany);
}

TEST(KeeperPace, ABudgetOfWorkIsKeptAndTheRestComesNext) {
    World w({.interval_ms = 0}, kMany);
    const std::uint32_t at_s = w.now().s + 10;
    avalanche(w, at_s);
    w.run(w.begin_of(at_s) - w.ms - 20);
    w.ms += 40;
    int calls = 0;
    for (bool done = false; !done; ++calls) {
        const std::size_t before = w.sink.expires.size();
        done = w.step(1'000);
        ASSERT_LE(w.sink.expires.size() - before, 1'000u);
        ASSERT_LT(calls, 100);
    }
    EXPECT_EQ(w.sink.expires.size(), kMany);
    EXPECT_GE(calls, 20);
}

TEST(KeeperPace, RandomOperationsLeaveTheBooksBalanced) {
    constexpr std::uint32_t kSlots = 700;
    // Fewer pings may be sent than the contacts need, so that the queue is always in use.
    World w({.interval_ms = 5'000,
             .timeout_ms = 1'000,
             .max_missed = 2,
             .remove_after_s = 10,
             .max_pings_per_s = 100},
            kSlots);
    std::mt19937 random(3);
    for (int i = 0; i < 400'000; ++i) {
        const std::uint32_t slot = random() % kSlots;
        switch (random() % 60) {
            case 0:
                w.add(slot, random() % 2 == 0, w.now().s + random() % 300);
                break;
            case 1:
                w.remove(slot);
                break;
            case 2:
                random() % 2 == 0 ? w.move(slot) : w.keeper.changed(slot);
                break;
            case 3:
                w.answers[slot] = random() % 4 != 0;
                break;
            case 4:
                w.contacts.slots[slot].expires_at_s = w.now().s + random() % 100;
                break;
            case 5:
                w.sink.queue_full = random() % 8 == 0;
                break;
            default:
                w.run(random() % 20, 1 + random() % 20, 1 + random() % 100);
        }
    }
    std::uint64_t present = 0;
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
        w.keeper.changed(slot);
        present += w.contacts.slots[slot].present ? 1 : 0;
    }
    EXPECT_EQ(w.keeper.contacts(), present);
    EXPECT_EQ(w.in_state(Reach::kUnknown) + w.in_state(Reach::kReachable) +
                  w.in_state(Reach::kUnreachable),
              present);
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
        w.remove(slot);
    }
    EXPECT_EQ(w.keeper.contacts(), 0u);
    EXPECT_EQ(w.in_state(Reach::kUnknown) + w.in_state(Reach::kReachable) +
                  w.in_state(Reach::kUnreachable),
              0u);
    w.sink.queue_full = false;
    w.run(30'000);
    const auto& f = w.keeper.figures();
    EXPECT_EQ(f.overdue.get(), 0u);
    EXPECT_GT(f.deferred.get(), 10'000u);
    EXPECT_GT(f.queue_full.get(), 1'000u);
    EXPECT_EQ(f.sent.get(), w.sink.pings.size());
    EXPECT_EQ(f.lag.count() + f.repeated.get(), f.sent.get());
    EXPECT_EQ(f.rtt.count(), f.answered.get());
    EXPECT_GT(f.expired.get(), 0u);
    EXPECT_GT(f.removed.get(), 0u);
}

// After a stall what is caught up at once follows from what was learned, not from the fixed
// interval.
TEST(KeeperPace, ALearnedIntervalLowersWhatMayLeaveAtOnce) {
    constexpr std::uint32_t kPhones = 40'000;
    World world({.learn = true}, kPhones);
    world.gateways.recall({world.contacts.slots[0].address, 0, 600, 0, 0, 0}, World::kStartS);
    for (std::uint32_t slot = 0; slot < kPhones; ++slot) {
        world.add(slot, true);
    }
    world.run(1'500'000, 10);
    world.ms += 20'000;
    const std::uint64_t from = world.ms;
    world.run(60'000, 1);
    const double mean = 10.0 * kPhones / (PingPace::kMeanInterval * 1'000 * 570);
    EXPECT_LE(busiest_10_ms(world.sink.pings, from), 1.2 * mean + 32 + 1);
    EXPECT_GE(busiest_10_ms(world.sink.pings, from), 32u);
    EXPECT_EQ(world.keeper.figures().overdue.get(), 0u);
}

}  // namespace
}  // namespace pinhole::qualify
