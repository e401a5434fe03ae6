// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/fragment.h"

#include "dataplane/net/checksum.h"

namespace pinhole::net {
namespace {

// Fills in what the header says; kBadFrame stays where write_headers() makes no such header.
void plan_v4(Bytes ip, FragmentPlan& plan) {
    if (ip.size() < kIpv4Len || ip[0] != 0x45) {
        return;
    }
    const std::size_t total_len = load_be16(ip.data() + 2);
    const std::uint16_t flags = load_be16(ip.data() + 6);
    if (total_len <= kIpv4Len || total_len > ip.size() ||
        (flags & (kIpv4MoreFragments | kIpv4OffsetMask)) != 0) {
        return;
    }
    plan.v4 = true;
    plan.ip_len = kIpv4Len;
    plan.data_len = total_len - kIpv4Len;
    plan.head_len = kEthernetLen + kIpv4Len;
    plan.verdict =
        (flags & kIpv4DontFragment) != 0 ? FragmentResult::kDontFragment : FragmentResult::kDone;
}

void plan_v6(Bytes ip, FragmentPlan& plan) {
    if (ip.size() < kIpv6Len || ip[0] >> 4 != 6 || ip[6] != kProtoUdp) {
        return;
    }
    const std::size_t data_len = load_be16(ip.data() + 4);
    if (data_len == 0 || kIpv6Len + data_len > ip.size()) {
        return;
    }
    plan.v4 = false;
    plan.ip_len = kIpv6Len;
    plan.data_len = data_len;
    plan.head_len = kEthernetLen + kIpv6Len + kIpv6FragmentLen;
    plan.verdict = FragmentResult::kDone;
}

}  // namespace

FragmentPlan plan_fragments(Bytes frame, std::size_t mtu) {
    FragmentPlan plan;
    if (frame.size() < kEthernetLen) {
        return plan;
    }
    const Bytes ip = frame.subspan(kEthernetLen);
    switch (load_be16(frame.data() + 12)) {
        case kEtherIpv4:
            plan_v4(ip, plan);
            break;
        case kEtherIpv6:
            plan_v6(ip, plan);
            break;
        default:
            break;
    }
    const std::size_t ip_headers = plan.head_len - kEthernetLen;
    if (plan.verdict == FragmentResult::kDone) {
        if (mtu < ip_headers + 8) {
            plan.verdict = FragmentResult::kBadMtu;
        } else {
            plan.piece_len = (mtu - ip_headers) & ~std::size_t{7};
        }
    }
    return plan;
}

void write_fragment(const FragmentPlan& plan, Bytes frame, std::uint32_t id, std::size_t offset,
                    std::size_t len, std::uint8_t* out) {
    const bool more = offset + len < plan.data_len;
    std::memcpy(out, frame.data(), kEthernetLen + plan.ip_len);
    std::uint8_t* ip = out + kEthernetLen;
    if (plan.v4) {
        store_be16(ip + 2, static_cast<std::uint16_t>(kIpv4Len + len));
        store_be16(ip + 4, static_cast<std::uint16_t>(id));
        store_be16(ip + 6,
                   static_cast<std::uint16_t>((more ? kIpv4MoreFragments : 0U) | offset / 8));
        store_be16(ip + 10, 0);
        const std::uint16_t checksum = ipv4_header_checksum(ip, kIpv4Len);
        std::memcpy(ip + 10, &checksum, sizeof checksum);
    } else {
        store_be16(ip + 4, static_cast<std::uint16_t>(kIpv6FragmentLen + len));
        std::uint8_t* header = ip + kIpv6Len;
        header[0] = ip[6];
        header[1] = 0;
        store_be16(header + 2, static_cast<std::uint16_t>(offset | (more ? 1U : 0U)));
        store_be32(header + 4, id);
        ip[6] = kProtoIpv6Fragment;
    }
    std::memcpy(out + plan.head_len, frame.data() + kEthernetLen + plan.ip_len + offset, len);
}

}  // namespace pinhole::net
