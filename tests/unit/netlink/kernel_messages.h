// SPDX-License-Identifier: BSD-3-Clause
// Messages as the kernel writes them, for tests.
#pragma once

#include "control/netlink/messages.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <memory>

namespace pinhole::netlink::test {

inline Address ip(const char* text) {
    return *net::parse_address(text);
}

// A message in a buffer of its own, built up by calls that return it.
class Message {
  public:
    Message(int type, int flags = 0) : header_(mnl_nlmsg_put_header(buffer_->data())) {
        header_->nlmsg_type = static_cast<std::uint16_t>(type);
        header_->nlmsg_flags = static_cast<std::uint16_t>(flags);
    }
    template <typename Fixed>
    Message& body(const Fixed& fixed) {
        std::memcpy(mnl_nlmsg_put_extra_header(header_, sizeof fixed), &fixed, sizeof fixed);
        return *this;
    }
    Message& bytes(unsigned type, const void* data, std::size_t len) {
        mnl_attr_put(header_, static_cast<std::uint16_t>(type), len, data);
        return *this;
    }
    Message& u32(unsigned type, std::uint32_t value) { return bytes(type, &value, sizeof value); }
    Message& address(unsigned type, const Address& a) {
        return a.is_v4() ? bytes(type, a.v4_bytes(), 4) : bytes(type, a.bytes.data(), 16);
    }
    Message& mac(unsigned type, const Mac& m) { return bytes(type, m.data(), m.size()); }
    nlattr* nest(unsigned type) {
        return mnl_attr_nest_start(header_, static_cast<std::uint16_t>(type));
    }
    void end(nlattr* nest) { mnl_attr_nest_end(header_, nest); }
    // One path of RTA_MULTIPATH, between nest() and end().
    Message& path(std::uint32_t ifindex, const Address& gateway, unsigned flags = 0) {
        auto* hop = static_cast<rtnexthop*>(mnl_nlmsg_get_payload_tail(header_));
        *hop = {};
        hop->rtnh_ifindex = static_cast<int>(ifindex);
        hop->rtnh_flags = static_cast<unsigned char>(flags);
        header_->nlmsg_len += sizeof(rtnexthop);
        const std::uint32_t before = header_->nlmsg_len;
        address(RTA_GATEWAY, gateway);
        hop->rtnh_len = static_cast<std::uint16_t>(sizeof(rtnexthop) + header_->nlmsg_len - before);
        return *this;
    }
    [[nodiscard]] nlmsghdr* header() const { return header_; }
    [[nodiscard]] Update parsed() const { return parse_message(header_); }

  private:
    using Buffer = std::array<char, 4096>;
    std::unique_ptr<Buffer> buffer_{std::make_unique<Buffer>()};
    nlmsghdr* header_;
};

struct Route {
    const char* prefix;
    std::uint8_t len;
    std::uint32_t metric = 0;
    int type = RTM_NEWROUTE;
    int flags = 0;
    unsigned char kind = RTN_UNICAST;
    unsigned char table = RT_TABLE_MAIN;
    unsigned route_flags = 0;
};
inline Message route_head(const Route& r) {
    const Address prefix = ip(r.prefix);
    Message m(r.type, r.flags);
    rtmsg fixed{};
    fixed.rtm_family = prefix.is_v4() ? AF_INET : AF_INET6;
    fixed.rtm_dst_len = r.len;
    fixed.rtm_table = r.table;
    fixed.rtm_type = r.kind;
    fixed.rtm_flags = r.route_flags;
    m.body(fixed);
    if (r.len != 0) {
        m.address(RTA_DST, prefix);
    }
    if (r.metric != 0) {
        m.u32(RTA_PRIORITY, r.metric);
    }
    return m;
}
inline Message route(const Route& r, std::uint32_t ifindex, const char* gateway = nullptr) {
    Message m = route_head(r);
    if (gateway != nullptr) {
        m.address(RTA_GATEWAY, ip(gateway));
    }
    m.u32(RTA_OIF, ifindex);
    return m;
}

inline Message link(std::uint32_t ifindex, const char* name, unsigned flags = IFF_UP | IFF_RUNNING,
                    int type = RTM_NEWLINK) {
    ifinfomsg fixed{};
    fixed.ifi_index = static_cast<int>(ifindex);
    fixed.ifi_flags = flags;
    Message m(type);
    m.body(fixed).bytes(IFLA_IFNAME, name, std::strlen(name) + 1);
    m.u32(IFLA_MTU, 1500).mac(IFLA_ADDRESS, {2, 0, 0, 0, 0, static_cast<std::uint8_t>(ifindex)});
    return m;
}

inline Message own_address(std::uint32_t ifindex, const char* address, std::uint8_t len,
                           int type = RTM_NEWADDR) {
    ifaddrmsg fixed{};
    const Address a = ip(address);
    fixed.ifa_family = a.is_v4() ? AF_INET : AF_INET6;
    fixed.ifa_prefixlen = len;
    fixed.ifa_index = ifindex;
    Message m(type);
    m.body(fixed).address(IFA_ADDRESS, a);
    return m;
}

inline Message neighbour(std::uint32_t ifindex, const char* address, std::uint16_t state,
                         std::uint8_t mac = 9, int type = RTM_NEWNEIGH) {
    const Address a = ip(address);
    ndmsg fixed{};
    fixed.ndm_family = a.is_v4() ? AF_INET : AF_INET6;
    fixed.ndm_ifindex = static_cast<int>(ifindex);
    fixed.ndm_state = state;
    Message m(type);
    m.body(fixed).address(NDA_DST, a);
    if (mac != 0) {
        m.mac(NDA_LLADDR, {2, 0, 0, 0, 0, mac});
    }
    return m;
}

}  // namespace pinhole::netlink::test
