// SPDX-License-Identifier: BSD-3-Clause
#include "bench/pipeline/measure.h"

#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

namespace pinhole::io {
namespace {

std::unique_ptr<Eal> eal;
std::unique_ptr<Floor> floor_made;
std::map<Pipeline::Kind, std::unique_ptr<Pipeline>> pipelines;

}  // namespace

void begin_pipelines(std::unique_ptr<Eal> started) {
    eal = std::move(started);
}

void end_pipelines() {
    pipelines.clear();
    floor_made.reset();
    eal.reset();
}

const Eal& the_eal() {
    return *eal;
}

const std::vector<unsigned>& first_two_cpus() {
    static const std::vector<unsigned> found = [] {
        cpu_set_t allowed;
        sched_getaffinity(0, sizeof allowed, &allowed);
        std::vector<unsigned> cpus;
        for (unsigned cpu = 0; cpu < CPU_SETSIZE && cpus.size() < 2; ++cpu) {
            if (CPU_ISSET(cpu, &allowed)) {
                cpus.push_back(cpu);
            }
        }
        return cpus;
    }();
    return found;
}

Pipeline& the_pipeline(const Pipeline::Kind& kind) {
    std::unique_ptr<Pipeline>& made = pipelines[kind];
    if (made == nullptr) {
        std::fprintf(stderr, "  a table of %u contacts%s, %u worker%s ... ", kind.contacts,
                     kind.passwords ? " with passwords" : "", kind.workers,
                     kind.workers > 1 ? "s" : "");
        const std::uint64_t begun = rte_rdtsc();
        made = std::make_unique<Pipeline>(*eal, kind);
        std::fprintf(stderr, "filled in %.0f s\n", ns_a_packet(rte_rdtsc() - begun, 1) * 1e-9);
    }
    return *made;
}

Floor& the_floor() {
    if (floor_made == nullptr) {
        const char* records = std::getenv("PINHOLE_BENCH_FLOOR");
        floor_made = std::make_unique<Floor>(
            records == nullptr ? Floor::kContacts : std::max(std::atoll(records), 1LL));
    }
    return *floor_made;
}

double quantile(std::vector<double> values, std::size_t part) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / part);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

void report(benchmark::State& state, const std::vector<double>& ours,
            const std::vector<double>& floors) {
    if (ours.empty()) {
        return;  // skipped, with its reason
    }
    state.counters["ns"] = median(ours);
    state.counters["floor_ns"] = median(floors);
    state.counters["floors"] = median(ours) / median(floors);
    state.counters["best_ns"] = quantile(ours, 10);
    state.counters["best_floors"] = quantile(ours, 10) / quantile(floors, 10);
}

std::int64_t turns(std::int64_t otherwise) {
    const char* wanted = std::getenv("PINHOLE_BENCH_TURNS");
    return wanted == nullptr ? otherwise : std::max(std::atoll(wanted), 1LL);
}

}  // namespace pinhole::io
