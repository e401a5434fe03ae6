// SPDX-License-Identifier: BSD-3-Clause
// The way out of a worker's edge: packets are mbufs, datagrams go to transmit queues, commands and
// answers to pings to the rings between threads. One worker.
#pragma once

#include "dataplane/edge/edge.h"
#include "dataplane/edge/timer_queue.h"
#include "dataplane/io/mesh.h"
#include "dataplane/io/post.h"
#include "dataplane/io/transmit.h"

#include <rte_mbuf.h>

namespace pinhole::io {

class WorkerSink {
  public:
    WorkerSink(Mesh& mesh, unsigned worker, Transmit& transmit, Post& post)
        : mesh_(mesh), worker_(worker), transmit_(transmit), post_(post) {}

    // The surroundings of the round, by which datagrams find their way.
    void begin(const edge::Surroundings& around) { around_ = &around; }
    [[nodiscard]] edge::TimerQueue& timers() { return timers_; }

    // --- edge::Sink ---
    void datagram(const net::Flow& flow, std::string_view text, edge::Handle packet) {
        transmit_.datagram(flow, text, mbuf_of(packet), *around_);
    }
    void release(edge::Handle packet) { rte_pktmbuf_free(mbuf_of(packet)); }
    // An mbuf stays where it is until somebody frees it.
    void keep(edge::Handle /*packet*/) {}
    void command(unsigned worker, const edge::Command& command) { post_.send(worker, command); }
    [[nodiscard]] bool pong(const edge::PongNotice& notice) {
        return mesh_.pongs(worker_).put(&notice, 1) == 1;
    }
    [[nodiscard]] bool peer_pong(const edge::PeerPongNotice& notice) {
        return mesh_.peer_pongs(worker_).put(&notice, 1) == 1;
    }
    void set_timer(const edge::Timer& timer) { timers_.add(timer); }

    [[nodiscard]] static edge::Handle handle_of(rte_mbuf* mbuf) { return {mbuf}; }

  private:
    static rte_mbuf* mbuf_of(edge::Handle packet) { return static_cast<rte_mbuf*>(packet.of); }

    Mesh& mesh_;
    const unsigned worker_;
    Transmit& transmit_;
    Post& post_;
    const edge::Surroundings* around_ = nullptr;
    edge::TimerQueue timers_;
};
static_assert(edge::Sink<WorkerSink>);

}  // namespace pinhole::io

// Its one instance: worker_edge.cc.
extern template class pinhole::edge::Edge<pinhole::io::WorkerSink>;
