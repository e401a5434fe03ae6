// SPDX-License-Identifier: BSD-3-Clause
// A population plays against a real worker over memif, both in this process: everybody is answered,
// rightly, and the worker has counted the same.
#include "bench/load/io/game.h"
#include "bench/load/report.h"
#include "tests/eal/io/edge.h"
#include "tests/eal/io/scene.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

namespace pinhole::load {
namespace {

constexpr std::uint32_t kPhones = 500;

class Population : public testing::Test {
  public:
    static void SetUpTestSuite() {
        io::enter_own_namespace();
        char folder[] = "/tmp/ph-load-XXXXXX";
        directory = mkdtemp(folder);
        const std::string path = directory + "/sock";
        both = io::settings_for(1, {{io::DeviceKind::kMemif, path, "edge-tap", true, 1},
                                    {io::DeviceKind::kMemif, path, "", false, 1}});
        auto started = io::Eal::start(both);
        ASSERT_TRUE(started.ok()) << started.error().message;
        eal = started.take();
    }
    static void TearDownTestSuite() {
        eal.reset();
        std::filesystem::remove_all(directory);
    }

    static Plan plan_of(Play play) {
        Plan plan;
        plan.play = play;
        plan.phones = kPhones;
        plan.gateways = 50;
        plan.edge = io::kEdge;
        plan.core = io::kCore;
        plan.first_gateway = io::address("100.64.0.1");
        plan.window = plan.register_window = 32;
        plan.count = play == Play::kRegister ? 0 : 2000;
        plan.timeout_ns = 60'000'000'000;  // the machine may be busy
        return plan;
    }

    // Turns the worker here while the population plays on its lcore.
    void play(const Plan& plan) {
        io::EdgeSettings settings;
        settings.io = io::settings_for(1, {both.devices[0]});
        edge = std::make_unique<io::Edge>(settings);
        auto opened = Cable::open(both, 1);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        cable = opened.take();
        for (int i = 0; i < 2000 && !cable->link_up(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        game = std::make_unique<Game>(
            *cable, plan,
            LinkSetup{plan.first_gateway, plan.edge, edge->ports().device(0).info().mac});
        ASSERT_TRUE(eal->launch(0, Game::run, game.get()).ok());
        while (!game->over()) {
            edge->worker(0).round();
            std::this_thread::yield();
        }
        eal->wait_for_workers();
        EXPECT_EQ(game->problem(), "");
        EXPECT_TRUE(went_well(game->player())) << summary(game->player());
    }
    void TearDown() override {
        game.reset();
        cable.reset();
        edge.reset();
    }
    [[nodiscard]] const Tally& tally(std::size_t phase) const {
        return game->player().tally(phase);
    }

    static inline std::string directory;
    static inline io::Settings both;
    static inline std::unique_ptr<io::Eal> eal;
    std::unique_ptr<io::Edge> edge;
    std::unique_ptr<Cable> cable;
    std::unique_ptr<Game> game;
};

TEST_F(Population, RegistersAndRefreshes) {
    ASSERT_NO_FATAL_FAILURE(play(plan_of(Play::kRefresh)));
    EXPECT_EQ(game->player().registered(), kPhones);
    EXPECT_EQ(tally(0).done.get(), kPhones);
    EXPECT_EQ(tally(1).done.get(), 2000U);
    EXPECT_EQ(tally(1).lost.get(), 0U);
    EXPECT_EQ(tally(1).latency.count(), 2000U);
    const auto registers = static_cast<std::size_t>(MethodLabel::kRegister);
    EXPECT_EQ(edge->counters(0).requests[registers].get(), kPhones + 2000U);
    EXPECT_EQ(edge->counters(0).refreshed_in_place.get(), 2000U);
}

TEST_F(Population, RegistersOverIpv6) {
    Plan plan = plan_of(Play::kRegister);
    plan.edge = io::kEdge6;
    plan.first_gateway = io::address("2001:db8:64::1");
    ASSERT_NO_FATAL_FAILURE(play(plan));
    EXPECT_EQ(tally(0).done.get(), kPhones);
}

TEST_F(Population, IsCalledByTheCore) {
    ASSERT_NO_FATAL_FAILURE(play(plan_of(Play::kCall)));
    EXPECT_EQ(tally(1).calls_done.get(), 2000U);
    EXPECT_EQ(tally(1).call_answers[486].get(), 2000U);
    EXPECT_EQ(tally(1).rings.get(), 2000U);
    EXPECT_EQ(edge->counters(0).calls_in.get(), 2000U);
}

}  // namespace
}  // namespace pinhole::load
