// SPDX-License-Identifier: BSD-3-Clause
// Writes the headers before a datagram's payload in a packet buffer, and what its device has to be
// told of them. For workers, and for the control thread, which frames its pings itself. Any thread,
// each with buffers of its own.
#pragma once

#include "dataplane/io/device.h"
#include "dataplane/net/build.h"
#include "dataplane/net/fib.h"

#include <rte_mbuf.h>

#include <cstdint>

namespace pinhole::io {

// Whether the device finishes the checksums of what leaves by it whole.
[[nodiscard]] inline bool finishes_checksums(const DeviceInfo& info, bool v4) {
    return info.tx_udp_checksum && (!v4 || info.tx_ipv4_checksum);
}

// The payload lies ready at the mbuf's data pointer, with room before it. False: it is longer than
// UDP can say, and the mbuf is to be dropped.
[[nodiscard]] inline bool put_headers(rte_mbuf* mbuf, const net::Flow& flow, const net::Hop& hop,
                                      net::ChecksumBy checksum, std::uint16_t ip_id) {
    const bool v4 = flow.is_v4();
    net::HeaderSpec spec;
    spec.src_mac = hop.src_mac;
    spec.dst_mac = hop.dst_mac;
    spec.tos = net::kTosCs3;
    spec.ip_id = ip_id;
    spec.checksum = checksum;
    const std::uint16_t payload_len = mbuf->data_len;
    auto* begin = reinterpret_cast<std::uint8_t*>(
        rte_pktmbuf_prepend(mbuf, static_cast<std::uint16_t>(net::headers_len(v4))));
    if (begin == nullptr || net::write_headers(spec, flow, begin, payload_len) == 0) {
        return false;
    }
    mbuf->ol_flags = 0;
    if (checksum == net::ChecksumBy::kDevice) {
        mbuf->l2_len = net::kEthernetLen;
        mbuf->l3_len = v4 ? net::kIpv4Len : net::kIpv6Len;
        mbuf->ol_flags = RTE_MBUF_F_TX_UDP_CKSUM |
                         (v4 ? RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM : RTE_MBUF_F_TX_IPV6);
    }
    return true;
}

}  // namespace pinhole::io
