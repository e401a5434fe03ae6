// SPDX-License-Identifier: BSD-3-Clause
// What a second worker is worth: packets are spread over both at random, as RSS spreads them by
// address, so that every second first registration goes to its owner by a command. In turns with
// one worker over a table of its own, of the same size. Beside it, how long the two cores take to
// tell each other anything.
#include "bench/pipeline/measure.h"

#include <pthread.h>
#include <sched.h>

#include <rte_pause.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <vector>

namespace pinhole::io {
namespace {

constexpr std::int64_t kTurns = 200;
constexpr unsigned kEach = 2048;              // packets of each worker
constexpr std::uint64_t kStride = 1'000'003;  // a prime: no two steps meet in any usual table
constexpr unsigned kExchanges = 2000;

// One worker's part of a turn.
struct Part {
    Worker* worker;
    const CoreCounters* counters;
    std::uint64_t good_before = 0;
    std::uint64_t ended_before = 0;
    std::uint64_t begun = 0;
    std::uint64_t ended = 0;
};

std::uint64_t good(const Part& part) {
    return part.counters->responses[200].get();
}
// Whatever became of it.
std::uint64_t ended(const Part& part) {
    std::uint64_t n = part.counters->tx_packets.get();
    for (const Counter& drops : part.counters->drops) {
        n += drops.get();
    }
    return n;
}

// Written by each, read by all, seldom.
struct Meeting {
    unsigned parties;
    std::atomic<unsigned> here{0};
    std::atomic<unsigned> done{0};
};

// Rounds until all have what they wait for: an owner serves the other to the end.
void work(Part& part, Meeting& meeting) {
    meeting.here.fetch_add(1, std::memory_order_acq_rel);
    while (meeting.here.load(std::memory_order_acquire) < meeting.parties) {
        rte_pause();
    }
    part.begun = rte_rdtsc();
    while (good(part) - part.good_before < kEach) {
        if (!part.worker->round() && ended(part) - part.ended_before >= kEach) {
            break;
        }
    }
    part.ended = rte_rdtsc();
    meeting.done.fetch_add(1, std::memory_order_acq_rel);
    while (meeting.done.load(std::memory_order_acquire) < meeting.parties) {
        part.worker->round();
    }
}

struct Second {
    Part* part;
    Meeting* meeting;
    static int run(void* self) {
        auto& second = *static_cast<Second*>(self);
        work(*second.part, *second.meeting);
        return 0;
    }
};

// Nanoseconds a packet of all workers together; nothing if not all were answered. The main thread
// is the first worker.
std::optional<double> turn(Pipeline& p, unsigned workers) {
    std::array<Part, 2> parts{};
    for (unsigned w = 0; w < workers; ++w) {
        parts[w].worker = &p.edge().worker(w);
        parts[w].counters = &p.edge().counters(w);
        parts[w].good_before = good(parts[w]);
        parts[w].ended_before = ended(parts[w]);
    }
    Meeting meeting{workers};
    Second second{&parts[1], &meeting};
    if (workers == 2) {
        (void)the_eal().launch(1, Second::run, &second);
    }
    work(parts[0], meeting);
    the_eal().wait_for_workers();
    std::uint64_t begun = parts[0].begun;
    std::uint64_t ended = parts[0].ended;
    for (unsigned w = 0; w < workers; ++w) {
        if (good(parts[w]) - parts[w].good_before < kEach) {
            return std::nullopt;
        }
        begun = std::min(begun, parts[w].begun);
        ended = std::max(ended, parts[w].ended);
    }
    return ns_a_packet(ended - begun, std::uint64_t{kEach} * workers);
}

// One way, in nanoseconds: a line that goes to and fro.
struct Line {
    alignas(64) std::atomic<unsigned> ball{0};
    static int run(void* self) {
        auto& line = *static_cast<Line*>(self);
        for (unsigned i = 1; i < 2 * kExchanges; i += 2) {
            while (line.ball.load(std::memory_order_acquire) != i) {
            }
            line.ball.store(i + 1, std::memory_order_release);
        }
        return 0;
    }
};
double core_to_core_ns() {
    Line line;
    (void)the_eal().launch(1, Line::run, &line);
    line.ball.store(1, std::memory_order_release);
    while (line.ball.load(std::memory_order_acquire) != 2) {  // it may have slept till now
    }
    const std::uint64_t before = rte_rdtsc();
    for (unsigned i = 2; i < 2 * kExchanges; i += 2) {
        line.ball.store(i + 1, std::memory_order_release);
        while (line.ball.load(std::memory_order_acquire) != i + 2) {
        }
    }
    const std::uint64_t cycles = rte_rdtsc() - before;
    the_eal().wait_for_workers();
    return ns_a_packet(cycles, 2 * std::uint64_t{kExchanges - 1});
}

// The main thread to the first worker's core while it is one; the second worker has its own.
class OnFirstCore {
  public:
    OnFirstCore() {
        pthread_getaffinity_np(pthread_self(), sizeof before_, &before_);
        cpu_set_t first;
        CPU_ZERO(&first);
        CPU_SET(first_two_cpus().front(), &first);
        pthread_setaffinity_np(pthread_self(), sizeof first, &first);
    }
    ~OnFirstCore() { pthread_setaffinity_np(pthread_self(), sizeof before_, &before_); }
    OnFirstCore(const OnFirstCore&) = delete;
    OnFirstCore& operator=(const OnFirstCore&) = delete;

  private:
    cpu_set_t before_{};
};

// `first_time`: phones that nobody knows, or refreshes.
template <bool kFirstTime>
void two_workers(benchmark::State& state) {
    if (first_two_cpus().size() < 2) {
        state.SkipWithError("there is one CPU only");
        return;
    }
    const OnFirstCore here;
    const auto contacts = static_cast<std::uint32_t>(state.range(0));
    std::array pipelines{&the_pipeline({.contacts = contacts, .workers = 1, .deep_queue = true}),
                         &the_pipeline({.contacts = contacts, .workers = 2, .deep_queue = true})};
    std::array<std::vector<double>, 2> ns;
    std::vector<double> ratios;
    std::vector<double> latencies;
    std::uint32_t first = contacts;
    for (auto _ : state) {
        std::array<std::optional<double>, 2> both;
        for (unsigned workers = 1; workers <= 2; ++workers) {
            Pipeline& p = *pipelines[workers - 1];
            const std::uint64_t any = p.any_phone();
            if (kFirstTime) {
                p.forget(first, kEach * workers);
            }
            for (std::uint32_t i = 0; i < kEach * workers; ++i) {
                // Nobody twice in a turn: which of two comes first would be chance.
                const auto phone = kFirstTime
                                       ? first + i
                                       : static_cast<std::uint32_t>((any + i * kStride) % contacts);
                p.edge().put(i % workers, p.make_register(phone));
            }
            both[workers - 1] = turn(p, workers);
        }
        if (both[0] && both[1]) {
            ns[0].push_back(*both[0]);
            ns[1].push_back(*both[1]);
            ratios.push_back(*both[0] / *both[1]);
        }
        latencies.push_back(core_to_core_ns());
        first = first + 4 * kEach > contacts + Pipeline::kSpare / 2 ? contacts : first + 2 * kEach;
        state.SetIterationTime(both[1].value_or(1) * 2 * kEach * 1e-9);
    }
    if (ratios.empty()) {
        state.SkipWithError("not all were answered");
        return;
    }
    state.counters["one_ns"] = median(ns[0]);
    state.counters["two_ns"] = median(ns[1]);
    state.counters["ratio"] = median(ratios);
    state.counters["whole_turns"] = static_cast<double>(ratios.size());
    state.counters["core_to_core_ns"] = median(latencies);
}

}  // namespace

void add_two_workers(std::int64_t contacts) {
    const auto add = [&](const char* name, void (*function)(benchmark::State&)) {
        benchmark::RegisterBenchmark(name, function)
            ->Arg(contacts)
            ->UseManualTime()
            ->Iterations(turns(kTurns));
    };
    add("two_workers_refresh", two_workers<false>);
    add("two_workers_first_registration", two_workers<true>);
}

}  // namespace pinhole::io
