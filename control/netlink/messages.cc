// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/messages.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>

namespace pinhole::netlink {
namespace {

// The attributes of one message, by type, each checked to lie within it.
class Attributes {
  public:
    Attributes(const void* first, std::size_t len) {
        const auto* attr = static_cast<const nlattr*>(first);
        auto left = static_cast<int>(std::min<std::size_t>(len, INT32_MAX));
        while (mnl_attr_ok(attr, left)) {
            if (mnl_attr_get_type(attr) < by_type_.size()) {
                by_type_[mnl_attr_get_type(attr)] = attr;
            }
            left -= static_cast<int>(MNL_ALIGN(attr->nla_len));
            attr = mnl_attr_next(attr);
        }
    }
    explicit Attributes(const nlattr* nest)
        : Attributes(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest)) {}

    const nlattr* find(unsigned type) const { return by_type_[type]; }
    bool has(unsigned type) const { return by_type_[type] != nullptr; }

    // The attribute's bytes if it has exactly that many.
    const std::uint8_t* bytes(unsigned type, std::size_t len) const {
        const nlattr* attr = by_type_[type];
        if (attr == nullptr || mnl_attr_get_payload_len(attr) != len) {
            return nullptr;
        }
        return static_cast<const std::uint8_t*>(mnl_attr_get_payload(attr));
    }
    std::uint32_t u32(unsigned type, std::uint32_t otherwise) const {
        const std::uint8_t* p = bytes(type, 4);
        std::uint32_t v = otherwise;
        if (p != nullptr) {
            std::memcpy(&v, p, sizeof v);
        }
        return v;
    }
    std::optional<Address> address(unsigned type, int family) const {
        const std::uint8_t* p = bytes(type, family == AF_INET ? 4 : 16);
        if (p == nullptr) {
            return std::nullopt;
        }
        return family == AF_INET ? Address::v4_wire(p) : Address::v6_wire(p);
    }
    std::optional<Mac> mac(unsigned type) const {
        Mac mac;
        const std::uint8_t* p = bytes(type, mac.size());
        if (p == nullptr) {
            return std::nullopt;
        }
        std::memcpy(mac.data(), p, mac.size());
        return mac;
    }

  private:
    // All that are read here have smaller types.
    std::array<const nlattr*, 64> by_type_{};
};

// The fixed part of a message and the attributes behind it, if it is long enough for the first.
template <typename Fixed>
struct Body {
    const Fixed* fixed = nullptr;
    Attributes attributes{nullptr, 0};

    explicit Body(const nlmsghdr* message) {
        const std::size_t len = mnl_nlmsg_get_payload_len(message);
        if (message->nlmsg_len < MNL_NLMSG_HDRLEN || len < sizeof(Fixed)) {
            return;
        }
        fixed = static_cast<const Fixed*>(mnl_nlmsg_get_payload(message));
        const std::size_t skip = std::min<std::size_t>(MNL_ALIGN(sizeof(Fixed)), len);
        attributes = Attributes(reinterpret_cast<const std::uint8_t*>(fixed) + skip, len - skip);
    }
};

bool is_ip(int family) {
    return family == AF_INET || family == AF_INET6;
}

Update parse_link(const nlmsghdr* message, bool removed) {
    const Body<ifinfomsg> body(message);
    // A bridge tells of its ports by messages of its own family, "removed" among them.
    if (body.fixed == nullptr || body.fixed->ifi_family != AF_UNSPEC ||
        body.fixed->ifi_index <= 0) {
        return {};
    }
    LinkUpdate link;
    link.removed = removed;
    link.ifindex = static_cast<std::uint32_t>(body.fixed->ifi_index);
    if (const nlattr* name = body.attributes.find(IFLA_IFNAME)) {
        const auto* text = static_cast<const char*>(mnl_attr_get_payload(name));
        link.name.assign(text, strnlen(text, mnl_attr_get_payload_len(name)));
    }
    link.mac = body.attributes.mac(IFLA_ADDRESS).value_or(Mac{});
    link.mtu = body.attributes.u32(IFLA_MTU, 0);
    link.admin_up = (body.fixed->ifi_flags & IFF_UP) != 0;
    link.running = (body.fixed->ifi_flags & IFF_RUNNING) != 0;
    link.no_arp = (body.fixed->ifi_flags & (IFF_NOARP | IFF_LOOPBACK)) != 0;
    return link;
}

Update parse_address(const nlmsghdr* message, bool removed) {
    const Body<ifaddrmsg> body(message);
    if (body.fixed == nullptr || !is_ip(body.fixed->ifa_family)) {
        return {};
    }
    // On a point-to-point link IFA_ADDRESS is the peer's, IFA_LOCAL ours.
    auto address = body.attributes.address(IFA_LOCAL, body.fixed->ifa_family);
    if (!address) {
        address = body.attributes.address(IFA_ADDRESS, body.fixed->ifa_family);
    }
    if (!address) {
        return {};
    }
    AddressUpdate update;
    update.removed = removed;
    update.ifindex = body.fixed->ifa_index;
    update.address = *address;
    update.prefix_len = body.fixed->ifa_prefixlen;
    const std::uint32_t flags = body.attributes.u32(IFA_FLAGS, body.fixed->ifa_flags);
    update.duplicate = (flags & IFA_F_DADFAILED) != 0;
    return update;
}

std::optional<net::RouteType> route_type(unsigned char type) {
    switch (type) {
        case RTN_UNICAST:
            return net::RouteType::kUnicast;
        case RTN_LOCAL:
            return net::RouteType::kLocal;
        case RTN_BLACKHOLE:
            return net::RouteType::kBlackhole;
        case RTN_UNREACHABLE:
        case RTN_THROW:  // to the next table, and there is none after the main one that we know
            return net::RouteType::kUnreachable;
        case RTN_PROHIBIT:
            return net::RouteType::kProhibit;
        default:
            return std::nullopt;
    }
}

NextHop hop_of(std::uint32_t ifindex, unsigned flags, const Attributes& attributes, int family) {
    NextHop hop;
    hop.ifindex = ifindex;
    hop.dead = (flags & RTNH_F_DEAD) != 0;
    std::optional<Address> gateway = attributes.address(RTA_GATEWAY, family);
    if (const nlattr* via = attributes.find(RTA_VIA); !gateway && via != nullptr) {
        // A family of two bytes, then the address: the gateway is of the other family (RFC 8950).
        const auto* p = static_cast<const std::uint8_t*>(mnl_attr_get_payload(via));
        const std::size_t len = mnl_attr_get_payload_len(via);
        std::uint16_t via_family = 0;
        if (len >= sizeof via_family) {
            std::memcpy(&via_family, p, sizeof via_family);
        }
        if (via_family == AF_INET && len == 6) {
            gateway = Address::v4_wire(p + 2);
        } else if (via_family == AF_INET6 && len == 18) {
            gateway = Address::v6_wire(p + 2);
        }
    }
    hop.gateway = gateway;
    return hop;
}

std::vector<NextHop> multipath(const nlattr* attribute, int family) {
    std::vector<NextHop> hops;
    const auto* p = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
    std::size_t left = mnl_attr_get_payload_len(attribute);
    while (left >= sizeof(rtnexthop)) {
        const auto* hop = reinterpret_cast<const rtnexthop*>(p);
        if (hop->rtnh_len < sizeof(rtnexthop) || hop->rtnh_len > left) {
            break;
        }
        const Attributes attributes(p + sizeof(rtnexthop), hop->rtnh_len - sizeof(rtnexthop));
        hops.push_back(hop_of(static_cast<std::uint32_t>(hop->rtnh_ifindex), hop->rtnh_flags,
                              attributes, family));
        const std::size_t step = std::min<std::size_t>(MNL_ALIGN(hop->rtnh_len), left);
        p += step;
        left -= step;
    }
    return hops;
}

std::uint16_t route_mtu(const Attributes& attributes) {
    const nlattr* metrics = attributes.find(RTA_METRICS);
    if (metrics == nullptr) {
        return 0;
    }
    return static_cast<std::uint16_t>(
        std::min<std::uint32_t>(Attributes(metrics).u32(RTAX_MTU, 0), 65535));
}

// Of the main table, not a cached one, and one that our packets can match: none of ours has a TOS
// that the kernel routes by, and a route by source address is policy.
bool of_interest(const rtmsg& route, const Attributes& attributes) {
    return is_ip(route.rtm_family) && attributes.u32(RTA_TABLE, route.rtm_table) == RT_TABLE_MAIN &&
           (route.rtm_flags & RTM_F_CLONED) == 0 && route.rtm_tos == 0 && route.rtm_src_len == 0;
}

Update parse_route(const nlmsghdr* message, bool removed) {
    const Body<rtmsg> body(message);
    if (body.fixed == nullptr || !of_interest(*body.fixed, body.attributes)) {
        return {};
    }
    const int family = body.fixed->rtm_family;
    const auto type = route_type(body.fixed->rtm_type);
    const auto prefix = body.attributes.address(RTA_DST, family);
    if (!type || (!prefix && body.fixed->rtm_dst_len != 0) ||
        body.fixed->rtm_dst_len > (family == AF_INET ? 32 : 128)) {
        return {};
    }
    RouteUpdate route;
    route.removed = removed;
    route.replaces = (message->nlmsg_flags & NLM_F_REPLACE) != 0;
    route.prefix = prefix.value_or(family == AF_INET ? Address::v4(0) : Address{});
    route.prefix_len = body.fixed->rtm_dst_len;
    route.metric = body.attributes.u32(RTA_PRIORITY, 0);
    route.mtu = route_mtu(body.attributes);
    route.type = *type;
    if (*type != net::RouteType::kUnicast) {
        return route;
    }
    if (const nlattr* paths = body.attributes.find(RTA_MULTIPATH)) {
        route.hops = multipath(paths, family);
    } else {
        route.hops.push_back(hop_of(body.attributes.u32(RTA_OIF, 0), body.fixed->rtm_flags,
                                    body.attributes, family));
    }
    return route;
}

Update parse_neighbour(const nlmsghdr* message, bool removed) {
    const Body<ndmsg> body(message);
    if (body.fixed == nullptr || !is_ip(body.fixed->ndm_family) || body.fixed->ndm_ifindex <= 0 ||
        (body.fixed->ndm_flags & NTF_PROXY) != 0) {
        return {};
    }
    const auto address = body.attributes.address(NDA_DST, body.fixed->ndm_family);
    if (!address) {
        return {};
    }
    const auto mac = body.attributes.mac(NDA_LLADDR);
    constexpr unsigned kUsable = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT;
    NeighbourUpdate update;
    update.removed = removed;
    update.stale = (body.fixed->ndm_state & NUD_STALE) != 0;
    update.entry.ifindex = static_cast<std::uint32_t>(body.fixed->ndm_ifindex);
    update.entry.address = *address;
    update.entry.mac = mac.value_or(Mac{});
    update.entry.usable = !removed && mac && (body.fixed->ndm_state & kUsable) != 0;
    return update;
}

}  // namespace

Update parse_message(const nlmsghdr* message) {
    switch (message->nlmsg_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
            return parse_link(message, message->nlmsg_type == RTM_DELLINK);
        case RTM_NEWADDR:
        case RTM_DELADDR:
            return parse_address(message, message->nlmsg_type == RTM_DELADDR);
        case RTM_NEWROUTE:
        case RTM_DELROUTE:
            return parse_route(message, message->nlmsg_type == RTM_DELROUTE);
        case RTM_NEWNEIGH:
        case RTM_DELNEIGH:
            return parse_neighbour(message, message->nlmsg_type == RTM_DELNEIGH);
        case RTM_NEWNEXTHOP:
        case RTM_DELNEXTHOP:
            return NexthopObjectUpdate{};
        default:
            return {};
    }
}

}  // namespace pinhole::netlink
