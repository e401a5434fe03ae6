// SPDX-License-Identifier: BSD-3-Clause
// What pinhole-load itself takes to play a refresh: picking a phone, writing its REGISTER (with its
// digest), reading the answer. A registrar on the other core that is faster than this is held up by
// the load. The device and the checksums of the frames both ways come on top. The edge's part is
// not timed.
#include "tests/unit/load/world.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace pinhole::load {
namespace {

using Clock = std::chrono::steady_clock;

class Played {
  public:
    explicit Played(bool digest) : world_(plan(digest)) {
        while (world_.player->phase(world_.player->phases_begun() - 1) == Phase::kRegister) {
            turn();
        }
    }

    // Seconds of the player's; counts what is done.
    double turn() {
        world_.now += 100'000;
        const auto begun = Clock::now();
        world_.player->turn(world_.now);
        Clock::duration spent = Clock::now() - begun;
        // Who is challenged asks again at once.
        for (auto asked = world_.taken(); !asked.empty(); asked = world_.taken()) {
            std::vector<std::string> answers;
            for (const Sent& sent : asked) {
                answers.push_back(answer_to(sent));
            }
            const auto again = Clock::now();
            for (std::size_t i = 0; i < asked.size(); ++i) {
                world_.deliver(asked[i], answers[i]);
            }
            spent += Clock::now() - again;
        }
        return std::chrono::duration<double>(spent).count();
    }
    [[nodiscard]] std::uint64_t done() const { return world_.tally().done.get(); }
    [[nodiscard]] bool well() const { return world_.tally().wrong_in_all() == 0; }

  private:
    static Plan plan(bool digest) {
        Plan plan = small_plan(Play::kRefresh);
        plan.phones = 20'000;
        plan.gateways = 1000;
        plan.register_window = Player::kBurst;
        plan.password = digest ? "secret" : "";
        return plan;
    }
    std::string answer_to(const Sent& sent) const {
        if (world_.plan.password.empty() || sent.has("Authorization: ")) {
            return World::granting(sent, 3600);
        }
        return World::answer(sent, 401,
                             "WWW-Authenticate: Digest realm=\"example.com\", "
                             "nonce=\"Zx0pVn3kQh7tLw2sYc8mRb5dGf9jKa1u\", algorithm=MD5, "
                             "qop=\"auth\"\r\n");
    }

    World world_;
};

void refresh(benchmark::State& state) {
    Played played(state.range(0) != 0);
    const std::uint64_t before = played.done();
    std::vector<double> ns;  // of the turns
    for (auto _ : state) {
        const std::uint64_t done = played.done();
        const double seconds = played.turn();
        state.SetIterationTime(seconds);
        if (played.done() != done) {
            ns.push_back(seconds * 1e9 / static_cast<double>(played.done() - done));
        }
    }
    if (!played.well() || played.done() == before) {
        state.SkipWithError("the player is not content");
        return;
    }
    const auto middle = ns.begin() + static_cast<std::ptrdiff_t>(ns.size() / 2);
    std::nth_element(ns.begin(), middle, ns.end());
    state.counters["ns"] = *middle;
}
BENCHMARK(refresh)->ArgName("digest")->Arg(0)->Arg(1)->UseManualTime();

}  // namespace
}  // namespace pinhole::load

BENCHMARK_MAIN();
