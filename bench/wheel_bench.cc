// SPDX-License-Identifier: BSD-3-Clause
// What the wheel costs a contact: an entry moved at random, and one taken out and set again as
// pings do it, at 10 k, 1 M and (--benchmark_filter=10000000) 10 M contacts; beside them a floor,
// one random line touched and written. Then the keeper's whole round: ping due, sent, answered,
// timeout looked at.
#include "control/qualify/keeper.h"
#include "control/qualify/random.h"
#include "control/wheel/wheel.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

namespace pinhole {
namespace {

using qualify::ContactBrief;
using qualify::ContactId;
using qualify::Random;
using wheel::Tick;
using wheel::Wheel;

constexpr Tick kInterval = 2'500;  // 25 s

void sizes(benchmark::internal::Benchmark* b) {
    b->Arg(10'000)->Arg(1'000'000)->Arg(10'000'000);
}

void fill(Wheel& wheel, std::uint32_t n, Random& random) {
    for (std::uint32_t slot = 0; slot < n; ++slot) {
        wheel.schedule(slot, random.below(kInterval));
    }
}

void floor_random_line(benchmark::State& state) {
    const auto n = static_cast<std::uint32_t>(state.range(0));
    std::vector<std::uint32_t> memory(std::size_t{n} * 3);
    Random random(1);
    for (auto _ : state) {
        ++memory[std::size_t{random.below(n)} * 3];
    }
    benchmark::DoNotOptimize(memory.data());
}
BENCHMARK(floor_random_line)->Apply(sizes);

void reschedule(benchmark::State& state) {
    const auto n = static_cast<std::uint32_t>(state.range(0));
    Random random(1);
    Wheel wheel(n, 0);
    fill(wheel, n, random);
    for (auto _ : state) {
        wheel.schedule(random.below(n), random.below(kInterval));
    }
}
BENCHMARK(reschedule)->Apply(sizes);

// An item is one entry taken and set again within the window of a ping.
void advance_and_schedule(benchmark::State& state) {
    const auto n = static_cast<std::uint32_t>(state.range(0));
    Random random(1);
    Wheel wheel(n, 0);
    fill(wheel, n, random);
    Tick now = 0;
    std::int64_t taken = 0;
    for (auto _ : state) {
        taken += wheel.advance(now, 0xffff'ffff, [&](std::uint32_t slot) {
            wheel.schedule(slot, now + kInterval * 3 / 5 + random.below(kInterval * 2 / 5));
        });
        ++now;
    }
    state.SetItemsProcessed(taken);
}
BENCHMARK(advance_and_schedule)->Apply(sizes);

void advance_empty_tick(benchmark::State& state) {
    Wheel wheel(1, 0);
    wheel.schedule(0, 0x7000'0000);
    Tick now = 0;
    for (auto _ : state) {
        wheel.advance(now++, 100, [](std::uint32_t) {});
    }
}
BENCHMARK(advance_empty_tick);

struct AllAlive {
    static bool read(std::uint32_t, ContactBrief& out) {
        out = {1, 0xffff'ffff};
        return true;
    }
    // A thousand of them behind an address.
    static bool where_is(std::uint32_t slot, qualify::Whereabouts& out) {
        out.address = net::Address::v4(0x43000000U + slot / 1000);
        out.udp_port = out.flow_mark = static_cast<std::uint16_t>(slot % 1000 + 1);
        return true;
    }
};
struct Pinged {
    std::vector<ContactId> ids;
    bool send_ping(ContactId id) {
        ids.push_back(id);
        return true;
    }
    static void expire(ContactId) {}
    static void remove_unreachable(ContactId) {}
    static void send_probe(ContactId) {}
    static void retarget(ContactId) {}
};

// An item is one contact's ping: due, sent, answered, and its timeout passed. What the real sink
// and the read of the contact cost is not in it.
void keeper_round(benchmark::State& state) {
    const auto n = static_cast<std::uint32_t>(state.range(0));
    table::QualifyTable states(n);
    AllAlive contacts;
    Pinged sink;
    const table::KeyedHash hash{std::array<std::byte, table::KeyedHash::kSeedBytes>{}};
    qualify::Gateways gateways(65'536, hash);
    qualify::Ledger ledger(n);
    qualify::Keeper<AllAlive, Pinged> keeper({}, {states, gateways, ledger}, contacts, sink, {0, 0},
                                             1);
    for (std::uint32_t slot = 0; slot < n; ++slot) {
        keeper.changed(slot);
    }
    std::uint64_t ms = 0;
    const auto tick = [&] {
        ms += 10;
        keeper.advance({ms, static_cast<std::uint32_t>(ms / 1'000)}, 0xffff'ffff);
        for (const ContactId id : sink.ids) {
            keeper.pong(id, 40'000, 200, true);
        }
        sink.ids.clear();
    };
    while (ms < 60'000) {  // past the avalanche of the beginning
        tick();
    }
    const std::uint64_t before = keeper.figures().sent.get();
    for (auto _ : state) {
        tick();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(keeper.figures().sent.get() - before));
}
BENCHMARK(keeper_round)->Apply(sizes);

}  // namespace
}  // namespace pinhole

BENCHMARK_MAIN();
