// SPDX-License-Identifier: BSD-3-Clause
// How a thread that is no worker has a datagram sent: it writes the payload into a packet and leaves it in the inbox of
// a worker, which finds the way and sends it. Never waits. Any thread but a worker.
#pragma once

#include "dataplane/io/mesh.h"
#include "dataplane/io/port.h"

#include <rte_mbuf.h>

#include <utility>

namespace pinhole::io {

class Outbox {
  public:
    Outbox(const Ports& ports, Mesh& mesh) : ports_(ports), mesh_(mesh) {}

    enum class Posted : std::uint8_t {
        kPosted,
        kNothing,  // `write` gave no payload
        kFull,     // no packet buffer, or the worker's inbox takes no more: try again later
    };

    // To be sent by `flow`. `std::size_t write(char* room, std::size_t capacity)` returns the payload's length, 0 for
    // none. `spread` picks among the workers that have a queue on the flow's device, so that they share evenly.
    // `kind` tells the worker what it counts.
    template <class Write>
    Posted post(const net::Flow& flow, std::uint32_t spread, Write&& write,
                ParcelKind kind = ParcelKind::kPing) {
        rte_mbuf* mbuf = rte_pktmbuf_alloc(ports_.big_pool());
        if (mbuf == nullptr) {
            return Posted::kFull;
        }
        const std::size_t len = std::forward<Write>(write)(rte_pktmbuf_mtod(mbuf, char*),
                                                           std::size_t{rte_pktmbuf_tailroom(mbuf)});
        if (len == 0) {
            rte_pktmbuf_free(mbuf);
            return Posted::kNothing;
        }
        rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(len));
        *parcel_flow(mbuf) = flow;
        mbuf->hash.usr = static_cast<std::uint32_t>(kind);
        if (mesh_.inbox(worker_for(flow, spread)).put(&mbuf, 1) == 0) {
            rte_pktmbuf_free(mbuf);
            return Posted::kFull;
        }
        return Posted::kPosted;
    }

  private:
    [[nodiscard]] unsigned worker_for(const net::Flow& flow, std::uint32_t spread) const {
        if (flow.port >= ports_.ports().size()) {
            return 0;
        }
        const unsigned queues = ports_.device(ports_.ports()[flow.port].device).info().queues;
        return queues == 0 ? 0 : spread % queues;
    }

    const Ports& ports_;
    Mesh& mesh_;
};

}  // namespace pinhole::io
