// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/sorter.h"

#include "dataplane/net/checksum.h"

#include <rte_cycles.h>

namespace pinhole::io {
namespace {

net::Bytes bytes_of(const rte_mbuf& mbuf) {
    return {rte_pktmbuf_mtod(&mbuf, const std::uint8_t*), mbuf.data_len};
}

}  // namespace

Sorter::Sorter(Ports& ports, Mesh& mesh, Reassembler& reassembler, CoreCounters& counters)
    : ports_(ports),
      mesh_(mesh),
      reassembler_(reassembler),
      counters_(counters),
      port_of_(ports.device_count()) {
    for (const LogicalPort& port : ports.ports()) {
        port_of_[port.device] = port.index;
    }
}

rte_mbuf* Sorter::sort(rte_mbuf* mbuf, DeviceIndex device, bool trusted,
                       const edge::Surroundings& around, net::Datagram& out) {
    counters_.rx_packets.add();
    counters_.rx_bytes.add(mbuf->pkt_len);
    if (mbuf->nb_segs != 1) [[unlikely]] {
        mbuf = linear(mbuf);
        if (mbuf == nullptr) {
            return nullptr;
        }
    }
    const edge::PortView& port = around.ports[port_of_[device]];
    net::PacketKind kind = net::parse_packet(bytes_of(*mbuf), out);
    if (kind == net::PacketKind::kFragment) {
        mbuf = fragment(mbuf, device, port, out);
        if (mbuf == nullptr) {
            return nullptr;
        }
        kind = net::parse_packet(bytes_of(*mbuf), out);
    }
    switch (kind) {
        case net::PacketKind::kUdp:
            break;
        case net::PacketKind::kBadIp:
            drop(mbuf, DropReason::kBadIp);
            return nullptr;
        case net::PacketKind::kBadUdp:
            drop(mbuf, DropReason::kBadUdp);
            return nullptr;
        case net::PacketKind::kTruncated:
            drop(mbuf, DropReason::kTruncated);
            return nullptr;
        case net::PacketKind::kFragment:  // what is whole is none
            drop(mbuf, DropReason::kFragment);
            return nullptr;
        case net::PacketKind::kIpOther:
            foreign(mbuf, device, DropReason::kNotOurs);
            return nullptr;
        default:
            foreign(mbuf, device, DropReason::kNotIp);
            return nullptr;
    }
    if (!port.receives(out.dst, out.dst_port) || !out.answerable()) {
        foreign(mbuf, device, DropReason::kNotOurs);
        return nullptr;
    }
    if (!trusted && !checked(*mbuf, out, ports_.device(device).info())) {
        drop(mbuf, DropReason::kBadChecksum);
        return nullptr;
    }
    return mbuf;
}

// Drivers chain what outgrows a buffer; all behind here reads one piece.
rte_mbuf* Sorter::linear(rte_mbuf* mbuf) {
    rte_mbuf* whole = rte_pktmbuf_alloc(ports_.big_pool());
    if (whole == nullptr) {
        drop(mbuf, DropReason::kNoMbuf);
        return nullptr;
    }
    const std::uint32_t len = mbuf->pkt_len;
    if (len > rte_pktmbuf_tailroom(whole)) {
        rte_pktmbuf_free(whole);
        drop(mbuf, DropReason::kTooLarge);
        return nullptr;
    }
    char* to = rte_pktmbuf_append(whole, static_cast<std::uint16_t>(len));
    const void* from = rte_pktmbuf_read(mbuf, 0, len, to);
    if (from != to) {
        std::memcpy(to, from, len);
    }
    whole->ol_flags = mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    rte_pktmbuf_free(mbuf);
    return whole;
}

rte_mbuf* Sorter::fragment(rte_mbuf* mbuf, DeviceIndex device, const edge::PortView& port,
                           net::Datagram& out) {
    if (!port.owns(out.dst)) {
        foreign(mbuf, device, DropReason::kNotOurs);
        return nullptr;
    }
    const std::uint64_t dropped = reassembler_.counts().dropped;
    rte_mbuf* whole = reassembler_.add(mbuf, out, rte_rdtsc());
    counters_.drops[static_cast<std::size_t>(DropReason::kFragment)].add(
        reassembler_.counts().dropped - dropped);
    if (whole != nullptr) {
        counters_.reassembled.add();
        whole->ol_flags = 0;  // no device has summed the whole
    }
    return whole;
}

// A device that marks nothing has checked nothing; one that cannot tell is not believed either way.
bool Sorter::checked(const rte_mbuf& mbuf, const net::Datagram& datagram, const DeviceInfo& info) {
    if (info.rx_checksum) {
        const std::uint64_t said = mbuf.ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
        if (said == RTE_MBUF_F_RX_L4_CKSUM_GOOD) {
            return true;
        }
        if (said == RTE_MBUF_F_RX_L4_CKSUM_BAD) {
            return false;
        }
    }
    const net::Bytes frame = bytes_of(mbuf);
    return net::ip_header_right(frame, datagram) &&
           net::acceptable(net::check_udp(frame, datagram), info.partial_checksums);
}

void Sorter::foreign(rte_mbuf* mbuf, DeviceIndex device, DropReason reason) {
    // Without a TAP the kernel sees it beside us (af_packet), or has let us take it just before an
    // address went (af_xdp).
    if (ports_.tap(device) == nullptr) {
        drop(mbuf, reason);
        return;
    }
    if (!mesh_.give_kernel(device, mbuf)) {
        drop(mbuf, DropReason::kKernelPathFull);
        return;
    }
    counters_.to_kernel.add();
}

void Sorter::drop(rte_mbuf* mbuf, DropReason reason) {
    rte_pktmbuf_free(mbuf);
    counters_.drop(reason);
}

}  // namespace pinhole::io
