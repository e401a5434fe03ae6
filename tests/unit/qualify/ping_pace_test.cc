// SPDX-License-Identifier: BSD-3-Clause
// The cap on pings in any 10 ms, their even share of the time, the count of plans by tick, and the
// windows that follow from the policy.
#include "control/qualify/ping_pace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace pinhole::qualify {
namespace {

TEST(PingPace, CapFollowsContactsAndPolicy) {
    EXPECT_EQ(PingPace::cap({.interval_ms = 25'000}, 0), 32u);
    EXPECT_EQ(PingPace::cap({.interval_ms = 25'000}, 23'300), 12u + 32u);  // 10 in 10 ms on average
    EXPECT_EQ(PingPace::cap({.interval_ms = 25'000}, 9'300'000), 4'800u + 32u);
    EXPECT_EQ(PingPace::cap({.interval_ms = 0}, 20'000), 0u);
}

// The most in any `span_us`, of moments in order.
std::size_t most_within(const std::vector<std::uint64_t>& moments, std::uint64_t span_us) {
    std::size_t most = 0;
    for (std::size_t last = 0, first = 0; last < moments.size(); ++last) {
        while (moments[last] - moments[first] > span_us) {
            ++first;
        }
        most = std::max(most, last - first + 1);
    }
    return most;
}

// A thread that wants to send all the time, works for a while and stands still now and then,
// between two pings too; and when each may have left.
struct Restless {
    PingPace pace;
    std::mt19937 random{5};
    std::uint64_t us = 995'123;
    std::vector<std::uint64_t> soonest;
    std::vector<std::uint64_t> latest;

    void run(std::uint64_t for_us) {
        for (const std::uint64_t end = us + for_us; us < end; us += random() % 1'500) {
            pace.set_now(us);
            const std::size_t before = latest.size();
            while (pace.may_send() && latest.size() - before < 100) {
                pace.sent();
                soonest.push_back(us);
                us += random() % 50 == 0 ? random() % 3'000 : 0;
                latest.push_back(us);
            }
            std::fill(latest.begin() + static_cast<std::ptrdiff_t>(before), latest.end(), us);
            pace.set_now(us);
            pace.set_waiting(0);
        }
    }
};

TEST(PingPace, HoldsTheCapOverEveryTenMillisecondsWheneverItLeaves) {
    Restless thread;
    thread.pace.set_limits(70, 0);
    constexpr std::uint64_t kTime_us = 4'000'000;
    thread.run(kTime_us);
    EXPECT_LE(most_within(thread.soonest, 10'000), 70u);
    EXPECT_LE(most_within(thread.latest, 10'000), 70u);
    EXPECT_GE(thread.latest.size(), 70 * kTime_us / 10'000 * 3 / 4);
}

TEST(PingPace, KeepsTheBudgetOfASecond) {
    for (const std::uint32_t budget : {1u, 200u, 5'000u}) {
        Restless thread;
        thread.pace.set_limits(10'000, budget);
        thread.run(10'000'000);
        EXPECT_LE(most_within(thread.latest, 1'000'000), budget) << budget;
        EXPECT_GE(thread.latest.size(), budget * 9) << budget;
        thread.pace.set_limits(10'000, 0);  // it was taken back
        thread.run(100'000);
        EXPECT_GE(thread.latest.size(), budget * 9 + 1'000) << budget;
    }
}

TEST(PingPace, ForgetsAfterAGap) {
    PingPace pace;
    pace.set_limits(3, 0);
    for (const std::uint64_t ms : {100u, 111u, 150u, 100'000u}) {
        pace.set_now(ms * 1'000);
        for (int i = 0; i < 3; ++i) {
            ASSERT_TRUE(pace.may_send());
            pace.sent();
        }
        EXPECT_FALSE(pace.may_send());
        pace.set_waiting(0);
        pace.set_now((ms + 10) * 1'000);
        EXPECT_FALSE(pace.may_send());
    }
}

// A worker that stands still lets all go at once when it goes on: they count from then.
TEST(PingPace, CountsWhatWaitsUntilItHasLeft) {
    PingPace pace;
    pace.set_limits(70, 0);
    pace.set_now(1'000'000);
    for (int i = 0; i < 70; ++i) {
        pace.sent();
    }
    pace.set_waiting(70);
    pace.set_now(1'050'000);
    pace.set_waiting(60);
    EXPECT_FALSE(pace.may_send());
    pace.set_now(1'061'000);  // the ten that left first are forgotten
    EXPECT_TRUE(pace.may_send());
    for (int i = 0; i < 10; ++i) {
        pace.sent();
    }
    EXPECT_FALSE(pace.may_send());
    pace.set_waiting(0);
    pace.set_now(1'071'000);
    EXPECT_FALSE(pace.may_send());
    pace.set_now(1'072'000);
    EXPECT_TRUE(pace.may_send());
}

TEST(PingPace, HasATicksPingsWaitForTheirPartOfIt) {
    PingPace pace;
    pace.set_limits(1'000, 0);
    pace.set_now(5'000'000);
    unsigned sent = 0;
    for (std::uint64_t us = 5'000'000; us <= 5'010'000; us += 500) {
        pace.set_now(us);
        for (; sent < 10'000 && !pace.is_early(); ++sent) {
            pace.sent();
        }
        const auto due = static_cast<unsigned>((us - 5'000'000) / 10);
        ASSERT_GE(sent, due);
        ASSERT_LE(sent, due + 201);  // two milliseconds' worth and one
    }
    pace.set_now(5'100'000);  // not more of what was missed than those
    for (sent = 0; sent < 10'000 && !pace.is_early(); ++sent) {
        pace.sent();
    }
    EXPECT_EQ(sent, 201u);
}

TEST(PingPace, CountsPlansByTickThroughTheWrap) {
    PingLoad load(2'500);
    EXPECT_GE(load.ticks(), 5'000u);
    const wheel::Tick last = 0xffff'ffff;
    load.add(last);
    load.add(last + 1);
    load.add(last + 1);
    EXPECT_EQ(load.get(last), 1u);
    EXPECT_EQ(load.get(0), 2u);
    load.remove(last);
    EXPECT_EQ(load.get(last), 0u);
    EXPECT_LE(PingLoad(0xffff'ffff / 2).ticks(), 1u << 16);
    EXPECT_GE(PingLoad(0).ticks(), 1u);
}

TEST(PingPolicy, WindowsFollowFromTheInterval) {
    const PingPolicy usual{};
    EXPECT_EQ(first_window(usual).from_ms, 3'000u);
    EXPECT_EQ(first_window(usual).to_ms, 20'000u);
    EXPECT_EQ(steady_window(usual).from_ms, 15'000u);
    EXPECT_EQ(steady_window(usual).to_ms, 25'000u);
    EXPECT_EQ(effective_timeout_ms(usual), 3'000u);
    const PingPolicy brief{.interval_ms = 1'000, .timeout_ms = 3'000};
    EXPECT_EQ(first_window(brief).to_ms, 800u);
    EXPECT_EQ(effective_timeout_ms(brief), 500u);  // given up before the next one leaves
    EXPECT_LT(effective_timeout_ms(brief), steady_window(brief).from_ms);
}

}  // namespace
}  // namespace pinhole::qualify
