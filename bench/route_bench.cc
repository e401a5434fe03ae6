// SPDX-License-Identifier: BSD-3-Clause
// What a call's packets cost in routing: an INVITE to a phone, its answer back, a BYE by its token,
// a call out, a ping built and its answer read. Each includes parsing, as a worker does it; one
// copy of the INVITE is the floor in the same run. The table is small and warm: what a cold one
// costs is table_bench's.
#include "dataplane/route/ping.h"
#include "tests/unit/route/world.h"

#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <string>

namespace {

using namespace pinhole;
using namespace pinhole::route;

std::array<char, 16384> buffer;

struct Packet {
    std::string text;
    Arrival arrival;
};

Decision route_once(const Packet& packet, const Context& context) {
    sip::Message message;
    sip::Writer out(buffer.data(), buffer.size());
    if (sip::parse(packet.text, message) != sip::ParseError::kOk) {
        return {};
    }
    return decide(message, packet.arrival, context, out);
}

void run(benchmark::State& state, World& world, const Packet& packet, Kind expected) {
    const Context context = world.context();
    if (route_once(packet, context).kind != expected) {
        state.SkipWithError("not decided as expected");
        return;
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(route_once(packet, context));
    }
    state.counters["bytes"] = static_cast<double>(packet.text.size());
}

Arrival from_core(const World& world) {
    return {.flow = world.peers[0].flow, .from_core_peer = true};
}
Arrival from_phone() {
    return {.flow = World::phone_flow()};
}

void copy_floor(benchmark::State& state) {
    const std::string invite = crlf(kInvite);
    for (auto _ : state) {
        std::memcpy(buffer.data(), invite.data(), invite.size());
        benchmark::ClobberMemory();
    }
}
BENCHMARK(copy_floor);

void parse_only(benchmark::State& state) {
    const std::string invite = crlf(kInvite);
    sip::Message message;
    for (auto _ : state) {
        benchmark::DoNotOptimize(sip::parse(invite, message));
    }
}
BENCHMARK(parse_only);

// A new call every time: looked up and pinned.
void invite_in(benchmark::State& state) {
    World world;
    world.add({});
    Packet packet{crlf(kInvite), from_core(world)};
    const Context context = world.context();
    const std::size_t digits = packet.text.find("z9hG4bKcore1") + 7;
    std::uint32_t n = 0;
    for (auto _ : state) {
        std::uint32_t rest = ++n;
        for (std::size_t i = 0; i < 5; ++i, rest /= 10) {
            packet.text[digits + i] = static_cast<char>('0' + rest % 10);
        }
        benchmark::DoNotOptimize(route_once(packet, context));
    }
}
BENCHMARK(invite_in);

void invite_in_two_record_routes(benchmark::State& state) {
    World world(true);
    world.add({});
    run(state, world, {crlf(kInvite), from_core(world)}, Kind::kForward);
}
BENCHMARK(invite_in_two_record_routes);

void response_back(benchmark::State& state) {
    World world;
    world.add({});
    run(state, world, {answer_to(world.from_core(kInvite), 200), from_phone()}, Kind::kForward);
}
BENCHMARK(response_back);

void bye_by_token(benchmark::State& state) {
    World world;
    world.add({});
    const std::string route = world.from_core(kInvite).values(sip::HeaderId::kRecordRoute).at(0);
    const std::string bye = replace(with_method(kInvite, "INVITE", "BYE"), "Max-Forwards: 69",
                                    "Max-Forwards: 69\nRoute: " + route);
    run(state, world, {crlf(bye), from_core(world)}, Kind::kForward);
}
BENCHMARK(bye_by_token);

void invite_out(benchmark::State& state) {
    World world;
    world.add({});
    run(state, world, {crlf(kInviteOut), from_phone()}, Kind::kForward);
}
BENCHMARK(invite_out);

void stranger_refused(benchmark::State& state) {
    World world;
    run(state, world, {crlf(kInvite), {.flow = World::stranger_flow()}}, Kind::kReply);
}
BENCHMARK(stranger_refused);

void ping_built(benchmark::State& state) {
    World world;
    const PingTarget target{world.add({}), World::phone_flow(),
                            "sip:100@192.168.1.10:5060;line=a1b2", "100@example.com"};
    std::uint64_t now_us = 0;
    for (auto _ : state) {
        sip::Writer out(buffer.data(), buffer.size());
        benchmark::DoNotOptimize(build_ping(target, *world.keys, ++now_us, out));
    }
}
BENCHMARK(ping_built);

void pong_read(benchmark::State& state) {
    World world;
    const PingTarget target{world.add({}), World::phone_flow(),
                            "sip:100@192.168.1.10:5060;line=a1b2", "100@example.com"};
    sip::Writer out(buffer.data(), buffer.size());
    (void)build_ping(target, *world.keys, world.now_us, out);
    const Sent ping{{}, std::string(out.view())};
    run(state, world, {answer_to(ping, 200), from_phone()}, Kind::kPong);
}
BENCHMARK(pong_read);

}  // namespace

BENCHMARK_MAIN();
