// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/checksum.h"

namespace pinhole::net {
namespace {

template <typename Word>
Word load(const std::uint8_t* p) {
    Word w;
    std::memcpy(&w, p, sizeof w);
    return w;
}

// Unfolded and not inverted. The addresses of IPv4 count as four bytes.
std::uint64_t pseudo_sum(const Address& src, const Address& dst, std::uint16_t udp_len) {
    const std::size_t skip = src.is_v4() ? 12 : 0;
    std::uint64_t sum = __builtin_bswap16(kProtoUdp) + std::uint64_t{__builtin_bswap16(udp_len)};
    sum = raw_sum(src.bytes.data() + skip, src.bytes.size() - skip, sum);
    return raw_sum(dst.bytes.data() + skip, dst.bytes.size() - skip, sum);
}

constexpr std::size_t kUdpChecksumAt = 6;

}  // namespace

std::uint64_t raw_sum(const std::uint8_t* data, std::size_t len, std::uint64_t start) {
    // 32-bit words into 64 bits: no carry to look after before 2^32 words, and the compiler makes
    // SIMD of it. The sum of 16-bit words is the same (RFC 1071 §2 (C)).
    std::uint64_t sum = start;
    const std::size_t words = len / 4;
    for (std::size_t i = 0; i < words; ++i) {
        sum += load<std::uint32_t>(data + 4 * i);
    }
    data += words * 4;
    if ((len & 2U) != 0) {
        sum += load<std::uint16_t>(data);
        data += 2;
    }
    if ((len & 1U) != 0) {
        sum += *data;
    }
    return sum;
}

std::uint16_t fold_sum(std::uint64_t sum) {
    sum = (sum & 0xffffffffU) + (sum >> 32);
    sum = (sum & 0xffffU) + (sum >> 16);
    sum = (sum & 0xffffU) + (sum >> 16);
    sum = (sum & 0xffffU) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

std::uint16_t ipv4_header_checksum(const std::uint8_t* header, std::size_t len) {
    return static_cast<std::uint16_t>(~fold_sum(raw_sum(header, len)));
}

bool ip_header_right(Bytes frame, const Datagram& datagram) {
    if (!datagram.v4) {
        return true;
    }
    const std::size_t len = datagram.l4_offset - datagram.l3_offset;
    return fold_sum(raw_sum(frame.data() + datagram.l3_offset, len)) == 0xffff;
}

std::uint16_t udp_pseudo_sum(const Address& src, const Address& dst, std::uint16_t udp_len) {
    return fold_sum(pseudo_sum(src, dst, udp_len));
}

std::uint16_t udp_checksum(const Address& src, const Address& dst, const std::uint8_t* udp,
                           std::uint16_t udp_len) {
    std::uint64_t sum = raw_sum(udp, kUdpChecksumAt, pseudo_sum(src, dst, udp_len));
    sum = raw_sum(udp + kUdpLen, udp_len - kUdpLen, sum);
    const auto checksum = static_cast<std::uint16_t>(~fold_sum(sum));
    return checksum == 0 ? 0xffff : checksum;
}

UdpChecksum check_udp(Bytes frame, const Datagram& datagram) {
    const std::uint8_t* udp = frame.data() + datagram.l4_offset;
    const auto field = load<std::uint16_t>(udp + kUdpChecksumAt);
    if (field == 0) {
        return datagram.v4 ? UdpChecksum::kZero : UdpChecksum::kZeroOverV6;
    }
    const auto udp_len = static_cast<std::uint16_t>(datagram.payload_len + kUdpLen);
    const std::uint64_t pseudo = pseudo_sum(datagram.src, datagram.dst, udp_len);
    if (fold_sum(raw_sum(udp, udp_len, pseudo)) == 0xffff) {
        return UdpChecksum::kRight;
    }
    return field == fold_sum(pseudo) ? UdpChecksum::kPartial : UdpChecksum::kWrong;
}

}  // namespace pinhole::net
