// SPDX-License-Identifier: BSD-3-Clause
// Headers before a payload: Ethernet, IPv4 or IPv6, UDP, from a flow. A reply in the packet that
// came in is the same thing: the headers are written right before the payload, over the old ones,
// which are never shorter. Pure; any thread.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/net/wire.h"

#include <cstdint>

namespace pinhole::net {

inline constexpr std::uint8_t kDefaultTtl = 64;
inline constexpr std::uint8_t kTosCs3 = 0x60;  // DSCP CS3, signalling (RFC 4594 §4.2)

// What write_headers() puts before a payload of each family, Ethernet counted: also the room to
// leave for it.
inline constexpr std::size_t kHeadersV4 = kEthernetLen + kIpv4Len + kUdpLen;
inline constexpr std::size_t kHeadersV6 = kEthernetLen + kIpv6Len + kUdpLen;
inline constexpr std::size_t kMaxHeaders = kHeadersV6;
[[nodiscard]] constexpr std::size_t headers_len(bool v4) {
    return v4 ? kHeadersV4 : kHeadersV6;
}

// The longest payload that IP can carry, in fragments or not.
inline constexpr std::size_t kMaxPayloadV4 = 65535 - kIpv4Len - kUdpLen;
inline constexpr std::size_t kMaxPayloadV6 = 65535 - kUdpLen;

// True if the datagram leaves in one piece. `mtu` is IP's: Ethernet is not counted in it.
[[nodiscard]] constexpr bool fits_mtu(bool v4, std::size_t payload_len, std::size_t mtu) {
    return headers_len(v4) - kEthernetLen + payload_len <= mtu;
}

// Who finishes the checksums.
enum class ChecksumBy : std::uint8_t {
    kSoftware,  // we do: right for every device, and what a fragmented datagram needs
    kDevice,    // its TX offload does: UDP's field gets the pseudo header's sum, IPv4's zero
};

struct HeaderSpec {
    Mac src_mac{};
    Mac dst_mac{};
    std::uint8_t tos = 0;  // IPv4's TOS, IPv6's traffic class: DSCP in the upper six bits
    std::uint8_t ttl = kDefaultTtl;
    std::uint16_t ip_id = 0;  // IPv4's; IPv6 has one only in fragments
    // IPv4: never set for what may have to be fragmented on its way (RFC 791 §3.2); a large SIP
    // message is.
    bool dont_fragment = false;
    ChecksumBy checksum = ChecksumBy::kSoftware;
};

// Sends from flow.ours to flow.theirs. The payload stands ready at `frame +
// headers_len(flow.is_v4())`; the headers are written from `frame` on. Returns the length of the
// frame, 0 if the payload is longer than UDP can say.
[[nodiscard]] std::size_t write_headers(const HeaderSpec& spec, const Flow& flow,
                                        std::uint8_t* frame, std::size_t payload_len);

}  // namespace pinhole::net
