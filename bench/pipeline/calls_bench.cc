// SPDX-License-Identifier: BSD-3-Clause
// Calls through the whole worker: the core calls, the phone answers and hangs up.
#include "bench/pipeline/measure.h"
#include "tests/eal/io/far_ends.h"

#include <array>
#include <span>
#include <vector>

namespace pinhole::io {
namespace {

constexpr std::int64_t kTurns = 400;

// Calls of the core's to phones: each consists of these packets, one kind after the other.
// `call_ns` is what they cost together.
void calls(benchmark::State& state, std::span<const Step> steps) {
    Pipeline& p = the_pipeline({.contacts = static_cast<std::uint32_t>(state.range(0))});
    FarEnds ends(p.edge());
    const Counter& sent = p.edge().counters(0).tx_packets;
    std::vector<FarEnds::Call> made(Pipeline::kPackets);
    std::vector<net::Flow> phones(Pipeline::kPackets);
    std::uint32_t number = 0;
    std::vector<double> ours;
    std::vector<double> floors;
    for (auto _ : state) {
        floors.push_back(floor_ns(p));
        for (unsigned i = 0; i < Pipeline::kPackets; ++i) {
            const std::uint32_t phone = p.any_phone();
            phones[i] = to_edge(far_address(phone), far_port(phone));
            made[i] = ends.call(kCoreInvite.filled(phone, ++number),
                                at_edge(far_address(phone), far_port(phone)));
        }
        const std::uint64_t before = sent.get();
        std::uint64_t cycles = 0;
        for (const Step step : steps) {
            p.prepare([&](unsigned i) {
                return p.edge().frame(is_from_core(step) ? to_edge(kCore, kSip) : phones[i],
                                      made[i][static_cast<std::size_t>(step)]);
            });
            cycles += p.run();
        }
        if (sent.get() - before != Pipeline::kPackets * steps.size()) {
            state.SkipWithError("not all were sent on");
            break;
        }
        ours.push_back(ns_a_packet(cycles) / static_cast<double>(steps.size()));
        state.SetIterationTime(static_cast<double>(cycles) / static_cast<double>(rte_get_tsc_hz()));
    }
    report(state, ours, floors);
    if (!ours.empty()) {
        state.counters["call_ns"] = median(ours) * static_cast<double>(steps.size());
    }
}

void response_back(benchmark::State& state) {
    static constexpr std::array kThese{Step::kOk};
    calls(state, kThese);
}

void invite_in_response_back(benchmark::State& state) {
    static constexpr std::array kThese{Step::kInvite, Step::kOk};
    calls(state, kThese);
}

void whole_call(benchmark::State& state) {
    static constexpr std::array kThese{Step::kInvite, Step::kTrying, Step::kRinging, Step::kOk,
                                       Step::kAck,    Step::kBye,    Step::kByeOk};
    calls(state, kThese);
}

}  // namespace

void add_calls(std::int64_t contacts) {
    const auto add = [&](const char* name, void (*function)(benchmark::State&)) {
        benchmark::RegisterBenchmark(name, function)
            ->Arg(contacts)
            ->UseManualTime()
            ->Iterations(turns(kTurns));
    };
    add("response_back", response_back);
    add("invite_in_response_back", invite_in_response_back);
    add("whole_call", whole_call);
}

}  // namespace pinhole::io
