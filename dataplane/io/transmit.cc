// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/transmit.h"

#include "dataplane/io/framing.h"
#include "dataplane/net/fragment.h"

#include <rte_ethdev.h>

#include <algorithm>
#include <cstring>

namespace pinhole::io {
namespace {

// A kPing parcel keeps its flow at the buffer's beginning while the headers are written behind
// it.
static_assert(RTE_PKTMBUF_HEADROOM >= sizeof(net::Flow) + net::kMaxHeaders);

// Hands out buffers for fragments and remembers them, so that half a datagram is never sent.
class FragmentBuffers {
  public:
    static constexpr unsigned kMax = 64;

    explicit FragmentBuffers(rte_mempool* pool) : pool_(pool) {}

    std::uint8_t* next(std::size_t frame_len) {
        rte_mbuf* mbuf = count_ == kMax ? nullptr : rte_pktmbuf_alloc(pool_);
        if (mbuf == nullptr) {
            return nullptr;
        }
        mbufs_[count_++] = mbuf;
        return reinterpret_cast<std::uint8_t*>(
            rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(frame_len)));
    }
    [[nodiscard]] std::span<rte_mbuf*> all() { return {mbufs_.data(), count_}; }

  private:
    rte_mempool* pool_;
    unsigned count_ = 0;
    std::array<rte_mbuf*, kMax> mbufs_;
};

DropReason reason_of(net::HopOutcome outcome) {
    return outcome == net::HopOutcome::kNoNeighbour ? DropReason::kNoNeighbour
                                                    : DropReason::kNoRoute;
}

}  // namespace

Transmit::Transmit(Ports& ports, Mesh& mesh, const net::PathMtus& path_mtus, unsigned worker,
                   CoreCounters& counters)
    : ports_(ports),
      mesh_(mesh),
      path_mtus_(path_mtus),
      counters_(counters),
      queues_(ports.device_count()),
      next_ip_id_(static_cast<std::uint32_t>(rte_rdtsc())) {
    for (DeviceIndex d = 0; d < queues_.size(); ++d) {
        const Device& device = ports.device(d);
        const auto queue = device.queue_for(worker);
        queues_[d].ethdev = device.info().ethdev;
        queues_[d].queue = queue.value_or(0);
        queues_[d].ours = queue.has_value();
    }
}

void Transmit::datagram(const net::Flow& flow, std::string_view payload, rte_mbuf* reuse,
                        const edge::Surroundings& around) {
    rte_mbuf* mbuf = buffer_for(payload.size(), reuse);
    if (mbuf == nullptr) {
        counters_.drop(DropReason::kNoMbuf);
        return;
    }
    std::memcpy(rte_pktmbuf_mtod(mbuf, char*), payload.data(), payload.size());
    mbuf->data_len = static_cast<std::uint16_t>(payload.size());
    mbuf->pkt_len = mbuf->data_len;
    parcel(flow, mbuf, around);
}

void Transmit::parcel(const net::Flow& flow, rte_mbuf* mbuf, const edge::Surroundings& around) {
    net::Hop hop;
    if (!resolve(flow, around, hop)) {
        drop(mbuf, reason_of(hop.outcome));
        return;
    }
    const DeviceIndex device = ports_.ports()[hop.port].device;
    const DeviceInfo& info = ports_.device(device).info();
    const bool v4 = flow.is_v4();
    const std::size_t link_mtu =
        info.max_frame == 0 ? hop.mtu
                            : std::min<std::size_t>(hop.mtu, info.max_frame - net::kEthernetLen);
    const std::size_t mtu = path_mtus_.toward(
        flow.theirs, net::headers_len(v4) - net::kEthernetLen + mbuf->data_len, link_mtu);
    const bool whole = net::fits_mtu(v4, mbuf->data_len, mtu);
    const net::ChecksumBy checksum = whole && finishes_checksums(info, v4)
                                         ? net::ChecksumBy::kDevice
                                         : net::ChecksumBy::kSoftware;
    if (!put_headers(mbuf, flow, hop, checksum, static_cast<std::uint16_t>(++next_ip_id_))) {
        drop(mbuf, DropReason::kTooLarge);
        return;
    }
    if (whole) {
        frame(device, mbuf);
    } else {
        fragments(mbuf, mtu, device);
    }
}

void Transmit::frame(DeviceIndex device, rte_mbuf* mbuf) {
    Queue& queue = queues_[device];
    if (!queue.ours) {
        // The device has fewer queues than there are workers; the first of them has one.
        mbuf->port = device;
        mbuf->hash.usr = static_cast<std::uint32_t>(ParcelKind::kFrame);
        if (mesh_.inbox(0).put(&mbuf, 1) == 0) {
            drop(mbuf, DropReason::kTxFull);
        }
        return;
    }
    counters_.tx_packets.add();
    counters_.tx_bytes.add(mbuf->pkt_len);
    queue.packets[queue.count++] = mbuf;
    if (queue.count == kBurst) {
        flush(queue);
    }
}

void Transmit::flush() {
    for (Queue& queue : queues_) {
        if (queue.count != 0) {
            flush(queue);
        }
    }
}

void Transmit::flush(Queue& queue) {
    const std::uint16_t sent =
        rte_eth_tx_burst(queue.ethdev, queue.queue, queue.packets.data(), queue.count);
    if (sent < queue.count) [[unlikely]] {
        rte_pktmbuf_free_bulk(queue.packets.data() + sent, queue.count - sent);
        counters_.drops[static_cast<std::size_t>(DropReason::kTxFull)].add(queue.count - sent);
    }
    queue.count = 0;
}

// The packet that came in serves if it is one whole buffer, ours alone, and large enough.
rte_mbuf* Transmit::buffer_for(std::size_t payload_len, rte_mbuf* reuse) {
    if (reuse != nullptr) {
        if (reuse->nb_segs == 1 && rte_mbuf_refcnt_read(reuse) == 1 &&
            RTE_PKTMBUF_HEADROOM + payload_len <= reuse->buf_len) {
            reuse->data_off = RTE_PKTMBUF_HEADROOM;
            return reuse;
        }
        rte_pktmbuf_free(reuse);
    }
    rte_mbuf* fresh = rte_pktmbuf_alloc(ports_.big_pool());
    if (fresh != nullptr && payload_len > rte_pktmbuf_tailroom(fresh)) {
        rte_pktmbuf_free(fresh);
        return nullptr;
    }
    return fresh;
}

bool Transmit::resolve(const net::Flow& flow, const edge::Surroundings& around, net::Hop& hop) {
    hop = around.fib.lookup(flow.theirs, flow.port);
    if (hop.outcome == net::HopOutcome::kNoNeighbour) {
        mesh_.ask_for({hop.next_hop, hop.ifindex, 0});
    }
    return hop.ok();
}

void Transmit::fragments(rte_mbuf* whole, std::size_t mtu, DeviceIndex device) {
    FragmentBuffers buffers(ports_.big_pool());
    const net::Bytes bytes{rte_pktmbuf_mtod(whole, const std::uint8_t*), whole->data_len};
    const net::FragmentResult result = net::fragment(bytes, mtu, ++next_ip_id_, buffers);
    rte_pktmbuf_free(whole);
    if (result != net::FragmentResult::kDone) {
        rte_pktmbuf_free_bulk(buffers.all().data(), static_cast<unsigned>(buffers.all().size()));
        counters_.drop(result == net::FragmentResult::kNoRoom ? DropReason::kNoMbuf
                                                              : DropReason::kTooLarge);
        return;
    }
    counters_.fragmented.add();
    for (rte_mbuf* piece : buffers.all()) {
        frame(device, piece);
    }
}

void Transmit::drop(rte_mbuf* mbuf, DropReason reason) {
    rte_pktmbuf_free(mbuf);
    counters_.drop(reason);
}

}  // namespace pinhole::io
