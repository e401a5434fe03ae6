// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/messages.h"

#include "tests/unit/netlink/kernel_messages.h"

#include <gtest/gtest.h>

#include <vector>

namespace pinhole::netlink {
namespace {

using namespace test;

bool is_nothing(const Update& u) {
    return std::holds_alternative<std::monostate>(u);
}

TEST(Messages, Link) {
    const Update up = link(7, "eth0").parsed();
    const auto* parsed = std::get_if<LinkUpdate>(&up);
    ASSERT_NE(parsed, nullptr);
    EXPECT_EQ(parsed->ifindex, 7U);
    EXPECT_EQ(parsed->name, "eth0");
    EXPECT_EQ(parsed->mtu, 1500U);
    EXPECT_EQ(parsed->mac, (Mac{2, 0, 0, 0, 0, 7}));
    EXPECT_TRUE(parsed->admin_up);
    EXPECT_TRUE(parsed->running);
    EXPECT_FALSE(parsed->no_arp);
    EXPECT_FALSE(parsed->removed);

    const Update gone = link(7, "eth0", IFF_UP | IFF_NOARP, RTM_DELLINK).parsed();
    EXPECT_TRUE(std::get<LinkUpdate>(gone).removed);
    EXPECT_FALSE(std::get<LinkUpdate>(gone).running);
    EXPECT_TRUE(std::get<LinkUpdate>(gone).no_arp);
}

TEST(Messages, APortLeavingItsBridgeIsNoLinkRemoved) {
    ifinfomsg fixed{};
    fixed.ifi_family = AF_BRIDGE;
    fixed.ifi_index = 7;
    EXPECT_TRUE(is_nothing(Message(RTM_DELLINK).body(fixed).parsed()));
}

TEST(Messages, Address) {
    const Update v4 = own_address(2, "198.51.100.1", 24).parsed();
    EXPECT_EQ(std::get<AddressUpdate>(v4).address, ip("198.51.100.1"));
    EXPECT_EQ(std::get<AddressUpdate>(v4).prefix_len, 24);
    EXPECT_EQ(std::get<AddressUpdate>(v4).ifindex, 2U);
    const Update peer = own_address(2, "10.0.0.2", 32).address(IFA_LOCAL, ip("10.0.0.1")).parsed();
    EXPECT_EQ(std::get<AddressUpdate>(peer).address, ip("10.0.0.1"));
    const Update v6 =
        own_address(2, "2001:db8::1", 64, RTM_DELADDR).u32(IFA_FLAGS, IFA_F_DADFAILED).parsed();
    EXPECT_EQ(std::get<AddressUpdate>(v6).address, ip("2001:db8::1"));
    EXPECT_TRUE(std::get<AddressUpdate>(v6).removed);
    EXPECT_TRUE(std::get<AddressUpdate>(v6).duplicate);
}

TEST(Messages, RouteByGateway) {
    const Update u = route({.prefix = "10.1.0.0", .len = 16, .metric = 100, .flags = NLM_F_REPLACE},
                           2, "198.51.100.254")
                         .parsed();
    const auto& r = std::get<RouteUpdate>(u);
    EXPECT_EQ(r.prefix, ip("10.1.0.0"));
    EXPECT_EQ(r.prefix_len, 16);
    EXPECT_EQ(r.metric, 100U);
    EXPECT_TRUE(r.replaces);
    ASSERT_EQ(r.hops.size(), 1U);
    EXPECT_EQ(r.hops[0].ifindex, 2U);
    EXPECT_EQ(r.hops[0].gateway, ip("198.51.100.254"));
}

TEST(Messages, DefaultRoutesHaveThePrefixOfTheirFamily) {
    const Update v4 = route({.prefix = "0.0.0.0", .len = 0}, 2, "198.51.100.254").parsed();
    EXPECT_TRUE(std::get<RouteUpdate>(v4).prefix.is_v4());
    const Update v6 = route({.prefix = "::", .len = 0}, 2, "fe80::1").parsed();
    EXPECT_EQ(std::get<RouteUpdate>(v6).prefix, Address{});
}

TEST(Messages, RouteOfSeveralPaths) {
    Message m = route_head({.prefix = "::", .len = 0});
    nlattr* paths = m.nest(RTA_MULTIPATH);
    m.path(2, ip("fe80::1")).path(3, ip("fe80::2"), RTNH_F_DEAD);
    m.end(paths);
    const Update u = m.parsed();
    const auto& hops = std::get<RouteUpdate>(u).hops;
    ASSERT_EQ(hops.size(), 2U);
    EXPECT_EQ(hops[0].ifindex, 2U);
    EXPECT_EQ(hops[0].gateway, ip("fe80::1"));
    EXPECT_FALSE(hops[0].dead);
    EXPECT_EQ(hops[1].ifindex, 3U);
    EXPECT_EQ(hops[1].gateway, ip("fe80::2"));
    EXPECT_TRUE(hops[1].dead);
}

TEST(Messages, Ipv4RouteByAnIpv6Gateway) {
    std::array<std::uint8_t, 18> via{AF_INET6, 0};
    const Address gateway = ip("fe80::1");
    std::memcpy(via.data() + 2, gateway.bytes.data(), 16);
    const Update u =
        route({.prefix = "10.1.0.0", .len = 16}, 2).bytes(RTA_VIA, via.data(), via.size()).parsed();
    EXPECT_EQ(std::get<RouteUpdate>(u).hops[0].gateway, gateway);
    const Update short_one =
        route({.prefix = "10.1.0.0", .len = 16}, 2).bytes(RTA_VIA, via.data(), 17).parsed();
    EXPECT_FALSE(std::get<RouteUpdate>(short_one).hops[0].gateway);
}

TEST(Messages, RouteWithAnMtu) {
    Message m = route({.prefix = "10.1.0.0", .len = 16}, 2);
    nlattr* metrics = m.nest(RTA_METRICS);
    m.u32(RTAX_MTU, 1280);
    m.end(metrics);
    EXPECT_EQ(std::get<RouteUpdate>(m.parsed()).mtu, 1280);
}

TEST(Messages, RouteTypes) {
    const std::pair<unsigned char, net::RouteType> types[] = {
        {RTN_BLACKHOLE, net::RouteType::kBlackhole},
        {RTN_UNREACHABLE, net::RouteType::kUnreachable},
        {RTN_PROHIBIT, net::RouteType::kProhibit},
        {RTN_THROW, net::RouteType::kUnreachable},
        {RTN_LOCAL, net::RouteType::kLocal}};
    for (const auto& [kernel, ours] : types) {
        const Update u = route_head({.prefix = "10.1.0.0", .len = 16, .kind = kernel}).parsed();
        EXPECT_EQ(std::get<RouteUpdate>(u).type, ours);
        EXPECT_TRUE(std::get<RouteUpdate>(u).hops.empty());
    }
    EXPECT_TRUE(is_nothing(
        route_head({.prefix = "10.1.255.255", .len = 32, .kind = RTN_BROADCAST}).parsed()));
}

TEST(Messages, RoutesOfNoInterest) {
    EXPECT_TRUE(
        is_nothing(route({.prefix = "10.1.0.0", .len = 16, .table = RT_TABLE_LOCAL}, 2).parsed()));
    EXPECT_TRUE(
        is_nothing(route({.prefix = "10.1.0.0", .len = 16}, 2).u32(RTA_TABLE, 1000).parsed()));
    EXPECT_FALSE(is_nothing(route({.prefix = "10.1.0.0", .len = 16, .table = RT_TABLE_COMPAT}, 2)
                                .u32(RTA_TABLE, RT_TABLE_MAIN)
                                .parsed()));
    EXPECT_TRUE(is_nothing(
        route({.prefix = "10.1.0.0", .len = 16, .route_flags = RTM_F_CLONED}, 2).parsed()));
    rtmsg fixed{};
    fixed.rtm_family = AF_INET;
    fixed.rtm_table = RT_TABLE_MAIN;
    fixed.rtm_type = RTN_UNICAST;
    fixed.rtm_tos = 0x10;
    EXPECT_TRUE(is_nothing(Message(RTM_NEWROUTE).body(fixed).parsed()));
    fixed.rtm_tos = 0;
    fixed.rtm_dst_len = 33;
    EXPECT_TRUE(
        is_nothing(Message(RTM_NEWROUTE).body(fixed).address(RTA_DST, ip("10.0.0.1")).parsed()));
    fixed.rtm_dst_len = 8;  // and no address
    EXPECT_TRUE(is_nothing(Message(RTM_NEWROUTE).body(fixed).parsed()));
    fixed.rtm_family = RTNL_FAMILY_IPMR;
    EXPECT_TRUE(is_nothing(Message(RTM_NEWROUTE).body(fixed).parsed()));
}

TEST(Messages, NeighbourStates) {
    const std::pair<std::uint16_t, bool> states[] = {
        {NUD_REACHABLE, true}, {NUD_STALE, true},     {NUD_DELAY, true},
        {NUD_PROBE, true},     {NUD_PERMANENT, true}, {NUD_INCOMPLETE, false},
        {NUD_FAILED, false},   {NUD_NONE, false},     {NUD_NOARP, false}};
    for (const auto& [state, usable] : states) {
        const Update u = neighbour(2, "10.0.0.1", state).parsed();
        EXPECT_EQ(std::get<NeighbourUpdate>(u).entry.usable, usable) << state;
        EXPECT_EQ(std::get<NeighbourUpdate>(u).stale, state == NUD_STALE);
    }
    const Update no_mac = neighbour(2, "fe80::1", NUD_REACHABLE, 0).parsed();
    EXPECT_FALSE(std::get<NeighbourUpdate>(no_mac).entry.usable);
    const Update gone = neighbour(2, "fe80::1", NUD_REACHABLE, 9, RTM_DELNEIGH).parsed();
    EXPECT_FALSE(std::get<NeighbourUpdate>(gone).entry.usable);
    EXPECT_TRUE(std::get<NeighbourUpdate>(gone).removed);
}

TEST(Messages, OthersAreOfNoInterest) {
    EXPECT_TRUE(is_nothing(Message(RTM_NEWRULE).body(rtmsg{}).parsed()));
    EXPECT_TRUE(std::holds_alternative<NexthopObjectUpdate>(Message(RTM_DELNEXTHOP).parsed()));
    ndmsg bridge{};
    bridge.ndm_family = AF_BRIDGE;
    bridge.ndm_ifindex = 2;
    EXPECT_TRUE(is_nothing(Message(RTM_NEWNEIGH).body(bridge).parsed()));
}

// Whatever a message's own lengths leave out, nothing behind it is read (each copy is exact, for
// ASan to see).
TEST(Messages, EveryTruncationIsSurvived) {
    Message paths = route_head({.prefix = "10.0.0.0", .len = 8});
    nlattr* nest = paths.nest(RTA_MULTIPATH);
    paths.path(2, ip("10.0.0.1")).path(3, ip("10.0.0.2"));
    paths.end(nest);
    const nlmsghdr* const messages[] = {paths.header()};
    const Message others[] = {link(2, "eth0"), own_address(2, "10.0.0.1", 8),
                              neighbour(2, "10.0.0.1", NUD_STALE),
                              route({.prefix = "2001:db8::", .len = 32}, 2, "fe80::1")};
    std::vector<const nlmsghdr*> all(std::begin(messages), std::end(messages));
    for (const Message& m : others) {
        all.push_back(m.header());
    }
    for (const nlmsghdr* whole : all) {
        for (std::uint32_t len = sizeof(nlmsghdr); len <= whole->nlmsg_len; ++len) {
            std::vector<char> copy(reinterpret_cast<const char*>(whole),
                                   reinterpret_cast<const char*>(whole) + len);
            auto* cut = reinterpret_cast<nlmsghdr*>(copy.data());
            cut->nlmsg_len = len;
            (void)parse_message(cut);
        }
        // And every 16-bit word of it a lie: lengths of attributes and paths among them.
        for (std::uint32_t at = sizeof(nlmsghdr); at + 2 <= whole->nlmsg_len; at += 2) {
            for (const unsigned lie : {0U, 1U, 3U, 4U, 5U, 8U, 0x7fffU, 0xffffU}) {
                std::vector<char> copy(reinterpret_cast<const char*>(whole),
                                       reinterpret_cast<const char*>(whole) + whole->nlmsg_len);
                const auto word = static_cast<std::uint16_t>(lie);
                std::memcpy(copy.data() + at, &word, sizeof word);
                (void)parse_message(reinterpret_cast<nlmsghdr*>(copy.data()));
            }
        }
    }
}

TEST(Messages, ResolveRequestsAreWhatTheKernelWants) {
    alignas(nlmsghdr) std::array<char, kRequestLen> buffer;
    for (const char* text : {"10.0.0.1", "2001:db8:1111:2222:3333:4444:5555:6666"}) {
        for (const Keep keep : {Keep::kOnce, Keep::kManaged}) {
            const nlmsghdr* m = write_resolve_request(buffer.data(), 7, ip(text), keep, 42);
            ASSERT_LE(m->nlmsg_len, kRequestLen);
            EXPECT_EQ(m->nlmsg_type, RTM_NEWNEIGH);
            EXPECT_EQ(m->nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE);
            EXPECT_EQ(m->nlmsg_seq, 42U);
            const auto* fixed = static_cast<const ndmsg*>(mnl_nlmsg_get_payload(m));
            EXPECT_EQ(fixed->ndm_flags, NTF_USE);
            EXPECT_EQ(fixed->ndm_ifindex, 7);
            const Update back = parse_message(m);
            EXPECT_EQ(std::get<NeighbourUpdate>(back).entry.address, ip(text));
            // NDA_DST and NDA_FLAGS_EXT, or NDA_DST alone.
            const std::uint32_t plain =
                NLMSG_HDRLEN + sizeof(ndmsg) + NLA_HDRLEN + (ip(text).is_v4() ? 4 : 16);
            const bool managed = m->nlmsg_len == plain + NLA_HDRLEN + 4;
            EXPECT_TRUE(managed || m->nlmsg_len == plain);
            if (managed) {
                const auto* attr =
                    reinterpret_cast<const nlattr*>(reinterpret_cast<const char*>(m) + plain);
                EXPECT_EQ(mnl_attr_get_type(attr), NDA_FLAGS_EXT);
                EXPECT_EQ(mnl_attr_get_u32(attr), NTF_EXT_MANAGED);
            }
            EXPECT_EQ(managed, keep == Keep::kManaged);
        }
    }
}

}  // namespace
}  // namespace pinhole::netlink
