// SPDX-License-Identifier: BSD-3-Clause
// What pings cost a worker beside refreshes. The real control thread, on another core, pings every
// contact each 25 s; phones answer at once. `ping_ns` is what a ping and its answer take of the
// worker's time, `loss` their share of it at that pace, which is also the share of the refreshes
// that is lost.
#include "bench/pipeline/answers.h"
#include "bench/pipeline/control_beside.h"
#include "bench/pipeline/measure.h"
#include "control/qualify/ping_pace.h"
#include "dataplane/io/outbox.h"
#include "dataplane/route/ping.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace pinhole::io {
namespace {

constexpr std::int64_t kTurns = 2000;
constexpr int kTurnsAlone = 400;  // before and after
constexpr std::uint32_t kInterval_ms = 25'000;
// A contact's turn comes between 0.6 and 1.0 of the interval, the later the likelier.
constexpr double kMeanInterval_s = qualify::PingPace::kMeanInterval * kInterval_ms / 1000;
// Of pings, before anything is measured: the first ones wait for the table to be gone through.
constexpr std::uint64_t kWarmPings = 50'000;
constexpr unsigned kPatience = 200'000;  // turns until then

struct Done {
    double ns = 0;
    double refreshes = 0;
    double pings = 0;
    double pongs = 0;
    void operator+=(const Done& other) {
        ns += other.ns;
        refreshes += other.refreshes;
        pings += other.pings;
        pongs += other.pongs;
    }
    [[nodiscard]] double refresh_ns() const { return ns / refreshes; }
};

class Beside {
  public:
    explicit Beside(Pipeline& pipeline) : p_(pipeline) {}

    // Refreshes, and among them the answers to the pings of the turn before.
    Done turn() {
        p_.prepare([&](unsigned i) { return i % 4 != 0 ? next_pong() : refresh(); });
        Done done = work();
        collect();
        return done;
    }
    [[nodiscard]] std::uint64_t pings() const { return counters().pings_sent.get(); }

  private:
    [[nodiscard]] const CoreCounters& counters() const { return p_.edge().counters(0); }
    rte_mbuf* refresh() { return p_.make_register(p_.any_phone()); }
    rte_mbuf* next_pong() {
        if (pongs_.empty()) {
            return refresh();
        }
        rte_mbuf* pong = pongs_.back();
        pongs_.pop_back();
        return pong;
    }
    [[nodiscard]] Done seen() const {
        return {0, static_cast<double>(counters().responses[200].get()),
                static_cast<double>(counters().pings_sent.get()),
                static_cast<double>(counters().pongs.get())};
    }
    Done work() {
        Worker& worker = p_.edge().worker(0);
        Done before;
        std::uint64_t cycles = 0;
        for (unsigned b = 0; b < Pipeline::kBursts; ++b) {
            if (b == Pipeline::kWarmBursts) {
                before = seen();
            }
            for (unsigned i = 0; i < Pipeline::kBurst; ++i) {
                p_.edge().put(0, p_.prepared()[b * Pipeline::kBurst + i]);
            }
            const std::uint64_t begun = rte_rdtsc();
            worker.round();
            cycles += b < Pipeline::kWarmBursts ? 0 : rte_rdtsc() - begun;
        }
        const Done after = seen();
        return {ns_a_packet(cycles, 1), after.refreshes - before.refreshes,
                after.pings - before.pings, after.pongs - before.pongs};
    }
    void collect() {
        for (rte_mbuf* sent : p_.edge().frames_sent(0)) {
            if (pongs_.size() == Pipeline::kPackets) {
                rte_pktmbuf_free(sent);
            } else if (rte_mbuf* pong = answer_to_ping(p_.edge(), sent); pong != nullptr) {
                pongs_.push_back(pong);
            }
        }
    }

    Pipeline& p_;
    std::vector<rte_mbuf*> pongs_;
};

void qualify(benchmark::State& state) {
    Pipeline& p = the_pipeline({.contacts = static_cast<std::uint32_t>(state.range(0)),
                                .keeps_sent = true,
                                .deep_queue = true});
    Beside beside(p);
    Done alone;
    for (int i = 0; i < kTurnsAlone; ++i) {
        alone += beside.turn();
    }
    std::optional<ControlBeside> control;
    control.emplace(p, kInterval_ms);
    const std::uint64_t enough = beside.pings() + std::min<std::uint64_t>(kWarmPings, p.contacts());
    for (unsigned i = 0; i < kPatience && beside.pings() < enough; ++i) {
        (void)beside.turn();
    }
    const std::uint64_t late = control->figures().late.get();
    Done pinged;
    for (auto _ : state) {
        const Done done = beside.turn();
        pinged += done;
        state.SetIterationTime(done.ns * 1e-9);
    }
    const std::uint64_t late_meanwhile = control->figures().late.get() - late;
    control.reset();
    for (int i = 0; i < kTurnsAlone; ++i) {
        alone += beside.turn();
    }
    if (pinged.pings == 0) {
        state.SkipWithError("no pings came");
        return;
    }
    const double ping_ns =
        (pinged.ns - pinged.refreshes * alone.refresh_ns()) / ((pinged.pings + pinged.pongs) / 2);
    const double pings_a_second = p.contacts() / kMeanInterval_s;
    state.counters["refresh_ns"] = alone.refresh_ns();
    state.counters["pings"] = pinged.pings;
    state.counters["pongs"] = pinged.pongs;
    state.counters["late"] = static_cast<double>(late_meanwhile) / pinged.pings;
    state.counters["ping_ns"] = ping_ns;
    state.counters["pings_a_second"] = pings_a_second;
    state.counters["loss"] = ping_ns * 1e-9 * pings_a_second;
}

// A phone's contact as a ping's target; none if it has no contact.
std::optional<route::PingTarget> target_of(Edge& edge, std::uint32_t phone) {
    const std::string aor = user_of(phone) + "@example.com";
    const table::Record* record = edge.table().find(edge.table().hash()(aor), aor);
    if (record == nullptr) {
        return std::nullopt;
    }
    return route::PingTarget{record->fixed(0).id(), at_edge(far_address(phone), far_port(phone)),
                             record->uri(0), record->aor()};
}

// A ping alone, from the worker's inbox to its transmit queue. It was written by the same core;
// `qualify` shows what it costs to come from another.
void ping(benchmark::State& state) {
    Pipeline& p = the_pipeline({.contacts = static_cast<std::uint32_t>(state.range(0))});
    Edge& edge = p.edge();
    Outbox outbox(edge.ports(), edge.mesh());
    const auto post = [&](std::uint32_t phone) {
        const auto target = target_of(edge, phone);
        return target.has_value() &&
               outbox.post(target->flow, 0, edge.around(), [&](char* room, std::size_t capacity) {
                   sip::Writer out(room, capacity);
                   return route::build_ping(*target, edge.keys(), edge.now().us, out)
                              ? out.size()
                              : std::size_t{0};
               }) == Outbox::Posted::kPosted;
    };
    std::vector<double> ours;
    for (auto _ : state) {
        std::uint64_t cycles = 0;
        for (unsigned b = 0; b < Pipeline::kMeasuredBursts; ++b) {
            for (unsigned i = 0; i < Pipeline::kBurst; ++i) {
                if (!post(p.any_phone())) {
                    state.SkipWithError("not all were posted");
                    return;
                }
            }
            outbox.flush();
            const std::uint64_t begun = rte_rdtsc();
            measured_round(edge.worker(0));
            cycles += rte_rdtsc() - begun;
        }
        ours.push_back(ns_a_packet(cycles));
        state.SetIterationTime(ours.back() * Pipeline::kMeasured * 1e-9);
    }
    state.counters["ns"] = median(ours);
}

// The answer to a ping alone.
void pong(benchmark::State& state) {
    Pipeline& p = the_pipeline({.contacts = static_cast<std::uint32_t>(state.range(0))});
    Edge& edge = p.edge();
    const auto answer = [&](std::uint32_t phone) {
        const auto target = target_of(edge, phone);
        std::array<char, 1024> room;
        AnswerRoom text;
        sip::Writer ping(room.data(), room.size());
        if (!target || !route::build_ping(*target, edge.keys(), edge.now().us, ping)) {
            state.SkipWithError("a phone has no contact");
        }
        return edge.frame(to_edge(far_address(phone), far_port(phone)),
                          answer_text(ping.view(), text));
    };
    std::array<edge::PongNotice, Pipeline::kPackets> taken;
    std::vector<double> ours;
    std::vector<double> floors;
    for (auto _ : state) {
        floors.push_back(floor_ns(p));
        p.prepare([&](unsigned) { return answer(p.any_phone()); });
        const std::uint64_t cycles = p.run();
        if (edge.mesh().pongs(0).take(taken.data(), taken.size()) != Pipeline::kPackets) {
            state.SkipWithError("pongs were lost");
            break;
        }
        ours.push_back(ns_a_packet(cycles));
        state.SetIterationTime(static_cast<double>(cycles) / static_cast<double>(rte_get_tsc_hz()));
    }
    report(state, ours, floors);
}

}  // namespace

void add_qualify(std::int64_t contacts) {
    benchmark::RegisterBenchmark("ping", ping)
        ->Arg(contacts)
        ->UseManualTime()
        ->Iterations(turns(200));
    benchmark::RegisterBenchmark("pong", pong)
        ->Arg(contacts)
        ->UseManualTime()
        ->Iterations(turns(200));
    benchmark::RegisterBenchmark("qualify", qualify)
        ->Arg(contacts)
        ->UseManualTime()
        ->Iterations(turns(kTurns));
}

}  // namespace pinhole::io
