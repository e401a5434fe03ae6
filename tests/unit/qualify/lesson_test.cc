// SPDX-License-Identifier: BSD-3-Clause
// What canaries teach about a gateway: what is tried next, what survives, what is given up.
#include "control/qualify/lesson.h"

#include <gtest/gtest.h>

#include <vector>

namespace pinhole::qualify {
namespace {

constexpr PingPolicy kPolicy{.learn = true, .max_interval_ms = 600'000};
constexpr std::uint32_t kNow_s = 1'000'000;

// Tries until there is nothing to try, behind a gateway that forgets after `lifetime_s`.
std::vector<std::uint32_t> trials(Lesson& lesson, std::uint32_t lifetime_s) {
    std::vector<std::uint32_t> out;
    for (int i = 0; i < 100; ++i) {
        const std::uint32_t trial = next_trial_s(kPolicy, lesson, kNow_s);
        if (trial == 0) {
            return out;
        }
        out.push_back(trial);
        begin_trial(lesson, 3, trial);
        EXPECT_EQ(lesson.canary, 4u);
        trial < lifetime_s ? survived(lesson) : died_of_trial(lesson, kNow_s);
        EXPECT_EQ(lesson.canary, 0u);
    }
    ADD_FAILURE() << "it never ends";
    return out;
}

TEST(Lesson, StepsAreTriedTwiceAndEndAtTheFirstLoss) {
    Lesson lesson;
    EXPECT_EQ(trials(lesson, 60), (std::vector<std::uint32_t>{32, 32, 41, 41, 53, 53, 68}));
    EXPECT_EQ(lesson.safe_s.get(), 53u);
    EXPECT_EQ(lesson.fail_s.get(), 68u);
    EXPECT_EQ(lesson.losses.get(), 1u);
    // A lost ping can be followed by two others before the 53 s are over.
    EXPECT_EQ(learned_ms(kPolicy, lesson), 45'000u);
    EXPECT_EQ(learned_window(kPolicy, lesson).from_ms, 36'000u);
    EXPECT_EQ(learned_window(kPolicy, lesson).to_ms, 45'000u);
}

TEST(Lesson, OfEveryLifetimeAQuarterIsLostAtMostAndFewCanaries) {
    for (std::uint32_t lifetime_s = 26; lifetime_s < 600; ++lifetime_s) {
        Lesson lesson;
        (void)trials(lesson, lifetime_s);
        const std::uint32_t known = std::max<std::uint32_t>(lesson.safe_s.get(), 25);
        EXPECT_LT(known, lifetime_s);
        EXPECT_GE(known * 135 / 100, lifetime_s - 1) << lifetime_s;
        EXPECT_LE(lesson.losses.get(), 2u) << lifetime_s;
    }
}

TEST(Lesson, NeverBeyondTheMost) {
    Lesson lesson;
    const auto tried = trials(lesson, 100'000);
    EXPECT_EQ(tried.back(), 600u);
    EXPECT_EQ(lesson.safe_s.get(), 600u);
    EXPECT_EQ(learned_ms(kPolicy, lesson), 570'000u);
    const PingPolicy narrow{.interval_ms = 25'000, .learn = true, .max_interval_ms = 20'000};
    EXPECT_EQ(learned_ms(narrow, lesson), 25'000u);
    EXPECT_EQ(next_trial_s(narrow, Lesson{}, kNow_s), 0u);
}

TEST(Lesson, ALossIsBelievedForDays) {
    Lesson lesson;
    (void)trials(lesson, 60);
    EXPECT_EQ(next_trial_s(kPolicy, lesson, kNow_s + kFailureHolds_s - 1), 0u);
    EXPECT_EQ(next_trial_s(kPolicy, lesson, kNow_s + kFailureHolds_s), 68u);
}

TEST(Lesson, WhatWasSafeAndIsNotFallsToTheFixedInterval) {
    Lesson lesson;
    (void)trials(lesson, 200);
    EXPECT_GT(learned_ms(kPolicy, lesson), 100'000u);
    died_of_plan(kPolicy, lesson, kNow_s);
    EXPECT_EQ(learned_ms(kPolicy, lesson), kPolicy.interval_ms);
    EXPECT_EQ(learned_window(kPolicy, lesson).from_ms, steady_window(kPolicy).from_ms);
    EXPECT_GT(next_trial_s(kPolicy, lesson, kNow_s), 25u) << "and is learned anew";
    EXPECT_LT(trials(lesson, 1'000).back(), lesson.fail_s.get());
    // Who had been left to wait by the old plan comes back later, and says nothing of the new one.
    EXPECT_FALSE(waited_by(kPolicy, lesson, kNow_s - 10));
    EXPECT_FALSE(waited_by(kPolicy, lesson, kNow_s + 600));
    EXPECT_TRUE(waited_by(kPolicy, lesson, kNow_s + 601));
    EXPECT_TRUE(waited_by(kPolicy, Lesson{}, 1));
}

// A gateway too quick for the fixed interval.
TEST(Lesson, TheFixedIntervalTooMayBeTooLong) {
    Lesson lesson;
    died_of_plan(kPolicy, lesson, kNow_s);
    EXPECT_EQ(lesson.safe_s.get(), 12u);
    EXPECT_EQ(learned_ms(kPolicy, lesson), 8'000u);
    (void)trials(lesson, 20);
    EXPECT_GE(lesson.safe_s.get(), 15u);
    EXPECT_LT(lesson.safe_s.get(), 20u);
    EXPECT_LT(learned_ms(kPolicy, lesson), 15'000u);
    EXPECT_EQ(next_trial_s(kPolicy, lesson, kNow_s + kShortFailureHolds_s) != 0, true);
    for (int i = 0; i < 10; ++i) {
        died_of_plan(kPolicy, lesson, kNow_s);
    }
    EXPECT_EQ(lesson.safe_s.get(), kLeast_s);
    EXPECT_GT(learned_ms(kPolicy, lesson), 3'000u);
}

TEST(Lesson, ACanaryThatWentSaysNothing) {
    Lesson lesson;
    begin_trial(lesson, 1, 32);
    survived(lesson);
    begin_trial(lesson, 2, 32);
    drop_trial(lesson);
    EXPECT_EQ(lesson.canary, 0u);
    EXPECT_EQ(lesson.safe_s.get(), 0u);
    begin_trial(lesson, 3, 32);
    survived(lesson);
    EXPECT_EQ(lesson.safe_s.get(), 32u);
    EXPECT_EQ(trial_window(lesson).from_ms, 32'000u);
    EXPECT_EQ(trial_window(lesson).to_ms, 32'640u);
}

}  // namespace
}  // namespace pinhole::qualify
