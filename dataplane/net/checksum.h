// SPDX-License-Identifier: BSD-3-Clause
// The internet checksum (RFC 1071) and UDP's over its pseudo header (RFC 768, RFC 8200 §8.1), for
// devices that do neither. Pure; any thread.
#pragma once

#include "dataplane/net/packet.h"

#include <cstdint>
#include <span>

namespace pinhole::net {

// One's complement sum of 16-bit words in memory order, not folded to the end, so that sums can be
// added. An odd last byte counts as the high byte of a word; so only the last piece of several may
// have an odd length.
[[nodiscard]] std::uint64_t raw_sum(const std::uint8_t* data, std::size_t len,
                                    std::uint64_t start = 0);
// The instruction sets that this machine has a sum for, the one in use last: for tests.
struct SumVariant {
    const char* name;
    std::uint64_t (*sum)(const std::uint8_t* data, std::size_t len, std::uint64_t start);
};
[[nodiscard]] std::span<const SumVariant> sum_variants();
// To 16 bits, in the byte order of what was summed: a sum of bytes as they lie in memory is stored
// as it is, by memcpy; a sum of host words is a host word (RFC 1071 §2 (B)).
[[nodiscard]] std::uint16_t fold_sum(std::uint64_t sum);

// The checksum of an IPv4 header whose own checksum field is zero, in memory order.
[[nodiscard]] std::uint16_t ipv4_header_checksum(const std::uint8_t* header, std::size_t len);
// True for IPv6, which has none. For what parse_packet() called kUdp, kFragment or kIpOther.
[[nodiscard]] bool ip_header_right(Bytes frame, const Datagram& datagram);

// The sum over the pseudo header alone, folded and not inverted: what a device that offloads
// expects in the checksum field, and what a veth hands up.
[[nodiscard]] std::uint16_t udp_pseudo_sum(const Address& src, const Address& dst,
                                           std::uint16_t udp_len);
// The checksum over pseudo header, UDP header and payload; the checksum field itself is not
// counted. Never zero: 0xffff stands for it (RFC 768). In memory order.
[[nodiscard]] std::uint16_t udp_checksum(const Address& src, const Address& dst,
                                         const std::uint8_t* udp, std::uint16_t udp_len);

enum class UdpChecksum : std::uint8_t {
    kRight,
    kPartial,     // the pseudo header's sum: a sender on this host left the rest to a device (veth)
    kZero,        // the sender made none; IPv4 allows it
    kZeroOverV6,  // which IPv6 does not (RFC 8200 §8.1)
    kWrong,
};
// For what parse_packet() called kUdp, in the frame that it parsed.
[[nodiscard]] UdpChecksum check_udp(Bytes frame, const Datagram& datagram);
// Whether a datagram may be taken: `partial_is_fine` on ports that hand up unfinished checksums.
[[nodiscard]] constexpr bool acceptable(UdpChecksum c, bool partial_is_fine) {
    return c == UdpChecksum::kRight || c == UdpChecksum::kZero ||
           (c == UdpChecksum::kPartial && partial_is_fine);
}

}  // namespace pinhole::net
