// SPDX-License-Identifier: BSD-3-Clause
// What the binding table costs: looking up and refreshing in place, in stages over a burst of 32
// and one at a time; adding and removing. Beside them the floor, in the same memory: a random line,
// then a random record of 256 bytes that it points to. By default 10 k and 1 M contacts;
// PINHOLE_BENCH_CONTACTS=4000000 adds a size. Memory is mapped and advised to be huge pages, as in
// production; the records stand in a jemalloc arena where the build has it.
#include "dataplane/table/binding_table.h"

#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>
#ifdef PINHOLE_HAS_ARENA
#include "dataplane/table/arena.h"
#else
#include "dataplane/table/heap_memory.h"
#endif

namespace pinhole::table {
namespace {

constexpr std::size_t kBurst = 32;
constexpr std::size_t kBursts = 4096;

// Private memory, in 2 MB pages if the kernel has them.
class Mapping {
  public:
    explicit Mapping(std::size_t bytes) : bytes_(bytes) {
        base_ = mmap(nullptr, bytes_ + kHuge, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        madvise(base_, bytes_ + kHuge, MADV_HUGEPAGE);
        next_ = (reinterpret_cast<std::uintptr_t>(base_) + kHuge - 1) / kHuge * kHuge;
    }
    ~Mapping() { munmap(base_, bytes_ + kHuge); }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    void* take(std::size_t bytes) {
        void* at = reinterpret_cast<void*>(next_);
        next_ += (bytes + 63) / 64 * 64;
        return at;
    }

  private:
    static constexpr std::size_t kHuge = std::size_t{2} << 20;
    std::size_t bytes_;
    void* base_;
    std::uintptr_t next_;
};

struct Texts {
    explicit Texts(std::uint32_t n) {
        const std::string number = std::to_string(10'000'000 + n);
        aor = number + "@voip.example.com";  // 25
        uri = "sip:" + number + "@192.168.100.123:5060;line=1abcdef0";
        params = ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-0015" + number + ">\"";
    }
    std::string aor, uri, params;
};

// A filled table of one shard, and the order in which its AORs are asked for.
class Filled {
  public:
    explicit Filled(std::uint32_t contacts)
        : plan_(memory_plan(contacts + kSpare, 1)),
          mapping_(plan_.total(1) + (std::size_t{4} << 20)) {
        const std::array<std::byte, KeyedHash::kSeedBytes> seed{std::byte{42}};
        const ArrayMemory arrays{[](void* self, std::size_t bytes) {
                                     return static_cast<Filled*>(self)->mapping_.take(bytes);
                                 },
                                 this};
#ifdef PINHOLE_HAS_ARENA
        arena_ = RecordArena::make(mapping_.take(plan_.shard_records), plan_.shard_records);
        const ShardMemory shard{arrays, arena_->allocator()};
#else
        const ShardMemory shard{arrays, heap_.records()};
#endif
        table = BindingTable::make(
            {contacts + kSpare, KeyedHash(seed), at_once(), arrays, {&shard, 1}});
        for (std::uint32_t n = 0; n < contacts; ++n) {
            add(n);
        }
        std::mt19937 random(1);
        for (auto& question : questions) {
            const std::string aor = Texts(random() % contacts).aor;
            aor.copy(question.text.data(), question.text.size());
            question.hash = table->hash()(question.aor());
        }
    }
    ~Filled() { table.reset(); }

    ChangeResult add(std::uint32_t n) {
        const Texts texts(n);
        NewContact contact;
        contact.uri = texts.uri;
        contact.params = texts.params;
        contact.state.flow.theirs = net::Address::v4(n);
        contact.state.flow.their_udp_port = static_cast<std::uint16_t>(n);
        return table
            ->change_owner(table->hash()(texts.aor), texts.aor,
                           [&](const Current&, Edit& edit) { return edit.add(contact); })
            .result;
    }
    ChangeResult remove(std::uint32_t n) {
        const Texts texts(n);
        return table
            ->change_owner(table->hash()(texts.aor), texts.aor,
                           [&](const Current&, Edit& edit) {
                               edit.drop(0);
                               return true;
                           })
            .result;
    }

    // Arrays, and what the arena has carved: with the spare contacts' share of the arrays.
    [[nodiscard]] double bytes_a_contact(double contacts) const {
        double bytes = static_cast<double>(plan_.shared_arrays + plan_.shard_arrays);
#ifdef PINHOLE_HAS_ARENA
        bytes += static_cast<double>(arena_->carved_bytes());
#endif
        return bytes / contacts;
    }

    // Inline, as the AOR in a packet that has just been parsed: no miss of its own.
    struct Question {
        std::array<char, 25> text;
        std::uint64_t hash;
        std::string_view aor() const { return {text.data(), text.size()}; }
    };
    static constexpr std::uint32_t kSpare = 100'000;

    std::vector<Question> questions{kBursts * kBurst};
    std::unique_ptr<BindingTable> table;

  private:
    static Reclaimer at_once() {
        return {[](void*) { return std::uint64_t{1}; }, [](void*, std::uint64_t) { return true; },
                nullptr};
    }

    MemoryPlan plan_;
    Mapping mapping_;
#ifdef PINHOLE_HAS_ARENA
    std::unique_ptr<RecordArena> arena_;
#else
    HeapMemory heap_;
#endif
};

// One at a time: filling four millions takes a while, and their memory is wanted by the next.
Filled& filled(std::int64_t contacts) {
    static std::int64_t current = 0;
    static std::unique_ptr<Filled> table;
    if (current != contacts) {
        table.reset();
        table = std::make_unique<Filled>(static_cast<std::uint32_t>(contacts));
        current = contacts;
    }
    return *table;
}

void sizes(benchmark::internal::Benchmark* bench) {
    bench->Arg(10'000)->Arg(1'000'000);
    if (const char* more = std::getenv("PINHOLE_BENCH_CONTACTS")) {
        bench->Arg(std::atoll(more));
    }
}

// Runs `burst(first question)` over all questions for ever, and counts each.
template <class Burst>
void each_burst(benchmark::State& state, const Filled& f, Burst&& burst) {
    std::size_t at = 0;
    for (auto _ : state) {
        burst(&f.questions[at * kBurst]);
        at = (at + 1) % kBursts;
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBurst));
}

// The record of each question, found in stages.
std::array<const Record*, kBurst> find_burst(const BindingTable& table, const Filled::Question* q) {
    std::array<const Record*, kBurst> records;
    for (std::size_t i = 0; i < kBurst; ++i) {
        table.prefetch_bucket(q[i].hash);
    }
    for (std::size_t i = 0; i < kBurst; ++i) {
        table.prefetch_record(q[i].hash);
    }
    for (std::size_t i = 0; i < kBurst; ++i) {
        records[i] = table.find(q[i].hash, q[i].aor());
    }
    return records;
}

bool refresh(BindingTable& table, const Record& record, std::uint32_t now) {
    return table.refresh_any(record, [now](ClaimedRecord& claimed) {
        ContactState contact = claimed.state(0);
        contact.cseq = now;
        contact.expires_at_s = now + 3600;
        contact.refreshed_at_ms = now;
        claimed.update(0, contact);
    }) == RefreshResult::kOk;
}

void hash_aor(benchmark::State& state) {
    const Filled& f = filled(10'000);
    each_burst(state, f, [&](const Filled::Question* q) {
        for (std::size_t i = 0; i < kBurst; ++i) {
            benchmark::DoNotOptimize(f.table->hash()(q[i].aor()));
        }
    });
}

// Two dependent random accesses, a line and the four lines it points to, prefetched over a burst:
// nothing that looks a record up can cost less.
void floor_staged(benchmark::State& state) {
    const auto contacts = static_cast<std::size_t>(state.range(0));
    const std::size_t lines = contacts / 4 + 1;
    Mapping mapping(lines * 64 + contacts * 256);
    auto* index = static_cast<std::uint64_t*>(mapping.take(lines * 64));
    auto* records = static_cast<std::uint64_t*>(mapping.take(contacts * 256));
    std::mt19937_64 random(1);
    for (std::size_t i = 0; i < lines; ++i) {
        index[i * 8] = random() % contacts;
    }
    std::memset(static_cast<void*>(records), 1, contacts * 256);
    std::vector<std::size_t> order(kBursts * kBurst);
    for (std::size_t& at : order) {
        at = random() % lines;
    }
    std::size_t burst = 0;
    for (auto _ : state) {
        const std::size_t* at = &order[burst * kBurst];
        burst = (burst + 1) % kBursts;
        for (std::size_t i = 0; i < kBurst; ++i) {
            __builtin_prefetch(&index[at[i] * 8]);
        }
        for (std::size_t i = 0; i < kBurst; ++i) {
            for (std::size_t line = 0; line < 4; ++line) {
                __builtin_prefetch(&records[index[at[i] * 8] * 32 + line * 8]);
            }
        }
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < kBurst; ++i) {
            for (std::size_t line = 0; line < 4; ++line) {
                sum += records[index[at[i] * 8] * 32 + line * 8];
            }
        }
        benchmark::DoNotOptimize(sum);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBurst));
}

void find_staged(benchmark::State& state) {
    const Filled& f = filled(state.range(0));
    each_burst(state, f, [&](const Filled::Question* q) {
        benchmark::DoNotOptimize(find_burst(*f.table, q));
    });
    state.counters["bytes_a_contact"] = f.bytes_a_contact(static_cast<double>(state.range(0)));
}

void find_one_at_a_time(benchmark::State& state) {
    const Filled& f = filled(state.range(0));
    each_burst(state, f, [&](const Filled::Question* q) {
        for (std::size_t i = 0; i < kBurst; ++i) {
            benchmark::DoNotOptimize(f.table->find(q[i].hash, q[i].aor()));
        }
    });
}

void find_and_read_staged(benchmark::State& state) {
    const Filled& f = filled(state.range(0));
    each_burst(state, f, [&](const Filled::Question* q) {
        for (const Record* record : find_burst(*f.table, q)) {
            ContactView view;
            benchmark::DoNotOptimize(record->read(0, view));
            benchmark::DoNotOptimize(view);
        }
    });
}

void refresh_staged(benchmark::State& state) {
    Filled& f = filled(state.range(0));
    std::uint32_t now = 0;
    each_burst(state, f, [&](const Filled::Question* q) {
        ++now;
        for (const Record* record : find_burst(*f.table, q)) {
            benchmark::DoNotOptimize(refresh(*f.table, *record, now));
        }
    });
}

void refresh_one_at_a_time(benchmark::State& state) {
    Filled& f = filled(state.range(0));
    std::uint32_t now = 0;
    each_burst(state, f, [&](const Filled::Question* q) {
        ++now;
        for (std::size_t i = 0; i < kBurst; ++i) {
            const Record* record = f.table->find(q[i].hash, q[i].aor());
            benchmark::DoNotOptimize(refresh(*f.table, *record, now));
        }
    });
}

// The texts are made in the measured time: some 150 ns of it.
void add_and_remove(benchmark::State& state) {
    Filled& f = filled(state.range(0));
    const auto base = static_cast<std::uint32_t>(state.range(0));
    std::uint32_t n = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(f.add(base + n));
        benchmark::DoNotOptimize(f.remove(base + n));
        f.table->reclaim_owner(0);
        n = (n + 1) % Filled::kSpare;
    }
}
void texts_alone(benchmark::State& state) {
    std::uint32_t n = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(Texts(++n));
        benchmark::DoNotOptimize(Texts(++n));
    }
}

BENCHMARK(hash_aor);
BENCHMARK(floor_staged)->Apply(sizes);
BENCHMARK(texts_alone);
// By size, so that each table is filled once.
const int kRegistered = [] {
    std::vector<std::int64_t> contacts{10'000, 1'000'000};
    if (const char* more = std::getenv("PINHOLE_BENCH_CONTACTS")) {
        contacts.push_back(std::atoll(more));
    }
    for (const std::int64_t n : contacts) {
        benchmark::RegisterBenchmark("find_staged", find_staged)->Arg(n);
        benchmark::RegisterBenchmark("find_one_at_a_time", find_one_at_a_time)->Arg(n);
        benchmark::RegisterBenchmark("find_and_read_staged", find_and_read_staged)->Arg(n);
        benchmark::RegisterBenchmark("refresh_staged", refresh_staged)->Arg(n);
        benchmark::RegisterBenchmark("refresh_one_at_a_time", refresh_one_at_a_time)->Arg(n);
        benchmark::RegisterBenchmark("add_and_remove", add_and_remove)->Arg(n);
    }
    return 0;
}();

}  // namespace
}  // namespace pinhole::table

BENCHMARK_MAIN();
