// SPDX-License-Identifier: BSD-3-Clause
// Hours of a population in seconds: learned intervals against the fixed one, by packets and by the
// share of calls that find a live mapping.
#include "tests/unit/qualify/town.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <utility>

namespace pinhole::qualify {
namespace {

constexpr std::uint32_t kHour = 3'600;
constexpr PingPolicy kLearn{.learn = true, .max_interval_ms = 600'000};

TEST(Learning, AThirdOfThePacketsAndNoFewerCallsReached) {
    const TownPlan plan{.gateways = 100, .phones_each = 8, .lifetimes = kFieldLifetimes};
    Town fixed({}, plan, 1);
    Town learned(kLearn, plan, 1);
    fixed.run_s(kHour);
    fixed.count_anew();
    fixed.run_s(2 * kHour);
    learned.run_s(8 * kHour);
    RecordProperty("calls_while_learning", static_cast<int>(learned.calls()));
    const double while_learning = learned.reached();
    learned.count_anew();
    learned.run_s(6 * kHour);
    const double before = fixed.packets_a_contact_hour(2);
    const double after = learned.packets_a_contact_hour(6);
    std::printf(
        "packets a contact-hour: fixed %.1f, learned %.1f (%.3f); calls reached: fixed "
        "%.5f, while learning %.5f, learned %.5f\n",
        before, after, after / before, fixed.reached(), while_learning, learned.reached());
    EXPECT_LE(after, before / 3);
    EXPECT_GE(learned.reached(), 0.999);
    EXPECT_GE(while_learning, 0.99);
}

// At 5 % loss nobody is removed, and at most `share` of the fixed plan's packets are needed.
void expect_learned_with_loss(decltype(TownPlan::lifetimes) lifetimes, std::uint64_t seed,
                              std::uint32_t hours, double share) {
    const TownPlan plan{
        .gateways = 60, .phones_each = 8, .loss = 0.05, .lifetimes = std::move(lifetimes)};
    Town fixed({}, plan, seed);
    Town learned(kLearn, plan, seed);
    fixed.run_s(hours * kHour);
    learned.run_s(8 * kHour);
    learned.count_anew();
    learned.run_s(6 * kHour);
    std::printf(
        "5 %% loss: packets a contact-hour: fixed %.1f, learned %.1f; calls reached: fixed "
        "%.5f, learned %.5f\n",
        fixed.packets_a_contact_hour(hours), learned.packets_a_contact_hour(6), fixed.reached(),
        learned.reached());
    EXPECT_TRUE(fixed.world.sink.removals.empty());
    EXPECT_TRUE(learned.world.sink.removals.empty());
    EXPECT_GE(learned.reached(), 0.999);
    EXPECT_LE(learned.packets_a_contact_hour(6), fixed.packets_a_contact_hour(hours) * share);
}

// What is lost is repeated while the mapping lasts.
TEST(Learning, WithLossNobodyIsRemovedAndItLearnsAllTheSame) {
    expect_learned_with_loss({{60, 10}, {90, 14}, {120, 20}, {180, 28}, {300, 14}}, 2, 8, 1.0 / 2);
}

// 30 s leave a ping of the fixed interval no time to be repeated twice: at 5 % loss every mapping
// dies sooner or later, and its phone is gone until it registers. What dies so is noticed, and
// pinged sooner.
TEST(Learning, Gateways30sLongWithLossArePingedInTime) {
    const TownPlan plan{.gateways = 40, .phones_each = 8, .loss = 0.05, .lifetimes = {{30, 1}}};
    Town fixed({}, plan, 10);
    Town learned(kLearn, plan, 10);
    fixed.run_s(8 * kHour);
    learned.run_s(8 * kHour);
    const double while_learning = learned.reached();
    learned.count_anew();
    learned.run_s(12 * kHour);
    std::printf(
        "30 s gateways, 5 %% loss: packets a contact-hour: fixed %.1f, learned %.1f; calls "
        "reached: "
        "fixed %.5f, while learning %.5f, learned %.5f\n",
        fixed.packets_a_contact_hour(8), learned.packets_a_contact_hour(12), fixed.reached(),
        while_learning, learned.reached());
    EXPECT_TRUE(learned.world.sink.removals.empty());
    EXPECT_GE(learned.reached(), 0.999);
}

// And of all kinds together.
TEST(Learning, GatewaysAsInTheFieldWithLoss) {
    expect_learned_with_loss(kFieldLifetimes, 11, 6, 1.0 / 3);
}

TEST(Learning, AGatewayTooQuickForTheFixedIntervalIsNoticed) {
    Town fixed({}, {.gateways = 3, .phones_each = 5, .lifetimes = {{15, 1}}}, 9);
    Town learned(kLearn, {.gateways = 3, .phones_each = 5, .lifetimes = {{15, 1}}}, 9);
    fixed.run_s(3 * kHour);
    learned.run_s(6 * kHour);
    learned.count_anew();
    learned.run_s(3 * kHour);
    std::printf("15 s gateways: calls reached: fixed %.3f, learned %.5f\n", fixed.reached(),
                learned.reached());
    EXPECT_LT(fixed.reached(), 0.5);
    EXPECT_GE(learned.reached(), 0.999);
}

TEST(Learning, NoGatewaysPhonesWaitLongerThanItLasts) {
    const TownPlan plan{.gateways = 60, .phones_each = 4, .lifetimes = kFieldLifetimes};
    Town town(kLearn, plan, 3);
    town.run_s(12 * kHour);
    for (std::uint32_t g = 0; g < plan.gateways; ++g) {
        EXPECT_LT(town.lesson(g).safe_s.get() * 1'000u, town.lifetime_ms(g));
        EXPECT_LE(town.lesson(g).losses.get(), 3u) << town.lifetime_ms(g);
        EXPECT_GE(std::max<unsigned>(town.lesson(g).safe_s.get(), 25) * 1'400,
                  std::min(town.lifetime_ms(g), 600'000u) - 1'000)
            << town.lifetime_ms(g);
    }
}

TEST(Learning, OnePhoneAloneIsNoCanary) {
    Town town(kLearn, {.gateways = 10, .phones_each = 1, .lifetimes = {{300, 1}}}, 4);
    town.run_s(4 * kHour);
    EXPECT_EQ(town.world.keeper.figures().trials_survived.get(), 0u);
    EXPECT_EQ(town.reached(), 1.0);
    town.count_anew();
    town.run_s(kHour);
    EXPECT_GT(town.packets_a_contact_hour(1), 250);
}

TEST(Learning, NeverMoreThanOneOfAGroupWaitsForLonger) {
    Town town(kLearn, {.gateways = 5, .phones_each = 10, .lifetimes = {{180, 1}}}, 5);
    for (int i = 0; i < 600; ++i) {
        town.run_s(20);
        std::array<unsigned, 5> canaries{};
        for (std::uint32_t n = 0; n < 50; ++n) {
            canaries[n / 10] += town.world.states.get_control(n).has(table::QualifyView::kCanary);
        }
        for (const unsigned n : canaries) {
            ASSERT_LE(n, 1u);
        }
    }
    EXPECT_GT(town.world.keeper.figures().trials_survived.get(), 50u);
}

TEST(Learning, AShorterLifetimeIsNoticedAtOnceAndLearned) {
    Town town(kLearn,
              {.gateways = 1, .phones_each = 10, .register_s = 600, .lifetimes = {{300, 1}}}, 6);
    town.run_s(6 * kHour);
    ASSERT_GT(town.lesson(0).safe_s.get(), 200u);
    town.set_lifetime_s(0, 60);
    town.run_s(1'200);  // every phone has registered since
    EXPECT_GE(town.world.keeper.figures().fallbacks.get(), 1u);
    EXPECT_LT(town.lesson(0).safe_s.get(), 60u);
    town.run_s(2 * kHour);
    EXPECT_LT(town.lesson(0).safe_s.get(), 60u);
    EXPECT_GT(town.lesson(0).safe_s.get(), 40u);
    town.count_anew();
    town.run_s(3 * kHour);
    EXPECT_GE(town.reached(), 0.999);
}

TEST(Learning, PhonesThatLosePowerTeachNothing) {
    Town town(kLearn, {.gateways = 1, .phones_each = 10, .lifetimes = {{300, 1}}}, 7);
    town.run_s(6 * kHour);
    const unsigned safe_s = town.lesson(0).safe_s.get();
    const unsigned losses = town.lesson(0).losses.get();
    ASSERT_GT(safe_s, 200u);
    for (std::uint32_t phone = 0; phone < 10; ++phone) {
        town.power(phone, false);
        town.run_s(500);
        town.power(phone, true);
        town.run_s(100);
    }
    EXPECT_EQ(town.lesson(0).safe_s.get(), safe_s);
    EXPECT_EQ(town.lesson(0).losses.get(), losses);
}

TEST(Learning, OffEveryoneIsPingedByTheFixedInterval) {
    Town town({.max_interval_ms = 600'000},
              {.gateways = 5, .phones_each = 5, .lifetimes = {{690, 1}}}, 8);
    town.run_s(2 * kHour);
    town.count_anew();
    town.run_s(kHour);
    EXPECT_GT(town.packets_a_contact_hour(1), 2 * 3'600 / 25);
    EXPECT_EQ(town.lesson(0).safe_s.get(), 0u);
}

// Two kinds of phones behind one gateway, whose mappings last differently (one sends keepalives of
// its own): each is learned by itself.
TEST(Learning, KindsOfPhonesAreLearnedApart) {
    Gateways g(1, table::KeyedHash(std::array<std::byte, 32>{}));
    const auto at = net::Address::v4(0x0a00'0001);
    const auto a = g.enter(at, 1);
    const auto b = g.enter(at, 2);
    EXPECT_EQ(a.index, b.index);
    EXPECT_NE(a.lesson, b.lesson);
    EXPECT_EQ(g.enter(at, 1).lesson, a.lesson);
    EXPECT_EQ(g.at(a.index).lessons[a.lesson].phones.get(), 2u);
    // Room for four: a fifth kind shares the last one's, whose lesson then is nobody's.
    (void)g.enter(at, 3);
    const auto fourth = g.enter(at, 4);
    g.at(fourth.index).lessons[fourth.lesson].safe_s.set(99);
    const auto fifth = g.enter(at, 5);
    EXPECT_EQ(fifth.lesson, fourth.lesson);
    EXPECT_EQ(g.at(fifth.index).lessons[fifth.lesson].safe_s.get(), 0u);
    // What was learned of one that has gone waits for its return until its place is needed.
    g.at(a.index).lessons[a.lesson].safe_s.set(120);
    g.leave(a, 1);
    g.leave(a, 1);
    EXPECT_EQ(g.enter(at, 1).lesson, a.lesson);
    EXPECT_EQ(g.at(a.index).lessons[a.lesson].safe_s.get(), 120u);
    g.leave(a, 1);
    EXPECT_EQ(g.enter(at, 6).lesson, a.lesson);
    EXPECT_EQ(g.at(a.index).lessons[a.lesson].safe_s.get(), 0u);
}

}  // namespace
}  // namespace pinhole::qualify
