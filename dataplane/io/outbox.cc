// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/outbox.h"

#include "dataplane/io/framing.h"
#include "dataplane/net/path_mtus.h"

#include <rte_cycles.h>

#include <algorithm>

namespace pinhole::io {

Outbox::Outbox(const Ports& ports, Mesh& mesh)
    : ports_(ports),
      mesh_(mesh),
      piles_(mesh.workers()),
      next_ip_id_(static_cast<std::uint32_t>(rte_rdtsc())) {}

Outbox::~Outbox() {
    for (Pile& pile : piles_) {
        rte_pktmbuf_free_bulk(pile.parcels.data(), pile.count);
    }
    rte_pktmbuf_free_bulk(spares_.data(), spares_left_);
}

// A burst of them, or one if there are no more.
bool Outbox::take_spares() {
    if (rte_pktmbuf_alloc_bulk(ports_.big_pool(), spares_.data(), kBurst) == 0) {
        spares_left_ = kBurst;
        return true;
    }
    spares_[0] = rte_pktmbuf_alloc(ports_.big_pool());
    spares_left_ = spares_[0] == nullptr ? 0 : 1;
    return spares_left_ != 0;
}

// What could not be handed over is as empty as before.
Outbox::Posted Outbox::hand_over(const net::Flow& flow, std::uint32_t spread,
                                 const edge::Surroundings& around, rte_mbuf* mbuf,
                                 ParcelKind kind) {
    DeviceIndex device =
        flow.port < ports_.ports().size() ? ports_.ports()[flow.port].device : DeviceIndex{0};
    if (kind == ParcelKind::kPing && frame(flow, around, mbuf)) {
        device = mbuf->port;
        kind = ParcelKind::kPingFrame;
    } else {
        *parcel_flow(mbuf) = flow;
    }
    mbuf->hash.usr = static_cast<std::uint32_t>(kind);
    const unsigned worker = worker_for(device, spread);
    Pile& pile = piles_[worker];
    if (pile.count == kBurst) {
        flush(worker);
    }
    if (pile.count == kBurst) {
        rte_pktmbuf_reset(mbuf);
        return Posted::kFull;
    }
    pile.parcels[pile.count++] = mbuf;
    --spares_left_;
    return Posted::kPosted;
}

// False, with the payload as it was: the worker must look at the path's MTU, or say why there is no
// way.
bool Outbox::frame(const net::Flow& flow, const edge::Surroundings& around, rte_mbuf* mbuf) {
    const bool v4 = flow.is_v4();
    if (!net::fits_mtu(v4, mbuf->data_len, net::least_mtu(v4))) {
        return false;
    }
    const net::Hop hop = around.fib.lookup(flow.theirs, flow.port);
    if (!hop.ok() || !net::fits_mtu(v4, mbuf->data_len, hop.mtu)) {
        return false;
    }
    const DeviceIndex device = ports_.ports()[hop.port].device;
    const net::ChecksumBy checksum = finishes_checksums(ports_.device(device).info(), v4)
                                         ? net::ChecksumBy::kDevice
                                         : net::ChecksumBy::kSoftware;
    const std::uint16_t payload_len = mbuf->data_len;
    if (!put_headers(mbuf, flow, hop, checksum, static_cast<std::uint16_t>(++next_ip_id_))) {
        rte_pktmbuf_adj(mbuf, static_cast<std::uint16_t>(mbuf->data_len - payload_len));
        return false;
    }
    mbuf->port = device;
    return true;
}

unsigned Outbox::worker_for(DeviceIndex device, std::uint32_t spread) const {
    const unsigned queues = ports_.device(device).info().queues;
    return queues == 0 ? 0 : spread % queues;
}

void Outbox::flush() {
    for (unsigned worker = 0; worker < piles_.size(); ++worker) {
        flush(worker);
    }
}

void Outbox::flush(unsigned worker) {
    Pile& pile = piles_[worker];
    if (pile.count == 0) {
        return;
    }
    const unsigned put = mesh_.inbox(worker).put(pile.parcels.data(), pile.count);
    std::move(pile.parcels.begin() + put, pile.parcels.begin() + pile.count, pile.parcels.begin());
    pile.count -= put;
}

}  // namespace pinhole::io
