// SPDX-License-Identifier: BSD-3-Clause
// What the journal adds to the cost of a refresh, warm and over many contacts. And how long
// contacts take to come back, with one thread and with two: from a snapshot alone, and from a
// snapshot with as many refreshes logged after it. PINHOLE_BENCH_CONTACTS sets the number of
// contacts (1 M).
#include "control/journal/replay.h"
#include "control/journal/snapshot.h"
#include "dataplane/table/binding_table.h"
#include "dataplane/table/change_log.h"
#ifdef PINHOLE_HAS_ARENA
#include "dataplane/table/arena.h"
#endif
#include "dataplane/table/heap_memory.h"

#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace pinhole::journal {
namespace {

using namespace table;

std::uint32_t contacts() {
    const char* wanted = std::getenv("PINHOLE_BENCH_CONTACTS");
    return wanted != nullptr ? static_cast<std::uint32_t>(std::atoll(wanted)) : 1'000'000;
}

Reclaimer at_once() {
    return {[](void*) { return std::uint64_t{0}; }, [](void*, std::uint64_t) { return true; },
            nullptr};
}

// Memory as the daemon takes it: mapped, in 2 MB pages if the kernel has them.
struct Mapping {
    explicit Mapping(std::size_t n)
        : bytes(n),
          at(mmap(nullptr, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
        (void)madvise(at, n, MADV_HUGEPAGE);
    }
    ~Mapping() { munmap(at, bytes); }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    static void* take(void* self, std::size_t n) {
        auto& mapping = *static_cast<Mapping*>(self);
        void* piece = static_cast<std::byte*>(mapping.at) + mapping.used;
        mapping.used += (n + 63) / 64 * 64;
        return mapping.used <= mapping.bytes ? piece : nullptr;
    }
    std::size_t bytes;
    void* at;
    std::size_t used = 0;
};

struct Edge {
    Edge(std::uint32_t n, std::uint32_t shards)
        : plan(memory_plan(n, shards)),
          arrays(plan.shared_arrays + shards * plan.shard_arrays + (std::size_t{64} << 10)) {
        std::vector<ShardMemory> memory;
        for (std::uint32_t i = 0; i < shards; ++i) {
#ifdef PINHOLE_HAS_ARENA
            Mapping& region = *regions.emplace_back(std::make_unique<Mapping>(plan.shard_records));
            arenas.push_back(RecordArena::make(region.at, region.bytes));
            memory.push_back({{Mapping::take, &arrays}, arenas.back()->allocator()});
#else
            memory.push_back({{Mapping::take, &arrays}, heap.records()});
#endif
        }
        table = BindingTable::make({n,
                                    KeyedHash(std::array<std::byte, 32>{}),
                                    at_once(),
                                    {Mapping::take, &arrays},
                                    memory});
    }
    MemoryPlan plan;
    Mapping arrays;
    std::vector<std::unique_ptr<Mapping>> regions;
#ifdef PINHOLE_HAS_ARENA
    std::vector<std::unique_ptr<RecordArena>> arenas;
#endif
    HeapMemory heap;
    std::unique_ptr<BindingTable> table;
};

std::string aor_of(std::uint32_t n) {
    return std::to_string(100'000'000 + n) + "@edge.example.com";
}

void fill(BindingTable& table, std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; ++i) {
        const std::string aor = aor_of(i);
        const std::string uri = "sip:" + std::to_string(i) + "@192.168.1.10:5060";
        const std::string params =
            ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-" + std::to_string(i) + ">\"";
        NewContact contact;
        contact.uri = uri;
        contact.params = params;
        contact.state.flow.theirs = net::Address::v4(0x43000000 + i / 1000);
        contact.state.flow.their_udp_port = static_cast<std::uint16_t>(10'000 + i % 1000);
        contact.state.expires_at_s = 2'000'000;
        (void)table.change_owner(table.hash()(aor), aor,
                                 [&](const Current&, Edit& edit) { return edit.add(contact); });
    }
}

RunInfo run_info(std::uint64_t run) {
    RunInfo info;
    info.run = run;
    info.ports[0][0] = 'e';
    return info;
}

// A ring that is copied as it fills, to nowhere or to a log.
struct Ring {
    Ring() : data((std::size_t{32} << 20) / 8), log(head, bytes()) {}
    std::span<std::byte> bytes() {
        return {reinterpret_cast<std::byte*>(data.data()), data.size() * 8};
    }
    void copy(std::vector<std::byte>* to) {
        std::uint64_t position = 0;
        for (auto part = log.pending(position); !part.empty(); part = log.pending(position)) {
            if (to != nullptr) {
                const ChunkHead chunk = make_chunk(0, position, part.size());
                const auto* at = reinterpret_cast<const std::byte*>(&chunk);
                to->insert(to->end(), at, at + sizeof chunk);
                to->insert(to->end(), part.begin(), part.end());
            }
            log.took(position + part.size());
        }
    }
    ChangeLogHead head{};
    std::vector<std::uint64_t> data;
    ChangeLog log;
};

void refresh_one(BindingTable& table, std::uint32_t i, ChangeLog* log) {
    const std::string aor = aor_of(i);
    (void)table.refresh_any(
        *table.find(table.hash()(aor), aor),
        [&](ClaimedRecord& claimed) {
            ContactState state = claimed.state(0);
            ++state.cseq;
            claimed.update(0, state);
        },
        log);
}

// Everything that earlier runs left; made once.
struct Left {
    Left() {
        const std::uint32_t n = contacts();
        Edge edge(n, 1);
        fill(*edge.table, n);
        const QualifyTable states(n);
        SnapshotWriter writer(*edge.table, states);
        snapshot.reserve(std::size_t{n} * 320);
        while (writer.step(64, snapshot)) {
        }
        Ring ring;
        std::mt19937 random(1);
        for (std::uint32_t i = 0; i < n; ++i) {
            refresh_one(*edge.table, random() % n, &ring.log);
            if (i % 100'000 == 0) {
                ring.copy(&log);
            }
        }
        ring.copy(&log);
    }
    std::vector<std::byte> snapshot;
    std::vector<std::byte> log;
};

void restore(benchmark::State& state) {
    static const Left left;
    const auto shards = static_cast<std::uint32_t>(state.range(0));
    std::vector<Source> sources{{run_info(1), left.snapshot, true}};
    if (state.range(1) != 0) {
        sources.push_back({run_info(1), left.log});
    }
    for (auto _ : state) {
        Edge edge(contacts(), shards);
        QualifyTable states(contacts());
        const auto before = std::chrono::steady_clock::now();
        const std::clock_t cpu_before = std::clock();
        Replay replay(sources, run_info(2), 1'000'000, *edge.table, states);
        std::vector<std::thread> threads;
        for (std::uint32_t n = 0; n < 2; ++n) {
            threads.emplace_back([&, n] { replay.gather(n, 2); });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        threads.clear();
        std::vector<ReplayFigures> figures(shards);
        for (std::uint32_t n = 0; n < shards; ++n) {
            threads.emplace_back([&, n] { figures[n] = replay.restore_shard(n); });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        edge.table->finish_restore();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
        state.SetIterationTime(took.count());
        // On a machine that has other work the sum of the threads says more.
        state.counters["cpu_s"] =
            static_cast<double>(std::clock() - cpu_before) / static_cast<double>(CLOCKS_PER_SEC);
        if (edge.table->counts().contacts != contacts()) {
            state.SkipWithError("not all came back");
            break;
        }
        state.counters["contacts"] = contacts();
        state.counters["ns_each"] = took.count() * 1e9 / contacts();
    }
}
BENCHMARK(restore)
    ->ArgNames({"shards", "refreshes"})
    ->Args({1, 0})
    ->Args({2, 0})
    ->Args({1, 1})
    ->Args({2, 1})
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kSecond);

void refresh(benchmark::State& state) {
    const auto n = static_cast<std::uint32_t>(state.range(0));
    Edge edge(n, 1);
    fill(*edge.table, n);
    Ring ring;
    std::mt19937 random(1);
    std::uint32_t done = 0;
    for (auto _ : state) {
        refresh_one(*edge.table, random() % n, state.range(1) != 0 ? &ring.log : nullptr);
        if (++done % 65'536 == 0) {
            state.PauseTiming();
            ring.copy(nullptr);
            state.ResumeTiming();
        }
    }
}
BENCHMARK(refresh)->ArgNames({"contacts", "logged"})->ArgsProduct({{1000, 1'000'000}, {0, 1}});

}  // namespace
}  // namespace pinhole::journal

BENCHMARK_MAIN();
