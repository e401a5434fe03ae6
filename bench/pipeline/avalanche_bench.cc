// SPDX-License-Identifier: BSD-3-Clause
// A worker that has more to do than it can.
#include "bench/pipeline/measure.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace pinhole::io {
namespace {

// The packets of an avalanche. Of a hundred, `known` are refreshes of phones by the flows that they
// are registered by; the others are phones whose gateways have come back with other mappings, or
// strangers' OPTIONS.
struct Mix {
    std::uint32_t known;
    bool moved;
};

// The worker's queue is never empty, as under ten times its capacity or any load above it: packets
// that it doesn't come to are lost in the queue. `goodput` is the share of its unloaded rate that
// the worker keeps under that, in requests answered with 200 a second; unloaded means nothing but
// what it is to serve. Medians over pairs of rounds.
void avalanche(benchmark::State& state) {
    // Its own: phones that have moved would cost others' refreshes more.
    Pipeline& p = the_pipeline({.contacts = static_cast<std::uint32_t>(state.range(0)), .copy = 1});
    const Mix mix{static_cast<std::uint32_t>(state.range(1)), state.range(2) != 0};
    CoreCounters& counters = p.edge().counters(0);
    const std::uint32_t half = p.contacts() / 2;  // move; the others stay where they are
    std::uint32_t elsewhere = 0;
    const auto prepare = [&](bool strangers) {
        p.prepare([&](unsigned) {
            const std::uint32_t phone = p.any(half);
            const net::Flow other = to_edge(net::Address::v4(0x50000000U + ++elsewhere), 5060);
            if (p.any(100) < mix.known || (!mix.moved && !strangers)) {
                return p.make_register(phone);
            }
            return mix.moved ? p.make(kYealinkRegister, other, half + phone)
                             : p.make(kStrangerOptions, other, phone);
        });
    };
    const auto good = [&] { return static_cast<double>(counters.responses[200].get()); };
    const auto ns_a_good_one = [&] {
        const double before = good();
        const double ns = ns_a_packet(p.run()) * Pipeline::kPackets;
        return ns / (good() - before);
    };
    std::vector<double> alone;
    std::vector<double> pressed;
    std::vector<double> ratios;
    double served = 0;
    double refused = 0;
    double told = 0;
    for (auto _ : state) {
        p.press(false);
        prepare(false);
        alone.push_back(ns_a_good_one());
        p.press(true);
        prepare(true);
        const double before = good();
        const auto told_before = static_cast<double>(counters.responses[503].get());
        pressed.push_back(ns_a_good_one());
        ratios.push_back(alone.back() / pressed.back());
        served += good() - before;
        told += static_cast<double>(counters.responses[503].get()) - told_before;
        refused += Pipeline::kPackets - (good() - before);
        state.SetIterationTime(pressed.back() * 1e-9);
    }
    state.counters["alone_ns"] = median(alone);
    state.counters["pressed_ns"] = median(pressed);
    state.counters["goodput"] = median(ratios);
    state.counters["refused"] = refused / (served + refused);
    state.counters["told"] = told / std::max(refused, 1.0);
}

}  // namespace

void add_avalanches(std::int64_t contacts) {
    for (const auto& [known, moved] :
         {std::pair{100, 0}, {80, 0}, {50, 0}, {10, 0}, {80, 1}, {50, 1}, {10, 1}, {0, 1}}) {
        benchmark::RegisterBenchmark("avalanche", avalanche)
            ->ArgNames({"contacts", "known", "moved"})
            ->Args({contacts, known, moved})
            ->UseManualTime()
            ->Iterations(60);
    }
}

}  // namespace pinhole::io
