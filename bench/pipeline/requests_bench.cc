// SPDX-License-Identifier: BSD-3-Clause
// Requests that pinhole answers itself: REGISTERs of 760 bytes as a Yealink phone sends them, and a
// call from the core that is redirected. Those with a password have one of MD5 or SHA-256 under a
// nonce that is new each time, so that each takes a window, and often another's place. The floor
// has no password.
#include "bench/pipeline/measure.h"
#include "dataplane/table/change_log.h"

#include <array>
#include <vector>

namespace pinhole::io {
namespace {

constexpr std::int64_t kTurns = 400;

Pipeline& pipeline_of(const benchmark::State& state, bool passwords = false) {
    return the_pipeline(
        {.contacts = static_cast<std::uint32_t>(state.range(0)), .passwords = passwords});
}

// What the floor is made of.
void floor_parts(benchmark::State& state) {
    using Part = Floor::Part;
    Pipeline& p = pipeline_of(state);
    std::array<std::vector<double>, 4> ns;
    for (auto _ : state) {
        ns[0].push_back(floor_ns<Part::kAll>(p));
        ns[1].push_back(floor_ns<Part::kScan>(p));
        ns[2].push_back(floor_ns<Part::kRecord>(p));
        ns[3].push_back(floor_ns<Part::kWrite>(p));
        state.SetIterationTime(ns[0].back() * Pipeline::kMeasured * 1e-9);
    }
    state.counters["ns"] = median(ns[0]);
    state.counters["scan_ns"] = median(ns[1]);
    state.counters["record_ns"] = median(ns[2]);
    state.counters["write_ns"] = median(ns[3]);
}

void refresh(benchmark::State& state) {
    Pipeline& p = pipeline_of(state);
    state.counters["bytes"] = static_cast<double>(kYealinkRegister.text().size());
    measure(state, p, 200, [&](unsigned) { return p.make_register(p.any_phone()); });
}

void refresh_gruu(benchmark::State& state) {
    Pipeline& p = pipeline_of(state);
    measure(state, p, 200, [&](unsigned) {
        const std::uint32_t phone = p.any_phone();
        return p.make(kGruuRegister, to_edge(far_address(phone), far_port(phone)), phone);
    });
}

// With a journal: what it changes stands in the worker's log before it is answered.
void refresh_journal(benchmark::State& state) {
    constexpr std::size_t kBytes = std::size_t{1} << 20;
    table::ChangeLogHead head{};
    std::vector<std::uint64_t> data(kBytes / 8);
    table::ChangeLog log(head, {reinterpret_cast<std::byte*>(data.data()), kBytes});
    Pipeline& p = pipeline_of(state);
    p.edge().table().log_to(0, &log);
    measure(
        state, p, 200, [&] { log.took(log.written()); },
        [&](unsigned) { return p.make_register(p.any_phone()); });
    p.edge().table().log_to(0, nullptr);
    if (log.lost() != 0 || log.written() == 0) {
        state.SkipWithError("the log was not written");
    }
}

template <auth::Algorithm kAlgorithm>
void refresh_with_password(benchmark::State& state) {
    Pipeline& p = pipeline_of(state, true);
    measure(state, p, 200, [&](unsigned) { return p.make_signed(p.any_phone(), kAlgorithm); });
}

// Spare numbers; all gone again once they are used up.
void first_registration(benchmark::State& state) {
    Pipeline& p = pipeline_of(state);
    std::uint32_t first = p.contacts();
    measure(
        state, p, 200,
        [&] {
            first += Pipeline::kPackets;
            if (first + Pipeline::kPackets > p.contacts() + Pipeline::kSpare / 2) {
                first = p.contacts();
            }
            p.forget(first, Pipeline::kPackets);
        },
        [&](unsigned i) { return p.make_register(first + i); });
}

void fetch(benchmark::State& state) {
    Pipeline& p = pipeline_of(state);
    measure(state, p, 200, [&](unsigned) {
        const std::uint32_t phone = p.any_phone();
        return p.make(kYealinkFetch, to_edge(far_address(phone), far_port(phone)), phone);
    });
}

// A call's lookup: answered with 302, or sent on.
template <unsigned kCode>
void invite(benchmark::State& state) {
    Pipeline& p = pipeline_of(state);
    p.edge().redirect(kCode == 302);
    measure(state, p, kCode,
            [&](unsigned) { return p.make(kCoreInvite, to_edge(kCore, kSip), p.any_phone()); });
    p.edge().redirect(false);
}

}  // namespace

void add_floor(std::int64_t contacts) {
    benchmark::RegisterBenchmark("floor", floor_parts)
        ->Arg(contacts)
        ->UseManualTime()
        ->Iterations(turns(kTurns));
}

void add_requests(std::int64_t contacts) {
    const auto add = [&](const char* name, void (*function)(benchmark::State&)) {
        benchmark::RegisterBenchmark(name, function)
            ->Arg(contacts)
            ->UseManualTime()
            ->Iterations(turns(kTurns));
    };
    add("refresh", refresh);
    add("refresh_gruu", refresh_gruu);
    add("refresh_journal", refresh_journal);
    add("refresh_md5", refresh_with_password<auth::Algorithm::kMd5>);
    add("refresh_sha256", refresh_with_password<auth::Algorithm::kSha256>);
    add("first_registration", first_registration);
    add("fetch", fetch);
    add("invite_redirected", invite<302>);
    add("invite_in", invite<0>);
}

}  // namespace pinhole::io
