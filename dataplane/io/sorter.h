// SPDX-License-Identifier: BSD-3-Clause
// What each frame is: SIP for us, a fragment that may become it, the kernel's, or nothing. Lengths
// and checksums are checked here, so that behind it a datagram is a datagram. One worker.
#pragma once

#include "dataplane/counters.h"
#include "dataplane/edge/surroundings.h"
#include "dataplane/io/mesh.h"
#include "dataplane/io/port.h"
#include "dataplane/io/reassembly.h"
#include "dataplane/net/packet.h"

#include <rte_mbuf.h>

#include <vector>

namespace pinhole::io {

class Sorter {
  public:
    Sorter(Ports& ports, Mesh& mesh, Reassembler& reassembler, CoreCounters& counters);

    // The frame as a datagram for us: then the mbuf (perhaps another one, reassembled) is the
    // caller's. Null: it has been passed on, kept for its other fragments, or dropped. `trusted`:
    // the kernel has checked it already.
    [[nodiscard]] rte_mbuf* sort(rte_mbuf* mbuf, DeviceIndex device, bool trusted,
                                 const edge::Surroundings& around, net::Datagram& out);

    [[nodiscard]] net::PortIndex port_of(DeviceIndex device) const { return port_of_[device]; }

  private:
    [[nodiscard]] rte_mbuf* linear(rte_mbuf* mbuf);
    [[nodiscard]] rte_mbuf* fragment(rte_mbuf* mbuf, DeviceIndex device, const edge::PortView& port,
                                     net::Datagram& out);
    [[nodiscard]] static bool checked(const rte_mbuf& mbuf, const net::Datagram& datagram,
                                      const DeviceInfo& info);
    // Not ours: the kernel's share, if it does not see this device's packets anyway.
    void foreign(rte_mbuf* mbuf, DeviceIndex device, DropReason reason);
    void drop(rte_mbuf* mbuf, DropReason reason);

    Ports& ports_;
    Mesh& mesh_;
    Reassembler& reassembler_;
    CoreCounters& counters_;
    std::vector<net::PortIndex> port_of_;  // by DeviceIndex: the untagged port
};

}  // namespace pinhole::io
