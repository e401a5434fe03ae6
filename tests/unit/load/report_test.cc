// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/report.h"

#include "tests/unit/load/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pinhole::load {
namespace {

using testing::HasSubstr;

Tally& writable(const World& world) {
    return const_cast<Tally&>(world.tally());
}

TEST(LiveLines, FitTheScreenWhateverTheFigures) {
    EXPECT_LE(LiveLines::heading().size(), LiveLines::kColumns);
    World world(small_plan(Play::kRegister));
    LiveLines lines;
    EXPECT_LE(lines.next(*world.player, world.now + kSecond).size(), LiveLines::kColumns);
    Tally& tally = writable(world);
    tally.sent.add(123'456'789'012);
    tally.done.add(99'999'999'999);
    tally.pings.add(1'234'567'890'123);
    tally.lost.add(999'499);
    tally.count(Wrong::kOtherPhone);
    tally.latency.record(LatencyHistogram::kMax);
    const std::string line = lines.next(*world.player, world.now + 86'400 * kSecond);
    EXPECT_LE(line.size(), LiveLines::kColumns) << line;
    EXPECT_THAT(line, HasSubstr("1.23T"));
    EXPECT_THAT(line, HasSubstr("999k"));
}

TEST(LiveLines, TellRatesSinceTheLineBefore) {
    World world(small_plan(Play::kRegister));
    LiveLines lines;
    writable(world).sent.add(1000);
    EXPECT_THAT(lines.next(*world.player, world.now + kSecond), HasSubstr(" 1.00k "));
    writable(world).sent.add(500);
    EXPECT_THAT(lines.next(*world.player, world.now + 2 * kSecond), HasSubstr(" 500 "));
    EXPECT_EQ(lines.next(*world.player, world.now + 3 * kSecond).find("500"), std::string::npos);
}

class ReportTest : public testing::Test {
  public:
    ReportTest() : world(small_plan(Play::kRegister)) {
        const auto sent = world.turn();
        world.now += 5 * kMillisecond;
        for (std::size_t i = 1; i < sent.size(); ++i) {
            world.grant(sent[i]);
        }
        world.deliver(sent[0], World::answer(sent[0], 403));
    }
    [[nodiscard]] nlohmann::json json() const {
        return to_json(*world.player, world.plan, {.rx_missed = 3, .tx_dropped = 4});
    }
    World world;
};

TEST_F(ReportTest, JsonHasAllFigures) {
    const nlohmann::json all = json();
    EXPECT_EQ(all["registered"], 9);
    EXPECT_EQ(all["rx_missed"], 3);
    EXPECT_EQ(all["tx_dropped"], 4);
    EXPECT_TRUE(all["good"]);
    ASSERT_EQ(all["phases"].size(), 1U);
    const nlohmann::json& phase = all["phases"][0];
    EXPECT_EQ(phase["phase"], "register");
    EXPECT_EQ(phase["done"], 9);
    EXPECT_EQ(phase["refused"], 1);
    EXPECT_EQ(phase["answers"]["200"], 9);
    EXPECT_EQ(phase["answers"]["403"], 1);
    EXPECT_EQ(phase["answers"].size(), 2U);
    EXPECT_EQ(phase["latency"]["count"], 9);
    EXPECT_EQ(phase["latency"]["p99.9_ns"], 5'000'000);
    EXPECT_EQ(phase["latency_slices"]["count"], 0);
    EXPECT_NEAR(phase["per_second"].get<double>(), 1800, 1);
    EXPECT_TRUE(phase["wrong"].empty());
}

TEST_F(ReportTest, WrongAnswersAreNamedAndSpoilIt) {
    writable(world).count(Wrong::kOtherContact);
    EXPECT_FALSE(went_well(*world.player));
    EXPECT_EQ(json()["phases"][0]["wrong"]["other_contact"], 1);
    EXPECT_THAT(summary(*world.player), HasSubstr("WRONG other_contact: 1"));
}

TEST_F(ReportTest, ASummaryForPeople) {
    const std::string text = summary(*world.player);
    EXPECT_THAT(text, HasSubstr("register: 9 done in 5ms, 1.80k/s, 1 refused\n"));
    EXPECT_THAT(text, HasSubstr("99% 5ms"));
    EXPECT_THAT(text, HasSubstr("200: 9; 403: 1;"));
}

TEST(Report, NobodyAnsweredIsNotWell) {
    World world(small_plan(Play::kRegister));
    (void)world.turn();
    EXPECT_FALSE(went_well(*world.player));
}

}  // namespace
}  // namespace pinhole::load
