// SPDX-License-Identifier: BSD-3-Clause
// The wheel on synthetic ticks: levels, wrap, cancel, reschedule, one tick for many, overdue,
// jumps, overload, and random operations against a std::multimap.
#include "control/wheel/wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

namespace pinhole::wheel {
namespace {

constexpr std::uint32_t kNoLimit = 0xffff'ffff;

std::vector<std::uint32_t> take(Wheel& wheel, Tick now, std::uint32_t max = kNoLimit) {
    std::vector<std::uint32_t> out;
    const std::uint32_t n =
        wheel.advance(now, max, [&](std::uint32_t slot) { out.push_back(slot); });
    EXPECT_EQ(n, out.size());
    return out;
}

using Slots = std::vector<std::uint32_t>;

// One distance for every level and edge of a level, from every kind of place within the groups, the
// wrap included.
class WheelDistances : public testing::TestWithParam<Tick> {};

TEST_P(WheelDistances, FiresAtItsTickAndNotBefore) {
    const Tick start = GetParam();
    const std::vector<Tick> distances{0,
                                      1,
                                      63,
                                      64,
                                      4'095,
                                      4'096,
                                      4'097,
                                      8'191,
                                      8'192,
                                      12'288,
                                      100'000,
                                      4'194'303,
                                      4'194'304,
                                      4'194'305,
                                      8'388'607,
                                      8'388'608,
                                      8'640'000,
                                      60'480'000 /* 7 days */,
                                      264'241'152 /* 63 super-blocks */,
                                      400'000'000,
                                      2'147'483'000};
    for (const Tick distance : distances) {
        Wheel wheel(4, start);
        wheel.schedule(2, start + distance);
        EXPECT_EQ(wheel.due(2), start + distance);
        if (distance > 0) {
            EXPECT_EQ(take(wheel, start + distance - 1), Slots{}) << start << " + " << distance;
        }
        EXPECT_TRUE(wheel.scheduled(2));
        EXPECT_EQ(take(wheel, start + distance), Slots{2}) << start << " + " << distance;
        EXPECT_FALSE(wheel.scheduled(2));
        EXPECT_EQ(wheel.size(), 0u);
    }
}

INSTANTIATE_TEST_SUITE_P(Starts, WheelDistances,
                         testing::Values(0u, 1u, 4'095u, 4'096u, 4'194'303u, 4'194'304u,
                                         123'456'789u, 0x7fff'ffffu, 0xffff'f000u, 0xffff'fff0u,
                                         0xffff'ffffu));

TEST(Wheel, GivesTicksInOrderAndOneTickInOrderOfScheduling) {
    Wheel wheel(8, 100);
    wheel.schedule(0, 300);
    wheel.schedule(1, 200);
    wheel.schedule(2, 300);
    wheel.schedule(3, 150);
    EXPECT_EQ(take(wheel, 1'000), (Slots{3, 1, 0, 2}));
}

TEST(Wheel, CancelsAnywhere) {
    Wheel wheel(8, 0);
    for (const Tick due : {5u, 5u, 10'000u, 5'000'000u, 9'000'000u}) {
        const std::uint32_t slot = wheel.size();
        wheel.schedule(slot, due);
    }
    for (std::uint32_t slot = 1; slot < 5; ++slot) {
        wheel.cancel(slot);
        wheel.cancel(slot);  // once more is nothing
    }
    EXPECT_EQ(wheel.size(), 1u);
    EXPECT_EQ(take(wheel, 10'000'000), Slots{0});
}

TEST(Wheel, HoldsOneEntryASlot) {
    Wheel wheel(2, 0);
    wheel.schedule(1, 10);
    wheel.schedule(1, 6'000'000);
    wheel.schedule(1, 20);
    EXPECT_EQ(wheel.size(), 1u);
    EXPECT_EQ(take(wheel, 15), Slots{});
    EXPECT_EQ(take(wheel, 20), Slots{1});
    EXPECT_EQ(take(wheel, 7'000'000), Slots{});
}

TEST(Wheel, TakesTheOverdueAtTheNextTick) {
    Wheel wheel(4, 1'000);
    EXPECT_EQ(take(wheel, 1'000), Slots{});
    wheel.schedule(0, 10);
    wheel.schedule(1, 1'000);
    EXPECT_EQ(take(wheel, 1'000), Slots{});
    EXPECT_EQ(take(wheel, 1'001), (Slots{0, 1}));
}

TEST(Wheel, DoesNotSpinOnAnEntryThatIsAlwaysOverdue) {
    Wheel wheel(1, 0);
    wheel.schedule(0, 0);
    std::uint32_t calls = 0;
    wheel.advance(9, kNoLimit, [&](std::uint32_t slot) {
        ++calls;
        wheel.schedule(slot, 0);
    });
    EXPECT_EQ(calls, 10u);  // once a tick
    EXPECT_TRUE(wheel.scheduled(0));
}

TEST(Wheel, MayBeChangedWhileATickIsTakenOut) {
    Wheel wheel(5, 0);
    for (std::uint32_t slot = 0; slot < 4; ++slot) {
        wheel.schedule(slot, 7);
    }
    Slots seen;
    wheel.advance(7, kNoLimit, [&](std::uint32_t slot) {
        seen.push_back(slot);
        if (slot == 0) {
            wheel.cancel(1);
            wheel.schedule(2, 8);
            wheel.schedule(4, 7);
            wheel.schedule(0, 8);
        }
    });
    EXPECT_EQ(seen, (Slots{0, 3}));
    EXPECT_EQ(take(wheel, 8), (Slots{2, 4, 0}));
}

TEST(Wheel, BoundsTheWorkOfACallAndKeepsTheOrder) {
    constexpr std::uint32_t kSlots = 10'000;
    Wheel wheel(kSlots, 0);
    std::mt19937 random(1);
    std::multimap<Tick, std::uint32_t> model;
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
        const Tick due = 50'000 + random() % 50;
        wheel.schedule(slot, due);
        model.emplace(due, slot);
    }
    Slots all;
    std::vector<Tick> order;
    unsigned calls = 0;
    while (!wheel.caught_up(60'000)) {
        ASSERT_LT(++calls, 1'000u);
        for (const std::uint32_t slot : take(wheel, 60'000, 100)) {
            all.push_back(slot);
        }
    }
    ASSERT_EQ(all.size(), kSlots);
    std::size_t at = 0;
    for (auto it = model.begin(); it != model.end();) {
        const auto end = model.upper_bound(it->first);
        Slots expected;
        for (; it != end; ++it) {
            expected.push_back(it->second);
        }
        Slots got(all.begin() + static_cast<std::ptrdiff_t>(at),
                  all.begin() + static_cast<std::ptrdiff_t>(at + expected.size()));
        std::sort(expected.begin(), expected.end());
        std::sort(got.begin(), got.end());
        ASSERT_EQ(got, expected);
        at += expected.size();
    }
}

TEST(Wheel, MovesAGroupDownBeforeItIsDue) {
    // 1,000 entries an hour ahead; each call may do 10. Long before they are due, all stand on the
    // lowest level, so that at their tick 10 can be taken at once.
    Wheel wheel(1'000, 0);
    for (std::uint32_t slot = 0; slot < 1'000; ++slot) {
        wheel.schedule(slot, 360'000);
    }
    for (Tick now = 0; now < 360'000; ++now) {
        ASSERT_EQ(wheel.advance(now, 10, [](std::uint32_t) {}), 0u);
        ASSERT_TRUE(wheel.caught_up(now));
    }
    EXPECT_EQ(take(wheel, 360'000, 10).size(), 10u);
    EXPECT_FALSE(wheel.caught_up(360'000));
}

// A caller that has enough of a tick gets the rest of it next, and what is far away comes closer
// meanwhile.
TEST(Wheel, TakesNoMoreThanIsEnough) {
    constexpr Tick kTick = 4'200;
    Wheel wheel(1'000, 0);
    for (std::uint32_t slot = 0; slot < 100; ++slot) {
        wheel.schedule(slot, kTick);
    }
    for (std::uint32_t slot = 100; slot < 1'000; ++slot) {
        wheel.schedule(slot, 8'200);
    }
    Slots taken;
    for (std::size_t calls = 1; calls <= 10; ++calls) {
        wheel.advance(
            kTick, 100, [&](std::uint32_t slot) { taken.push_back(slot); },
            [](std::uint32_t, std::uint32_t) {}, [&] { return taken.size() == calls * 10; });
        ASSERT_EQ(taken.size(), calls * 10);
        EXPECT_TRUE(wheel.has_begun(kTick));
        EXPECT_EQ(wheel.caught_up(kTick), calls == 10);
    }
    EXPECT_FALSE(wheel.has_begun(kTick + 1));
    for (std::uint32_t i = 0; i < taken.size(); ++i) {
        ASSERT_EQ(taken[i], i);
    }
    // All of them are near already: no call has to move them before it can take some.
    EXPECT_EQ(take(wheel, 8'200, 50).size(), 50u);
}

TEST(Wheel, LeapsOverEmptyTime) {
    Wheel wheel(2, 0);
    EXPECT_EQ(take(wheel, 2'000'000'000), Slots{});
    wheel.schedule(0, 2'000'000'005);
    wheel.schedule(1, 2'060'480'000);
    EXPECT_EQ(take(wheel, 2'100'000'000), (Slots{0, 1}));
}

// Steps of every size, budgets small and large, against the plainest model.
TEST(Wheel, BehavesLikeAMultimap) {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        constexpr std::uint32_t kSlots = 300;
        Tick now = 0u - random() % 3'000'000;  // most runs cross the wrap
        Wheel wheel(kSlots, now + 1);
        std::map<std::uint32_t, std::uint64_t> due_of;  // by slot, in ticks since the start
        std::uint64_t elapsed = 0;
        for (int step = 0; step < 20'000; ++step) {
            const std::uint32_t slot = random() % kSlots;
            const auto pick = random() % 100;
            if (pick < 60) {
                const std::uint32_t ahead = random() % (1u << random() % 29);
                wheel.schedule(slot, now + ahead);
                due_of[slot] = elapsed + std::max(ahead, 1u);
            } else if (pick < 70) {
                wheel.cancel(slot);
                due_of.erase(slot);
            } else {
                const std::uint32_t leap = random() % (1u << random() % (pick < 98 ? 12 : 27));
                now += leap;
                elapsed += leap;
                const std::uint32_t budget = 1 + random() % 50;
                std::uint64_t last = 0;
                do {
                    wheel.advance(now, budget, [&](std::uint32_t fired) {
                        const auto it = due_of.find(fired);
                        ASSERT_NE(it, due_of.end());
                        EXPECT_LE(it->second, elapsed);
                        EXPECT_GE(it->second, last);
                        last = it->second;
                        due_of.erase(it);
                    });
                } while (!wheel.caught_up(now));
                for (const auto& [s, due] : due_of) {
                    ASSERT_GT(due, elapsed) << "slot " << s << " was not taken";
                }
            }
            ASSERT_EQ(wheel.size(), due_of.size());
            ASSERT_EQ(wheel.scheduled(slot), due_of.count(slot) == 1);
        }
    }
}

// For who fetches ahead: of a tick's entries, the two that come next, taken or not.
TEST(Wheel, SaysWhoComesNext) {
    Wheel wheel(8, 0);
    for (const std::uint32_t slot : {5U, 1U, 7U}) {
        wheel.schedule(slot, 10);
    }
    wheel.schedule(3, 11);
    std::vector<Slots> seen;
    wheel.advance(
        20, kNoLimit, [&](std::uint32_t slot) { seen.push_back({slot}); },
        [&](std::uint32_t next, std::uint32_t after) {
            seen.push_back({next, after});
        });
    EXPECT_EQ(seen, (std::vector<Slots>{{1, 7}, {5}, {7, Wheel::kNobody}, {1}, {7}, {3}}));
}

}  // namespace
}  // namespace pinhole::wheel
