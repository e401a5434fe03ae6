// SPDX-License-Identifier: BSD-3-Clause
// What the pipeline's benchmarks share: the pipelines, made when first asked for and kept, so that
// benchmarks may take turns; the floor; how turns become figures.
//
// PINHOLE_BENCH_CONTACTS="10000,4000000" names the sizes, PINHOLE_BENCH_TURNS sets the number of
// turns, PINHOLE_BENCH_FLOOR that of the floor's records.
#pragma once

#include "bench/pipeline/floor.h"
#include "bench/pipeline/pipeline.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

namespace pinhole::io {

// Before all else, and at the end.
void begin_pipelines(std::unique_ptr<Eal> eal);
void end_pipelines();
[[nodiscard]] const Eal& the_eal();
// That this process may use, when it began: two workers have one each.
[[nodiscard]] const std::vector<unsigned>& first_two_cpus();
[[nodiscard]] Pipeline& the_pipeline(const Pipeline::Kind& kind);
[[nodiscard]] Floor& the_floor();

// Of one turn: nanoseconds a packet.
template <Floor::Part kPart = Floor::Part::kAll>
[[nodiscard]] double floor_ns(Pipeline& p) {
    p.prepare([&](unsigned) { return p.make_register(p.any_phone()); });
    const double ns = the_floor().run<kPart>(p.prepared());
    p.free_prepared();
    return ns;
}

// The value that one in `part` lies below.
[[nodiscard]] double quantile(std::vector<double> values, std::size_t part);
[[nodiscard]] inline double median(const std::vector<double>& values) {
    return quantile(values, 2);
}

// `ns` is the cost of a packet, `floors` the same as a multiple of the floor: medians. `best_ns`
// and `best_floors` are of the tenth of the turns that was disturbed least, for machines that have
// other work.
void report(benchmark::State& state, const std::vector<double>& ours,
            const std::vector<double>& floors);
[[nodiscard]] std::int64_t turns(std::int64_t otherwise);

// `make(i)` makes the packets of the kind measured. Each of them must be answered with `code`, or
// be sent on where that is 0. `before_turn()` isn't timed.
template <class BeforeTurn, class Make>
void measure(benchmark::State& state, Pipeline& p, unsigned code, BeforeTurn&& before_turn,
             Make&& make) {
    CoreCounters& counters = p.edge().counters(0);
    const auto good = [&] {
        return code == 0 ? counters.tx_packets.get() : counters.responses[code].get();
    };
    std::vector<double> ours;
    std::vector<double> floors;
    for (auto _ : state) {
        floors.push_back(floor_ns(p));
        before_turn();
        p.prepare(make);
        const std::uint64_t before = good();
        const std::uint64_t cycles = p.run();
        if (good() - before != Pipeline::kPackets) {
            state.SkipWithError("not all were answered");
            break;
        }
        ours.push_back(ns_a_packet(cycles));
        state.SetIterationTime(ours.back() * Pipeline::kMeasured * 1e-9);
    }
    report(state, ours, floors);
}
template <class Make>
void measure(benchmark::State& state, Pipeline& p, unsigned code, Make&& make) {
    measure(
        state, p, code, [] {}, std::forward<Make>(make));
}

// Each adds its benchmarks for so many contacts.
void add_floor(std::int64_t contacts);
void add_requests(std::int64_t contacts);
void add_calls(std::int64_t contacts);
void add_avalanches(std::int64_t contacts);
void add_two_workers(std::int64_t contacts);
void add_qualify(std::int64_t contacts);
void add_ping_rate(std::int64_t contacts);
void add_memory(std::int64_t contacts);

}  // namespace pinhole::io
