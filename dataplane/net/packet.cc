// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/packet.h"

namespace pinhole::net {
namespace {

constexpr std::size_t kMaxIpPacket = 65535;

PacketKind parse_udp(Bytes frame, Datagram& out) {
    const std::size_t room = out.end_offset - out.l4_offset;
    if (room < kUdpLen) {
        return PacketKind::kBadUdp;
    }
    const std::uint8_t* udp = frame.data() + out.l4_offset;
    const std::size_t len = load_be16(udp + 4);
    // Shorter than IP's payload is allowed (RFC 768 leaves room for what follows), longer is a lie.
    if (len < kUdpLen || len > room) {
        return PacketKind::kBadUdp;
    }
    out.src_port = load_be16(udp);
    out.dst_port = load_be16(udp + 2);
    if (out.dst_port == 0) {
        return PacketKind::kBadUdp;
    }
    out.payload_offset = out.l4_offset + kUdpLen;
    out.payload_len = static_cast<std::uint16_t>(len - kUdpLen);
    out.payload = frame.subspan(out.payload_offset, out.payload_len);
    return PacketKind::kUdp;
}

// Offset, length and the more-flag must describe eight-byte units within an IP packet.
PacketKind take_fragment(Datagram& out, std::uint32_t id, std::uint32_t offset_bytes, bool more) {
    const std::uint32_t len = out.end_offset - out.l4_offset;
    if (len == 0 || (more && len % 8 != 0) || offset_bytes + len > kMaxIpPacket) {
        return PacketKind::kBadIp;
    }
    out.fragment = {id, offset_bytes, len, more};
    return PacketKind::kFragment;
}

PacketKind parse_v4(Bytes frame, std::uint32_t l3_offset, Datagram& out) {
    const Bytes ip = frame.subspan(l3_offset);
    if (ip.size() < kIpv4Len) {
        return PacketKind::kTruncated;
    }
    const std::uint8_t* header = ip.data();
    const std::uint32_t header_len = (header[0] & 0x0fU) * 4U;
    const std::uint32_t total_len = load_be16(header + 2);
    if (header[0] >> 4 != 4 || header_len < kIpv4Len || total_len < header_len) {
        return PacketKind::kBadIp;
    }
    if (total_len > ip.size()) {
        return PacketKind::kTruncated;
    }
    out.v4 = true;
    out.l3_offset = l3_offset;
    out.l4_offset = l3_offset + header_len;
    out.end_offset = l3_offset + total_len;
    out.tos = header[1];
    out.ttl = header[8];
    out.protocol = header[9];
    out.src = Address::v4_wire(header + 12);
    out.dst = Address::v4_wire(header + 16);
    const std::uint16_t fragment = load_be16(header + 6);
    if ((fragment & (kIpv4MoreFragments | kIpv4OffsetMask)) != 0) {
        return take_fragment(out, load_be16(header + 4), (fragment & kIpv4OffsetMask) * 8U,
                             (fragment & kIpv4MoreFragments) != 0);
    }
    return out.protocol == kProtoUdp ? parse_udp(frame, out) : PacketKind::kIpOther;
}

constexpr bool is_skipped_extension(std::uint8_t protocol) {
    return protocol == kProtoHopByHop || protocol == kProtoDestinationOptions;
}

// Moves out.l4_offset over the extension headers and leaves the protocol found in out.protocol.
// kUdp and kIpOther mean that there is no more to skip.
PacketKind skip_extensions(Bytes frame, Datagram& out) {
    for (int skipped = 0;; ++skipped) {
        const bool is_fragment = out.protocol == kProtoIpv6Fragment;
        if (!is_fragment && !is_skipped_extension(out.protocol)) {
            return out.protocol == kProtoUdp ? PacketKind::kUdp : PacketKind::kIpOther;
        }
        const std::size_t room = out.end_offset - out.l4_offset;
        if (skipped == kMaxExtensionHeaders || room < kIpv6FragmentLen) {
            return PacketKind::kBadIp;
        }
        const std::uint8_t* header = frame.data() + out.l4_offset;
        const std::uint32_t len = is_fragment ? kIpv6FragmentLen : (header[1] + 1U) * 8U;
        if (len > room) {
            return PacketKind::kBadIp;
        }
        out.protocol = header[0];
        out.l4_offset = out.l4_offset + len;
        if (is_fragment) {
            const std::uint16_t offset_and_more = load_be16(header + 2);
            const std::uint32_t offset_bytes = offset_and_more & 0xfff8U;
            const bool more = (offset_and_more & 1U) != 0;
            // Neither offset nor more: an atomic fragment, which is a whole packet (RFC 6946).
            if (offset_bytes != 0 || more) {
                return take_fragment(out, load_be32(header + 4), offset_bytes, more);
            }
        }
    }
}

PacketKind parse_v6(Bytes frame, std::uint32_t l3_offset, Datagram& out) {
    const Bytes ip = frame.subspan(l3_offset);
    if (ip.size() < kIpv6Len) {
        return PacketKind::kTruncated;
    }
    const std::uint8_t* header = ip.data();
    if (header[0] >> 4 != 6) {
        return PacketKind::kBadIp;
    }
    const std::uint32_t total_len = kIpv6Len + load_be16(header + 4);
    if (total_len > ip.size()) {
        return PacketKind::kTruncated;
    }
    out.v4 = false;
    out.src = Address::v6_wire(header + 8);
    out.dst = Address::v6_wire(header + 24);
    // An IPv4-mapped address on the wire would pass for IPv4 in everything that follows (RFC 4291
    // §2.5.5.2 knows it in programs only).
    if (out.src.is_v4() || out.dst.is_v4()) {
        return PacketKind::kBadIp;
    }
    out.l3_offset = l3_offset;
    out.l4_offset = l3_offset + kIpv6Len;
    out.end_offset = l3_offset + total_len;
    out.tos = static_cast<std::uint8_t>(load_be16(header) >> 4);
    out.ttl = header[7];
    out.protocol = header[6];
    const PacketKind kind = skip_extensions(frame, out);
    return kind == PacketKind::kUdp ? parse_udp(frame, out) : kind;
}

}  // namespace

bool Datagram::answerable() const {
    if (src_port == 0) {
        return false;
    }
    if (!v4) {
        return src.bytes[0] != 0xff && src != Address{};
    }
    const std::uint8_t first = src.v4_bytes()[0];
    const bool multicast = first >= 224 && first < 240;
    return first != 0 && !multicast && src.v4_host_order() != 0xffffffffU;
}

PacketKind parse_packet(Bytes frame, Datagram& out) {
    if (frame.size() < kEthernetLen) {
        return PacketKind::kNotIp;
    }
    switch (load_be16(frame.data() + 12)) {
        case kEtherIpv4:
            return parse_v4(frame, kEthernetLen, out);
        case kEtherIpv6:
            return parse_v6(frame, kEthernetLen, out);
        case kEtherVlan:
        case kEtherServiceVlan:
            if (frame.size() < kEthernetLen + 4) {
                return PacketKind::kNotIp;
            }
            out.vlan_id = load_be16(frame.data() + kEthernetLen) & 0x0fffU;
            return PacketKind::kVlan;
        default:
            return PacketKind::kNotIp;
    }
}

PacketKind parse_ip(Bytes frame, std::uint32_t l3_offset, Datagram& out) {
    if (frame.size() <= l3_offset) {
        return PacketKind::kTruncated;
    }
    return frame[l3_offset] >> 4 == 4 ? parse_v4(frame, l3_offset, out)
                                      : parse_v6(frame, l3_offset, out);
}

}  // namespace pinhole::net
