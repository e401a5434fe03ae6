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

void write_ipv4(const HeaderSpec& spec, const Flow& flow, std::uint8_t* out, std::size_t udp_len) {
    out[0] = 0x45;
    out[1] = spec.tos;
    store_be16(out + 2, static_cast<std::uint16_t>(kIpv4Len + udp_len));
    store_be16(out + 4, spec.ip_id);
    store_be16(out + 6, spec.dont_fragment ? kIpv4DontFragment : 0);
    out[8] = spec.ttl;
    out[9] = kProtoUdp;
    store_be16(out + 10, 0);
    std::memcpy(out + 12, flow.ours.v4_bytes(), 4);
    std::memcpy(out + 16, flow.theirs.v4_bytes(), 4);
    if (spec.checksum == ChecksumBy::kSoftware) {
        const std::uint16_t checksum = ipv4_header_checksum(out, kIpv4Len);
        std::memcpy(out + 10, &checksum, sizeof checksum);
    }
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
    store_be16(out, flow.our_udp_port);
    store_be16(out + 2, flow.their_udp_port);
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
