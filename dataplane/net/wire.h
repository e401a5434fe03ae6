// SPDX-License-Identifier: BSD-3-Clause
// What stands on the wire: sizes and numbers of Ethernet, IPv4, IPv6 and UDP headers, and loads and
// stores in network order. Pure; any thread.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace pinhole::net {

static_assert(std::endian::native == std::endian::little);

using Mac = std::array<std::uint8_t, 6>;
using Bytes = std::span<const std::uint8_t>;

inline constexpr std::uint32_t kEthernetLen = 14;
inline constexpr std::uint32_t kIpv4Len = 20;  // without options
inline constexpr std::uint32_t kIpv6Len = 40;  // without extension headers
inline constexpr std::uint32_t kIpv6FragmentLen = 8;
inline constexpr std::uint32_t kUdpLen = 8;

inline constexpr std::uint16_t kEtherIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherIpv6 = 0x86dd;
inline constexpr std::uint16_t kEtherVlan = 0x8100;
inline constexpr std::uint16_t kEtherServiceVlan = 0x88a8;

inline constexpr std::uint8_t kProtoHopByHop = 0;
inline constexpr std::uint8_t kProtoUdp = 17;
inline constexpr std::uint8_t kProtoIpv6Fragment = 44;
inline constexpr std::uint8_t kProtoDestinationOptions = 60;

inline constexpr std::uint16_t kIpv4DontFragment = 0x4000;
inline constexpr std::uint16_t kIpv4MoreFragments = 0x2000;
inline constexpr std::uint16_t kIpv4OffsetMask = 0x1fff;

inline std::uint16_t load_be16(const std::uint8_t* p) {
    std::uint16_t v;
    std::memcpy(&v, p, sizeof v);
    return __builtin_bswap16(v);
}
inline std::uint32_t load_be32(const std::uint8_t* p) {
    std::uint32_t v;
    std::memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}
inline void store_be16(std::uint8_t* p, std::uint16_t v) {
    v = __builtin_bswap16(v);
    std::memcpy(p, &v, sizeof v);
}
inline void store_be32(std::uint8_t* p, std::uint32_t v) {
    v = __builtin_bswap32(v);
    std::memcpy(p, &v, sizeof v);
}

}  // namespace pinhole::net
