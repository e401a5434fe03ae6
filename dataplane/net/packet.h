// SPDX-License-Identifier: BSD-3-Clause
// A frame taken apart: Ethernet, IPv4 (options allowed) or IPv6 (extension headers skipped, at most
// kMaxExtensionHeaders of them), UDP. One pass, no copy of the payload, nothing believed that the
// frame does not hold. Called for every packet of every port, so the common frame costs a handful
// of compares. Pure; any thread.
#pragma once

#include "dataplane/net/address.h"
#include "dataplane/net/flow.h"
#include "dataplane/net/wire.h"

#include <cstdint>
#include <string_view>

namespace pinhole::net {

// What the frame is, or why it is nothing. The fields of Datagram that are good for each stand
// beside it.
enum class PacketKind : std::uint8_t {
    kUdp,        // a whole UDP datagram: every field
    kFragment,   // a piece of an IP datagram: addresses, fragment, offsets of IP; no ports
    kIpOther,    // IP of another protocol (ICMP, TCP, ...): addresses, protocol, offsets of IP
    kNotIp,      // ARP, LLDP, ...: nothing
    kVlan,       // 802.1Q or 802.1ad tagged: vlan_id
    kBadIp,      // lengths or header that contradict the packet, or IPv4-mapped IPv6 addresses
    kBadUdp,     // UDP length that contradicts IP's, or a destination port of 0
    kTruncated,  // longer by its IP header than by its frame
    kCount
};

// At most this many extension headers are skipped; more is kBadIp. RFC 8200 §4.1 knows fewer before
// UDP.
inline constexpr int kMaxExtensionHeaders = 8;

struct FragmentInfo {
    std::uint32_t id = 0;            // 16 bits for IPv4
    std::uint32_t offset_bytes = 0;  // of this piece within the datagram
    std::uint32_t len_bytes = 0;     // of this piece, headers of IP not counted
    bool more = false;               // not the last one
    [[nodiscard]] bool first() const { return offset_bytes == 0; }
};

struct Datagram {
    Address src;
    Address dst;
    std::uint16_t src_port = 0;  // host order
    std::uint16_t dst_port = 0;
    std::uint32_t l3_offset = 0;       // of the IP header
    std::uint32_t l4_offset = 0;       // of what follows IP's headers: UDP, or the fragment's data
    std::uint32_t payload_offset = 0;  // of UDP's payload
    std::uint16_t payload_len = 0;
    // Of the IP packet's end within the frame: what follows is Ethernet's padding.
    std::uint32_t end_offset = 0;
    std::uint16_t vlan_id = 0;
    std::uint8_t protocol = 0;
    std::uint8_t tos = 0;
    std::uint8_t ttl = 0;
    bool v4 = false;
    Bytes payload;
    FragmentInfo fragment;

    // Whether the source is one that an answer can be sent to: unicast, and a port. What is not
    // (DHCP's 0.0.0.0, duplicate address detection's ::) may still be the kernel's business.
    [[nodiscard]] bool answerable() const;

    // As SIP reads it.
    [[nodiscard]] std::string_view text() const {
        return {reinterpret_cast<const char*>(payload.data()), payload.size()};
    }
    // The flow that the datagram came by: we are its destination.
    [[nodiscard]] Flow flow(PortIndex port) const {
        Flow f;
        f.ours = dst;
        f.theirs = src;
        f.our_udp_port = dst_port;
        f.their_udp_port = src_port;
        f.port = port;
        return f;
    }
};

// `frame` begins with the Ethernet header. `out` is written as far as the kind says. Neither the
// IPv4 header's checksum nor UDP's is looked at: see checksum.h, for frames whose device has not
// done so.
[[nodiscard]] PacketKind parse_packet(Bytes frame, Datagram& out);

// The same for what begins with the IP header at `l3_offset` of `frame`; the version nibble names
// the family.
[[nodiscard]] PacketKind parse_ip(Bytes frame, std::uint32_t l3_offset, Datagram& out);

}  // namespace pinhole::net
