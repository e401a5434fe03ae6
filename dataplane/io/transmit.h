// SPDX-License-Identifier: BSD-3-Clause
// The way out of one worker: a payload and a flow become a frame (route, MACs, headers, checksums,
// fragments where the link's MTU or the path's asks for them) in the TX queue of the device that
// the kernel's table names. Bursts are sent when full and at the end of a round. A queue that takes
// no more drops and counts: nothing waits. One worker.
#pragma once

#include "dataplane/counters.h"
#include "dataplane/edge/surroundings.h"
#include "dataplane/io/mesh.h"
#include "dataplane/io/port.h"
#include "dataplane/net/build.h"
#include "dataplane/net/path_mtus.h"

#include <rte_mbuf.h>

#include <array>
#include <string_view>
#include <vector>

namespace pinhole::io {

class Transmit {
  public:
    static constexpr unsigned kBurst = 32;

    Transmit(Ports& ports, Mesh& mesh, const net::PathMtus& path_mtus, unsigned worker,
             CoreCounters& counters);

    // Sends `payload` by `flow`. `reuse` is a packet that nobody needs any more, or null: it
    // becomes the frame if it can hold it, and is freed if not. `payload` may not lie in it.
    void datagram(const net::Flow& flow, std::string_view payload, rte_mbuf* reuse,
                  const edge::Surroundings& around);
    // The same for a payload that lies ready at the mbuf's data pointer with room for headers
    // before it.
    void parcel(const net::Flow& flow, rte_mbuf* mbuf, const edge::Surroundings& around);
    // A whole frame, as it is.
    void frame(DeviceIndex device, rte_mbuf* mbuf);
    // What is left of the round.
    void flush();

  private:
    struct Queue {
        std::uint16_t ethdev = 0;
        std::uint16_t queue = 0;
        bool ours = false;  // this worker has a queue there; if not, worker 0 sends for it
        std::uint16_t count = 0;
        std::array<rte_mbuf*, kBurst> packets;
    };

    [[nodiscard]] rte_mbuf* buffer_for(std::size_t payload_len, rte_mbuf* reuse);
    [[nodiscard]] bool resolve(const net::Flow& flow, const edge::Surroundings& around,
                               net::Hop& hop);
    void fragments(rte_mbuf* whole, std::size_t mtu, DeviceIndex device);
    void flush(Queue& queue);
    void drop(rte_mbuf* mbuf, DropReason reason);

    Ports& ports_;
    Mesh& mesh_;
    const net::PathMtus& path_mtus_;
    CoreCounters& counters_;
    std::vector<Queue> queues_;  // by DeviceIndex
    std::uint32_t next_ip_id_;
};

}  // namespace pinhole::io
