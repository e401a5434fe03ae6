// SPDX-License-Identifier: BSD-3-Clause
// Access outages over synthetic time: seen soon and never where there is none, nobody removed by
// one, few pings meanwhile, and no burst afterwards.
#include "tests/unit/qualify/town.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pinhole::qualify {
namespace {

constexpr std::uint32_t kHour = 3'600;

std::vector<OutageNotice> news_of(Town& town) {
    std::vector<OutageNotice> out;
    for (OutageNotice notice; town.world.gateways.news().take(notice);) {
        out.push_back(notice);
    }
    return out;
}

void cut_prefix(Town& town, const TownPlan& plan, std::uint32_t prefix, bool is_cut) {
    for (std::uint32_t g = 0; g < plan.prefix_gateways; ++g) {
        town.cut(prefix * plan.prefix_gateways + g, is_cut);
    }
}

std::uint64_t pings_of(Town& town, std::uint32_t first, std::uint32_t last, std::uint64_t from_ms) {
    const auto& pings = town.world.sink.pings;
    return static_cast<std::uint64_t>(std::count_if(pings.begin(), pings.end(), [&](const Sent& p) {
        return p.ms >= from_ms && p.id.slot >= first && p.id.slot < last;
    }));
}

class Outages : public testing::TestWithParam<std::uint64_t> {
  protected:
    // Homes of two phones: no gateway alone could tell.
    const TownPlan plan_{.gateways = 120,
                         .phones_each = 2,
                         .loss = 0.05,
                         .prefix_gateways = 40,
                         .lifetimes = {{7'200, 1}}};
};

INSTANTIATE_TEST_SUITE_P(Seeds, Outages, testing::Range<std::uint64_t>(100, 108));

TEST_P(Outages, LossIsNone) {
    Town town({}, plan_, GetParam());
    town.run_s(6 * kHour);
    EXPECT_TRUE(news_of(town).empty());
    EXPECT_TRUE(town.world.sink.removals.empty());
}

TEST_P(Outages, APrefixThatFallsOutIsOneEventWithinAnInterval) {
    Town town({}, plan_, GetParam());
    town.run_s(kHour);
    ASSERT_TRUE(news_of(town).empty());
    cut_prefix(town, plan_, 1, true);
    town.run_s(25);
    auto news = news_of(town);
    ASSERT_EQ(news.size(), 1u);
    EXPECT_TRUE(news[0].began);
    EXPECT_TRUE(news[0].is_prefix);
    EXPECT_EQ(news[0].address, town.address_of(40));
    EXPECT_EQ(news[0].phones, 80u);
    EXPECT_EQ(town.world.gateways.silent(), 1u);

    // Longer than remove_after_s, and the line comes back.
    const std::uint64_t thin_from = town.world.ms + 60'000;
    town.run_s(1'200);
    EXPECT_TRUE(news_of(town).empty());
    EXPECT_TRUE(town.world.sink.removals.empty());
    EXPECT_GE(town.world.in_state(Reach::kUnreachable), 80u);
    const std::uint64_t thin = pings_of(town, 80, 160, thin_from);
    const std::uint64_t usual = pings_of(town, 0, 80, thin_from);
    EXPECT_LT(thin, usual / 2);
    EXPECT_GT(thin, 1'140 / 2);

    cut_prefix(town, plan_, 1, false);
    const std::uint64_t back_at = town.world.ms;
    town.run_s(60);
    news = news_of(town);
    ASSERT_EQ(news.size(), 1u);
    EXPECT_FALSE(news[0].began);
    EXPECT_LE(news[0].at_s - World::kStartS, (back_at - World::kStartMs) / 1'000 + 10);
    EXPECT_EQ(town.world.gateways.silent(), 0u);
    EXPECT_LE(town.world.in_state(Reach::kUnreachable), 3u) << "5 % of its packets are lost";
    town.run_s(kHour);
    EXPECT_TRUE(town.world.sink.removals.empty());
    EXPECT_TRUE(news_of(town).empty());
}

TEST_P(Outages, OnePhoneThatDiesAmongThemIsRemovedAllTheSame) {
    Town town({}, plan_, GetParam());
    town.run_s(kHour);
    town.power(85, false);
    town.run_s(600);
    cut_prefix(town, plan_, 1, true);  // shortly before it is due
    town.run_s(120);
    ASSERT_GE(town.world.sink.removals.size(), 1u);
    EXPECT_EQ(town.world.sink.removals[0].id.slot, 85u);
    town.run_s(900);
    for (const Sent& removal : town.world.sink.removals) {
        EXPECT_EQ(removal.id.slot, 85u);
    }
}

TEST(Outage, OneGatewayOfManyPhonesIsNamedByItself) {
    Town town({}, {.gateways = 3, .phones_each = 30, .lifetimes = {{120, 1}}}, 1);
    town.run_s(kHour);
    town.cut(2, true);
    town.run_s(30);
    const auto news = news_of(town);
    ASSERT_EQ(news.size(), 1u);
    EXPECT_FALSE(news[0].is_prefix);
    EXPECT_EQ(news[0].address, town.address_of(2));
    // The neighbours are pinged as ever, and reached.
    const std::uint64_t from = town.world.ms;
    town.run_s(1'000);
    EXPECT_GE(pings_of(town, 0, 60, from), 60u * 40);
    EXPECT_EQ(town.world.in_state(Reach::kReachable), 60u);
}

// Those who come back after it have their time again; who doesn't is removed remove_after_s later.
TEST(Outage, WhoDoesNotComeBackIsRemovedAfterIt) {
    Town town({}, {.gateways = 1, .phones_each = 20, .lifetimes = {{120, 1}}}, 1);
    town.run_s(kHour);
    town.cut(0, true);
    town.run_s(1'500);
    town.power(3, false);
    ASSERT_TRUE(town.world.sink.removals.empty());
    town.cut(0, false);
    town.run_s(580);
    EXPECT_TRUE(town.world.sink.removals.empty());
    town.run_s(60);
    ASSERT_FALSE(town.world.sink.removals.empty());
    for (const Sent& removal : town.world.sink.removals) {
        EXPECT_EQ(removal.id.slot, 3u);
    }
}

// Expiry is never held back, so that nobody can keep a dead contact for ever.
TEST(Outage, WhoseTimeRunsOutInItGoes) {
    World world({}, 10);
    for (std::uint32_t slot = 0; slot < 10; ++slot) {
        world.add(slot, true, World::kStartS + 900 + slot);
    }
    world.run(60'000);
    std::fill(world.answers.begin(), world.answers.end(), false);
    world.run(800'000);
    EXPECT_EQ(world.gateways.silent(), 1u);
    EXPECT_TRUE(world.sink.removals.empty());
    world.run(60'000);
    EXPECT_GE(world.sink.expires.size(), 10u);
}

// An attacker's phones, ever so many, fall silent together behind the gateway of one who lives: his
// pings come as ever, and the first answer ends it.
TEST(Outage, NobodysSilenceStopsThePingsOfWhoAnswers) {
    constexpr std::uint32_t kMany = 2'000;
    World world({}, kMany + 1);
    for (std::uint32_t slot = 0; slot <= kMany; ++slot) {
        world.add(slot, true);
    }
    world.run(60'000);
    for (int round = 0; round < 5; ++round) {
        std::fill(world.answers.begin() + 1, world.answers.end(), round % 2 != 0);
        const std::uint64_t from = world.ms;
        world.run(200'000);
        std::uint64_t last = from;
        for (const Sent& ping : world.sink.pings) {
            if (ping.ms >= from && ping.id.slot == 0) {
                EXPECT_LE(ping.ms - last, 25'100u);
                last = ping.ms;
            }
        }
        EXPECT_LE(world.ms - last, 25'100u);
        EXPECT_EQ(world.view({0, 1}).state, Reach::kReachable);
        EXPECT_EQ(world.gateways.silent(), 0u);
    }
}

TEST(Outage, ComingBackIsNoBurst) {
    constexpr std::uint32_t kMany = 20'000;
    World world({}, 2 * kMany);
    for (std::uint32_t slot = 0; slot < 2 * kMany; ++slot) {
        world.contacts.slots[slot].address = net::Address::v4(slot < kMany ? 1 : 0x0a00'0000);
        world.add(slot, true);
    }
    world.run(100'000);
    std::fill(world.answers.begin() + kMany, world.answers.end(), false);
    world.run(900'000);
    EXPECT_EQ(world.gateways.silent(), 1u);
    EXPECT_EQ(world.in_state(Reach::kUnreachable), kMany);
    std::fill(world.answers.begin() + kMany, world.answers.end(), true);
    const std::uint64_t from = world.ms;
    world.run(60'000, 1);
    EXPECT_EQ(world.in_state(Reach::kReachable), 2 * kMany);
    EXPECT_LE(busiest_10_ms(world.sink.pings, from),
              1.2 * 10.0 * 2 * kMany / (PingPace::kMeanInterval * 25'000) + 32);
    EXPECT_EQ(world.keeper.figures().overdue.get(), 0u);
    EXPECT_TRUE(world.sink.removals.empty());
}

TEST(Outage, TheLedgerSaysItOnce) {
    World world({}, 10);
    for (std::uint32_t slot = 0; slot < 10; ++slot) {
        world.add(slot, true);
    }
    world.run(60'000);
    std::fill(world.answers.begin(), world.answers.end(), false);
    world.run(800'000);
    for (std::uint32_t slot = 0; slot < 10; ++slot) {
        LedgerPage page;
        ASSERT_TRUE(world.ledger.read_any(slot, page));
        EXPECT_EQ(std::count_if(page.entries.begin(), page.entries.end(),
                                [](const LedgerEntry& e) { return e.event == Event::kOutage; }),
                  1)
            << slot;
    }
}

// Whoever was spared, or due while nobody was there to ask, has its time again.
TEST(Outage, ARestartInItRemovesNobody) {
    World before({}, 10);
    for (std::uint32_t slot = 0; slot < 10; ++slot) {
        before.add(slot, true);
    }
    before.run(60'000);
    std::fill(before.answers.begin(), before.answers.end(), false);
    before.run(2'000'000);
    ASSERT_TRUE(before.sink.removals.empty());
    World after({}, 10, before.ms);
    after.contacts.slots = before.contacts.slots;
    for (std::uint32_t slot = 0; slot < 10; ++slot) {
        auto view = before.states.get_control(slot);
        view.unreachable_since_s -=
            static_cast<std::uint32_t>((before.ms - World::kStartMs) / 1'000);
        after.states.write_control(slot, view);
        after.keeper.take_up(slot);
    }
    after.run(590'000);
    EXPECT_TRUE(after.sink.removals.empty());
    after.run(60'000);
    EXPECT_EQ(std::min<std::size_t>(after.sink.removals.size(), 10), 10u);
}

TEST(OutageNews, AreBounded) {
    OutageNews news;
    for (std::uint32_t n = 0; n < 300; ++n) {
        news.put({.phones = n});
    }
    EXPECT_EQ(news.dropped(), 44u);
    OutageNotice notice;
    for (std::uint32_t n = 0; n < 256; ++n) {
        ASSERT_TRUE(news.take(notice));
        EXPECT_EQ(notice.phones, n);
    }
    EXPECT_FALSE(news.take(notice));
    news.put({.phones = 7});
    EXPECT_TRUE(news.take(notice));
    EXPECT_EQ(notice.phones, 7u);
}

}  // namespace
}  // namespace pinhole::qualify
