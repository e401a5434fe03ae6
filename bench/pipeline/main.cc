// SPDX-License-Identifier: BSD-3-Clause
// What a packet costs one worker from its receive queue to its transmit queue, in memory: parsed,
// looked up, decided, answered, headers and checksums done in software. No two messages are alike
// (AOR, Call-ID and CSeq differ, so that no retransmission is measured); bursts of 32. The floor
// runs beside it, in turns and over the same packets. Making packets is not timed. Needs root, for
// the TAPs of the virtual devices, and no hugepages.
//
// 10 k and 1 M contacts, unless PINHOLE_BENCH_CONTACTS says otherwise: see measure.h.
// `scripts/bench --check` counts the instructions of measured_round() under callgrind.
#include "bench/pipeline/measure.h"
#include "tests/eal/io/scene.h"

#include <benchmark/benchmark.h>
#include <sodium.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace pinhole::io {
namespace {

// Pipelines that may stand at once; what EAL's memory is for.
constexpr unsigned kPipelines = 8;

std::vector<std::int64_t> sizes() {
    const char* wanted = std::getenv("PINHOLE_BENCH_CONTACTS");
    std::istringstream text(wanted == nullptr ? "10000,1000000" : wanted);
    std::vector<std::int64_t> out;
    for (std::string size; std::getline(text, size, ',');) {
        out.push_back(std::max(std::atoll(size.c_str()), 1LL));
    }
    return out;
}

Result<std::unique_ptr<Eal>> start() {
    Settings settings = settings_for(2, {});
    for (unsigned i = 0; i < 2 * kPipelines; ++i) {
        settings.devices.push_back({DeviceKind::kVdev, "net_null" + std::to_string(i)});
    }
    if (const auto cpus = first_two_cpus(); cpus.size() == 2) {
        settings.cores = cpus;
    }
    return Eal::start(settings);
}

}  // namespace
}  // namespace pinhole::io

int main(int argc, char** argv) {
    using namespace pinhole::io;
    for (const std::int64_t contacts : sizes()) {
        for (const auto add : {add_floor, add_memory, add_requests, add_calls, add_avalanches,
                               add_two_workers, add_qualify, add_ping_rate}) {
            add(contacts);
        }
    }
    benchmark::Initialize(&argc, argv);
    if (sodium_init() < 0) {
        return 1;
    }
    enter_own_namespace();
    auto started = start();
    if (!started) {
        std::fprintf(stderr, "%s\n", started.error().message.c_str());
        return 1;
    }
    begin_pipelines(started.take());
    benchmark::RunSpecifiedBenchmarks();
    end_pipelines();
    return 0;
}
