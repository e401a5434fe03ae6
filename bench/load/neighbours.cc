// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/neighbours.h"

#include "dataplane/net/checksum.h"

#include <algorithm>
#include <cstring>

namespace pinhole::load {
namespace {

constexpr std::uint16_t kEtherArp = 0x0806;
constexpr std::size_t kArpLen = 28;
constexpr std::uint16_t kArpRequest = 1;
constexpr std::uint16_t kArpReply = 2;
constexpr std::array<std::uint8_t, 6> kArpOfIpv4{0, 1, 8, 0, 6, 4};  // Ethernet, IPv4, lengths

constexpr std::uint8_t kProtoIcmp6 = 58;
constexpr std::uint8_t kSolicitation = 135;
constexpr std::uint8_t kAdvertisement = 136;
constexpr std::uint8_t kNdHops = 255;    // RFC 4861 §7.1: nothing that was forwarded counts
constexpr std::size_t kNdLen = 24;       // type to target
constexpr std::size_t kNdOptionLen = 8;  // a link-layer address
constexpr std::uint8_t kSourceOption = 1;
constexpr std::uint8_t kTargetOption = 2;
constexpr std::uint8_t kSolicitedOverride = 0x60;
constexpr net::Mac kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static_assert(net::kEthernetLen + net::kIpv6Len + kNdLen + kNdOptionLen == kMaxNeighbourFrame);

void write_ethernet(const net::Mac& to, const net::Mac& from, std::uint16_t type,
                    std::uint8_t* out) {
    std::memcpy(out, to.data(), to.size());
    std::memcpy(out + 6, from.data(), from.size());
    net::store_be16(out + 12, type);
}

std::size_t write_arp(std::uint16_t operation, const net::Address& own, const net::Mac& own_mac,
                      const net::Address& other, const net::Mac& other_mac, std::uint8_t* out) {
    const bool asks = operation == kArpRequest;
    write_ethernet(asks ? kBroadcast : other_mac, own_mac, kEtherArp, out);
    std::uint8_t* arp = out + net::kEthernetLen;
    std::memcpy(arp, kArpOfIpv4.data(), kArpOfIpv4.size());
    net::store_be16(arp + 6, operation);
    std::memcpy(arp + 8, own_mac.data(), 6);
    std::memcpy(arp + 14, own.v4_bytes(), 4);
    std::memcpy(arp + 18, asks ? net::Mac{}.data() : other_mac.data(), 6);
    std::memcpy(arp + 24, other.v4_bytes(), 4);
    return net::kEthernetLen + kArpLen;
}

// The whole of a solicitation or advertisement but its checksum, which is then put in.
std::size_t write_nd(const net::Address& from, const net::Address& to, const net::Mac& from_mac,
                     const net::Mac& to_mac, std::uint8_t type, const net::Address& target,
                     std::uint8_t* out) {
    write_ethernet(to_mac, from_mac, net::kEtherIpv6, out);
    std::uint8_t* ip = out + net::kEthernetLen;
    constexpr std::uint16_t kLen = kNdLen + kNdOptionLen;
    net::store_be32(ip, 6U << 28);
    net::store_be16(ip + 4, kLen);
    ip[6] = kProtoIcmp6;
    ip[7] = kNdHops;
    std::memcpy(ip + 8, from.bytes.data(), 16);
    std::memcpy(ip + 24, to.bytes.data(), 16);
    std::uint8_t* nd = ip + net::kIpv6Len;
    std::memset(nd, 0, 8);
    nd[0] = type;
    nd[4] = type == kAdvertisement ? kSolicitedOverride : 0;
    std::memcpy(nd + 8, target.bytes.data(), 16);
    nd[kNdLen] = type == kAdvertisement ? kTargetOption : kSourceOption;
    nd[kNdLen + 1] = 1;  // of eight bytes
    std::memcpy(nd + kNdLen + 2, from_mac.data(), 6);
    // The pseudo header: both addresses, the length and the protocol (RFC 8200 §8.1).
    std::uint64_t sum = net::raw_sum(ip + 8, 32);
    sum += std::uint64_t{__builtin_bswap16(kLen)} + __builtin_bswap16(kProtoIcmp6);
    const auto checksum = static_cast<std::uint16_t>(~net::fold_sum(net::raw_sum(nd, kLen, sum)));
    std::memcpy(nd + 2, &checksum, sizeof checksum);
    return kMaxNeighbourFrame;
}

std::optional<NeighbourMessage> read_arp(net::Bytes frame) {
    if (frame.size() < net::kEthernetLen + kArpLen) {
        return std::nullopt;
    }
    const std::uint8_t* arp = frame.data() + net::kEthernetLen;
    const std::uint16_t operation = net::load_be16(arp + 6);
    if (std::memcmp(arp, kArpOfIpv4.data(), kArpOfIpv4.size()) != 0 ||
        (operation != kArpRequest && operation != kArpReply)) {
        return std::nullopt;
    }
    NeighbourMessage message;
    message.is_question = operation == kArpRequest;
    std::memcpy(message.sender_mac.data(), arp + 8, 6);
    message.sender = net::Address::v4_wire(arp + 14);
    message.target = net::Address::v4_wire(arp + 24);
    return message;
}

std::optional<NeighbourMessage> read_nd(net::Bytes frame) {
    if (frame.size() < net::kEthernetLen + net::kIpv6Len + kNdLen) {
        return std::nullopt;
    }
    const std::uint8_t* ip = frame.data() + net::kEthernetLen;
    const std::uint8_t* nd = ip + net::kIpv6Len;
    if (ip[6] != kProtoIcmp6 || ip[7] != kNdHops ||
        (nd[0] != kSolicitation && nd[0] != kAdvertisement)) {
        return std::nullopt;
    }
    NeighbourMessage message;
    message.is_question = nd[0] == kSolicitation;
    // The frame's own sender: whoever answers names the same in the option.
    std::memcpy(message.sender_mac.data(), frame.data() + 6, 6);
    message.target = net::Address::v6_wire(nd + 8);
    message.sender = message.is_question ? net::Address::v6_wire(ip + 8) : message.target;
    return message;
}

net::Address solicited_node(const net::Address& target) {
    net::Address group;
    group.bytes = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
    std::copy(target.bytes.begin() + 13, target.bytes.end(), group.bytes.begin() + 13);
    return group;
}

net::Mac multicast_mac(const net::Address& group) {
    return {0x33, 0x33, group.bytes[12], group.bytes[13], group.bytes[14], group.bytes[15]};
}

}  // namespace

std::optional<NeighbourMessage> read_neighbour(net::Bytes frame) {
    if (frame.size() < net::kEthernetLen) {
        return std::nullopt;
    }
    switch (net::load_be16(frame.data() + 12)) {
        case kEtherArp:
            return read_arp(frame);
        case net::kEtherIpv6:
            return read_nd(frame);
        default:
            return std::nullopt;
    }
}

std::size_t write_neighbour_answer(const NeighbourMessage& question, const net::Mac& mac,
                                   std::uint8_t* out) {
    if (question.target.is_v4()) {
        return write_arp(kArpReply, question.target, mac, question.sender, question.sender_mac,
                         out);
    }
    return write_nd(question.target, question.sender, mac, question.sender_mac, kAdvertisement,
                    question.target, out);
}

std::size_t write_neighbour_question(const net::Address& target, const net::Address& own,
                                     const net::Mac& mac, std::uint8_t* out) {
    if (target.is_v4()) {
        return write_arp(kArpRequest, own, mac, target, {}, out);
    }
    const net::Address group = solicited_node(target);
    return write_nd(own, group, mac, multicast_mac(group), kSolicitation, target, out);
}

}  // namespace pinhole::load
