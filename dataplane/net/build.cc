// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/build.h"

#include "dataplane/net/checksum.h"

namespace pinhole::net {
namespace {

void write_ethernet(const HeaderSpec& spec, std::uint16_t type, std::uint8_t* out) {
    std::memcpy(out, spec.dst_mac.data(), spec.dst_mac.size());
    std::memcpy(out + 6, spec.src_mac.data(), spec.src_mac.size());
    store_be16(out + 12, type);
}

// Summed before it is written: words read back from the bytes just stored would wait for them.
void write_ipv4(const HeaderSpec& spec, const Flow& flow, std::uint8_t* out, std::size_t udp_len) {
    const auto length = static_cast<std::uint32_t>(kIpv4Len + udp_len);
    const std::uint32_t fragment = spec.dont_fragment ? kIpv4DontFragment : 0;
    const std::uint32_t first = 0x45U << 24 | std::uint32_t{spec.tos} << 16 | length;
    const std::uint32_t second = std::uint32_t{spec.ip_id} << 16 | fragment;
    const std::uint32_t third = std::uint32_t{spec.ttl} << 24 | std::uint32_t{kProtoUdp} << 16;
    const std::uint32_t ours = flow.ours.v4_host_order();
    const std::uint32_t theirs = flow.theirs.v4_host_order();
    std::uint32_t checksum = 0;
    if (spec.checksum == ChecksumBy::kSoftware) {
        checksum = 0xffffU ^ fold_sum(std::uint64_t{first} + second + third + ours + theirs);
    }
    store_be32(out, first);
    store_be32(out + 4, second);
    store_be32(out + 8, third | checksum);
    store_be32(out + 12, ours);
    store_be32(out + 16, theirs);
}

void write_ipv6(const HeaderSpec& spec, const Flow& flow, std::uint8_t* out, std::size_t udp_len) {
    store_be32(out, 6U << 28 | std::uint32_t{spec.tos} << 20);
    store_be16(out + 4, static_cast<std::uint16_t>(udp_len));
    out[6] = kProtoUdp;
    out[7] = spec.ttl;
    std::memcpy(out + 8, flow.ours.bytes.data(), 16);
    std::memcpy(out + 24, flow.theirs.bytes.data(), 16);
}

void write_udp(const HeaderSpec& spec, const Flow& flow, std::uint8_t* out, std::size_t len) {
    const auto udp_len = static_cast<std::uint16_t>(len);
    // Both ports as the one word that the sum reads.
    store_be32(out, std::uint32_t{flow.our_udp_port} << 16 | flow.their_udp_port);
    store_be16(out + 4, udp_len);
    const std::uint16_t checksum = spec.checksum == ChecksumBy::kSoftware
                                       ? udp_checksum(flow.ours, flow.theirs, out, udp_len)
                                       : udp_pseudo_sum(flow.ours, flow.theirs, udp_len);
    std::memcpy(out + 6, &checksum, sizeof checksum);
}

}  // namespace

std::size_t write_headers(const HeaderSpec& spec, const Flow& flow, std::uint8_t* frame,
                          std::size_t payload_len) {
    const bool v4 = flow.is_v4();
    if (payload_len > (v4 ? kMaxPayloadV4 : kMaxPayloadV6) || flow.ours.is_v4() != v4) {
        return 0;
    }
    const std::size_t udp_len = kUdpLen + payload_len;
    std::uint8_t* ip = frame + kEthernetLen;
    if (v4) {
        write_ethernet(spec, kEtherIpv4, frame);
        write_ipv4(spec, flow, ip, udp_len);
        write_udp(spec, flow, ip + kIpv4Len, udp_len);
    } else {
        write_ethernet(spec, kEtherIpv6, frame);
        write_ipv6(spec, flow, ip, udp_len);
        write_udp(spec, flow, ip + kIpv6Len, udp_len);
    }
    return headers_len(v4) + payload_len;
}

}  // namespace pinhole::net
