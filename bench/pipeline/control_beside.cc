// SPDX-License-Identifier: BSD-3-Clause
#include "bench/pipeline/control_beside.h"

#include "bench/pipeline/answers.h"
#include "bench/pipeline/measure.h"

#include <pthread.h>
#include <sched.h>

namespace pinhole::io {
namespace {

constexpr std::uint32_t kGatewaysKnown = 65'536;

daemon::ControlParts parts_of(Edge& edge, qualify::Gateways& gateways, qualify::Ledger& ledger,
                              std::uint32_t interval_ms) {
    return {.table = edge.table(),
            .states = edge.qualify(),
            .gateways = gateways,
            .ledger = ledger,
            .ports = edge.ports(),
            .mesh = edge.mesh(),
            .qsbr = edge.qsbr(),
            .qsbr_thread = edge.qsbr_thread(),
            .clock = edge.clock(),
            .surroundings = edge.surroundings(),
            .peer_health = edge.peer_health(),
            .policy = {.interval_ms = interval_ms},
            .peer_policy = {.interval_ms = 0},
            .peers = 0,
            .seed = 1};
}

}  // namespace

ControlBeside::ControlBeside(Pipeline& pipeline, std::uint32_t interval_ms)
    : p_(pipeline),
      gateways_(kGatewaysKnown, pipeline.edge().table().hash()),
      ledger_(pipeline.contacts() + Pipeline::kSpare) {
    control_.emplace(parts_of(p_.edge(), gateways_, ledger_, interval_ms));
    const auto on_start = [this] {
        (void)p_.edge().qsbr().join(p_.edge().qsbr_thread());
        cpu_set_t second;
        CPU_ZERO(&second);
        CPU_SET(first_two_cpus().back(), &second);
        pthread_setaffinity_np(pthread_self(), sizeof second, &second);
        clockid_t own = -1;
        if (pthread_getcpuclockid(pthread_self(), &own) == 0) {
            clock_.store(own, std::memory_order_relaxed);
        }
    };
    control_->start(on_start, true);
}

ControlBeside::~ControlBeside() {
    control_->stop();
    p_.edge().qsbr().leave(p_.edge().qsbr_thread());
}

double ControlBeside::busy_s() const {
    timespec taken{};
    return clock_gettime(clock_.load(std::memory_order_relaxed), &taken) == 0
               ? static_cast<double>(taken.tv_sec) + static_cast<double>(taken.tv_nsec) * 1e-9
               : 0;
}

// The headers' room is the same both ways, and who sends it is where the ping went.
rte_mbuf* answer_to_ping(Edge& edge, rte_mbuf* sent) {
    const auto* frame = rte_pktmbuf_mtod(sent, const std::uint8_t*);
    net::Datagram ping;
    rte_mbuf* answer = nullptr;
    if (net::parse_packet({frame, sent->data_len}, ping) == net::PacketKind::kUdp) {
        const std::string_view text{
            reinterpret_cast<const char*>(frame) + ping.l4_offset + net::kUdpLen, ping.payload_len};
        if (text.starts_with("OPTIONS ")) {
            AnswerRoom room;
            answer = edge.frame(to_edge(ping.dst, ping.dst_port), answer_text(text, room));
        }
    }
    rte_pktmbuf_free(sent);
    return answer;
}

}  // namespace pinhole::io
