// SPDX-License-Identifier: BSD-3-Clause
// What the wheel costs a contact: an entry moved at random, and one taken out and set again as
// pings do it, at 10 k, 1 M and (--benchmark_filter=10000000) 10 M contacts; beside them a floor,
// one random line touched and written. Then the keeper's whole round: ping due, sent, answered,
// timeout looked at; and how evenly pings leave.
#include "control/qualify/keeper.h"
#include "control/qualify/random.h"
#include "control/wheel/wheel.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstddef>
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

struct AllAlive final : qualify::Contacts {
    ContactId id_at(std::uint32_t slot) override { return {slot, 1}; }
    bool read(ContactId id, ContactBrief& out) override {
        out.id = id;
        out.expires_at_s = 0xffff'ffff;
        return true;
    }
    // A thousand of them behind an address.
    bool where_is(std::uint32_t slot, qualify::Whereabouts& out) override {
        out.address = net::Address::v4(0x43000000U + slot / 1000);
        out.udp_port = out.flow_mark = static_cast<std::uint16_t>(slot % 1000 + 1);
        return true;
    }
};
struct Pinged final : qualify::Sink {
    std::vector<ContactId> ids;
    bool send_ping(const ContactBrief& contact) override {
        ids.push_back(contact.id);
        return true;
    }
    void expire(ContactId) override {}
    void remove_unreachable(ContactId) override {}
    void send_probe(ContactId) override {}
    void retarget(ContactId) override {}
};

// A keeper, all of whose contacts answer, in synthetic time.
class Plane {
  public:
    explicit Plane(std::uint32_t n)
        : states_(n),
          gateways_(65'536,
                    table::KeyedHash{std::array<std::byte, table::KeyedHash::kSeedBytes>{}}),
          ledger_(n),
          keeper_({}, {states_, gateways_, ledger_}, contacts_, sink_, {0, 0}, 1) {
        for (std::uint32_t slot = 0; slot < n; ++slot) {
            keeper_.changed(slot);
        }
        while (ms_ < 60'000) {  // past the avalanche of the beginning
            (void)step(10);
        }
    }

    // Returns how many pings left in it.
    std::size_t step(std::uint32_t ms) {
        ms_ += ms;
        const qualify::Now now{ms_, static_cast<std::uint32_t>(ms_ / 1'000)};
        keeper_.advance(now, 0xffff'ffff);
        keeper_.handed_over(now, 0);
        const std::size_t sent = sink_.ids.size();
        for (const ContactId id : sink_.ids) {
            keeper_.pong(id, 40'000, 200, true);
        }
        sink_.ids.clear();
        return sent;
    }
    [[nodiscard]] const qualify::Figures& figures() const { return keeper_.figures(); }

  private:
    table::QualifyTable states_;
    AllAlive contacts_;
    Pinged sink_;
    qualify::Gateways gateways_;
    qualify::Ledger ledger_;
    qualify::Keeper keeper_;
    std::uint64_t ms_ = 0;
};

// An item is one contact's ping: due, sent, answered, and its timeout passed. What the real sink
// and the read of the contact cost is not in it.
void keeper_round(benchmark::State& state) {
    Plane plane(static_cast<std::uint32_t>(state.range(0)));
    const std::uint64_t before = plane.figures().sent.get();
    for (auto _ : state) {
        (void)plane.step(10);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(plane.figures().sent.get() - before));
}
BENCHMARK(keeper_round)->Apply(sizes);

// A second of the plane by steps of 1 ms, with a stall of 2 s of synthetic time in its midst.
// Counters: the most pings in any 10 ms beside what is promised, 1.2 times the mean and a burst;
// pings a second of synthetic time; those that were more than 100 ms late without the stall; how
// long after the stall something was still overdue; and the share of one core that all of it takes.
void keeper_bursts(benchmark::State& state) {
    constexpr int kSeconds = 30;
    constexpr int kStallAt = 10;
    const auto n = static_cast<std::uint32_t>(state.range(0));
    Plane plane(n);
    std::array<std::size_t, 10> last{};
    std::size_t in_span = 0;
    std::size_t busiest = 0;
    int second = 0;
    std::uint64_t late = 0;
    std::uint64_t behind_ms = 0;
    const std::uint64_t late_before = plane.figures().late.get();
    const std::uint64_t before = plane.figures().sent.get();
    for (auto _ : state) {
        if (second++ == kStallAt) {
            late = plane.figures().late.get() - late_before;
            last.fill(0);
            in_span = last[0] = plane.step(2'000);
        }
        for (std::size_t ms = 0; ms < 1'000; ++ms) {
            std::size_t& oldest = last[(ms + 1) % last.size()];
            in_span -= oldest;
            oldest = plane.step(1);
            in_span += oldest;
            busiest = std::max(busiest, in_span);
            behind_ms += plane.figures().overdue.get() > 0 && second > kStallAt ? 1 : 0;
        }
    }
    const auto sent = static_cast<double>(plane.figures().sent.get() - before);
    state.SetItemsProcessed(static_cast<std::int64_t>(sent));
    state.counters["busiest_10_ms"] = static_cast<double>(busiest);
    state.counters["promised"] = 1.2 * 10.0 * n / (0.9 * 25'000) + 32;
    state.counters["pings_per_s"] = sent / (kSeconds + 2);
    state.counters["late_no_stall"] = static_cast<double>(late);
    state.counters["behind_ms"] = static_cast<double>(behind_ms);
}
BENCHMARK(keeper_bursts)->Apply(sizes)->Iterations(30)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pinhole

BENCHMARK_MAIN();
