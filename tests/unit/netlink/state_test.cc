// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/state.h"

#include "tests/unit/netlink/kernel_messages.h"

#include <gtest/gtest.h>

namespace pinhole::netlink {
namespace {

using namespace test;

constexpr std::uint32_t kEth0 = 2;
constexpr std::uint32_t kEth1 = 3;
const std::vector<net::PortInterface> kPorts{{kEth0, 0}, {kEth1, 1}};

class Mirrored : public testing::Test {
  protected:
    void SetUp() override {
        take(link(kEth0, "eth0"));
        take(link(kEth1, "eth1"));
        take(own_address(kEth0, "198.51.100.1", 24));
        take(route({.prefix = "198.51.100.0", .len = 24}, kEth0));
        dump_routes({});
        // The dump of nothing has taken the route away again: what it is for.
        EXPECT_EQ(state.route_count(), 0U);
        take(route({.prefix = "198.51.100.0", .len = 24}, kEth0));
        take(neighbour(kEth0, "198.51.100.254", NUD_REACHABLE, 254));
        take(neighbour(kEth1, "203.0.113.254", NUD_REACHABLE, 253));
        state.clear_dirty();
    }
    void take(const Message& m) { state.apply(m.parsed()); }
    void dump_routes(std::initializer_list<const Message*> v4,
                     std::initializer_list<const Message*> v6 = {}) {
        state.begin_dump(DumpKind::kRoutesV4);
        for (const Message* m : v4) {
            take(*m);
        }
        state.end_dump(DumpKind::kRoutesV4);
        state.begin_dump(DumpKind::kRoutesV6);
        for (const Message* m : v6) {
            take(*m);
        }
        state.end_dump(DumpKind::kRoutesV6);
    }
    net::Hop lookup(const char* dst, net::PortIndex preferred = 0) const {
        return state.build_fib(kPorts).lookup(ip(dst), preferred);
    }
    State state;
};

TEST_F(Mirrored, BuildsATable) {
    EXPECT_EQ(lookup("198.51.100.254").dst_mac[5], 254);
    EXPECT_EQ(lookup("198.51.100.1").outcome, net::HopOutcome::kLocal);
    EXPECT_EQ(lookup("198.51.100.7").outcome, net::HopOutcome::kNoNeighbour);
    EXPECT_EQ(lookup("8.8.8.8").outcome, net::HopOutcome::kNoRoute);
    EXPECT_FALSE(state.dirty());
}

TEST_F(Mirrored, AddsAndRemovesARoute) {
    take(route({.prefix = "0.0.0.0", .len = 0}, kEth0, "198.51.100.254"));
    EXPECT_TRUE(state.dirty());
    EXPECT_TRUE(lookup("8.8.8.8").ok());
    state.clear_dirty();
    take(route({.prefix = "0.0.0.0", .len = 0}, kEth0, "198.51.100.254"));
    EXPECT_FALSE(state.dirty());
    take(route({.prefix = "0.0.0.0", .len = 0, .type = RTM_DELROUTE}, kEth0, "198.51.100.254"));
    EXPECT_TRUE(state.dirty());
    EXPECT_EQ(lookup("8.8.8.8").outcome, net::HopOutcome::kNoRoute);
    EXPECT_FALSE(state.routes_doubtful());
}

TEST_F(Mirrored, ReplaceTakesThePlace) {
    take(route({.prefix = "0.0.0.0", .len = 0}, kEth0, "198.51.100.254"));
    take(route({.prefix = "0.0.0.0", .len = 0, .flags = NLM_F_REPLACE}, kEth1, "203.0.113.254"));
    EXPECT_EQ(lookup("8.8.8.8").port, 1);
    EXPECT_FALSE(state.routes_doubtful());
    EXPECT_EQ(state.route_count(), 2U);
}

TEST_F(Mirrored, MetricsAreRoutesOfTheirOwn) {
    take(route({.prefix = "0.0.0.0", .len = 0, .metric = 200}, kEth0, "198.51.100.254"));
    take(route({.prefix = "0.0.0.0", .len = 0, .metric = 100}, kEth1, "203.0.113.254"));
    EXPECT_EQ(lookup("8.8.8.8").port, 1);
    take(route({.prefix = "0.0.0.0", .len = 0, .metric = 100, .type = RTM_DELROUTE}, kEth1,
               "203.0.113.254"));
    EXPECT_EQ(lookup("8.8.8.8").port, 0);
}

TEST_F(Mirrored, WhatIsNotPlainAsksForADump) {
    take(route({.prefix = "0.0.0.0", .len = 0}, kEth0, "198.51.100.254"));
    ASSERT_FALSE(state.routes_doubtful());
    // Appended behind it, or a path added to it.
    const Message second =
        route({.prefix = "0.0.0.0", .len = 0, .flags = NLM_F_APPEND}, kEth1, "203.0.113.254");
    take(second);
    EXPECT_TRUE(state.routes_doubtful());
    EXPECT_EQ(lookup("8.8.8.8").port, 0);
    const Message connected = route({.prefix = "198.51.100.0", .len = 24}, kEth0);
    const Message first = route({.prefix = "0.0.0.0", .len = 0}, kEth0, "198.51.100.254");
    dump_routes({&connected, &first, &second});
    EXPECT_FALSE(state.routes_doubtful());
    EXPECT_EQ(lookup("8.8.8.8").port, 0);
    // The first is removed: the second, which was never stored, takes over only by a dump.
    take(route({.prefix = "0.0.0.0", .len = 0, .type = RTM_DELROUTE}, kEth0, "198.51.100.254"));
    EXPECT_TRUE(state.routes_doubtful());
    dump_routes({&connected, &second});
    EXPECT_EQ(lookup("8.8.8.8").port, 1);
}

TEST_F(Mirrored, SilentRemovalsAskForADump) {
    take(route({.prefix = "0.0.0.0", .len = 0}, kEth0, "198.51.100.254"));
    take(own_address(kEth0, "198.51.100.1", 24, RTM_DELADDR));
    EXPECT_TRUE(state.routes_doubtful());
    dump_routes({});
    EXPECT_FALSE(state.routes_doubtful());
    EXPECT_EQ(lookup("198.51.100.254").outcome, net::HopOutcome::kNoRoute);

    take(link(kEth1, "eth1", 0));
    EXPECT_TRUE(state.routes_doubtful());
    dump_routes({});
    take(link(kEth1, "eth1"));  // and up again
    EXPECT_TRUE(state.routes_doubtful());
    dump_routes({});
    take(Message(RTM_NEWNEXTHOP));
    EXPECT_TRUE(state.routes_doubtful());
}

TEST_F(Mirrored, ADumpThatChangesNothingIsNotDirty) {
    const Message connected = route({.prefix = "198.51.100.0", .len = 24}, kEth0);
    dump_routes({&connected});
    EXPECT_FALSE(state.dirty());
    dump_routes({});
    EXPECT_TRUE(state.dirty());
}

TEST_F(Mirrored, ADumpOfOneFamilyLeavesTheOther) {
    take(route({.prefix = "2001:db8::", .len = 64}, kEth0));
    dump_routes({});
    EXPECT_EQ(state.route_count(), 0U);
    take(route({.prefix = "2001:db8::", .len = 64}, kEth0));
    state.begin_dump(DumpKind::kRoutesV4);
    state.end_dump(DumpKind::kRoutesV4);
    EXPECT_EQ(state.route_count(), 1U);
}

TEST_F(Mirrored, Ipv6RoutesOfOnePrefixByTwoLinksAreTwo) {
    take(neighbour(kEth0, "fe80::9", NUD_STALE, 9));
    take(neighbour(kEth1, "fe80::9", NUD_STALE, 10));
    take(route({.prefix = "fe80::", .len = 64, .metric = 256}, kEth0));
    take(route({.prefix = "fe80::", .len = 64, .metric = 256}, kEth1));
    EXPECT_FALSE(state.routes_doubtful());
    EXPECT_EQ(lookup("fe80::9", 0).dst_mac[5], 9);
    EXPECT_EQ(lookup("fe80::9", 1).dst_mac[5], 10);
    take(route({.prefix = "fe80::", .len = 64, .metric = 256, .type = RTM_DELROUTE}, kEth1));
    EXPECT_FALSE(state.routes_doubtful());
    EXPECT_TRUE(lookup("fe80::9", 0).ok());
    EXPECT_FALSE(lookup("fe80::9", 1).ok());
}

TEST_F(Mirrored, RoutersHeardOnTwoLinksAreBothUsed) {
    take(neighbour(kEth0, "fe80::1", NUD_STALE, 1));
    take(neighbour(kEth1, "fe80::2", NUD_STALE, 2));
    const Message by_eth0 = route({.prefix = "::", .len = 0, .metric = 1024}, kEth0, "fe80::1");
    const Message by_eth1 = route({.prefix = "::", .len = 0, .metric = 1024}, kEth1, "fe80::2");
    dump_routes({}, {&by_eth0, &by_eth1});
    EXPECT_EQ(lookup("2001:db8::1", 0).dst_mac[5], 1);
    EXPECT_EQ(lookup("2001:db8::1", 1).dst_mac[5], 2);
    take(route({.prefix = "::", .len = 0, .metric = 1024, .type = RTM_DELROUTE}, kEth1, "fe80::2"));
    EXPECT_TRUE(state.routes_doubtful());
    dump_routes({}, {&by_eth0});
    EXPECT_EQ(lookup("2001:db8::1", 1).dst_mac[5], 1);
}

TEST_F(Mirrored, DeadPathsAreNotUsed) {
    Message m = route_head({.prefix = "0.0.0.0", .len = 0});
    nlattr* paths = m.nest(RTA_MULTIPATH);
    m.path(kEth0, ip("198.51.100.254"), RTNH_F_DEAD).path(kEth1, ip("203.0.113.254"));
    m.end(paths);
    take(m);
    EXPECT_EQ(lookup("8.8.8.8", 0).port, 1);
}

TEST_F(Mirrored, NeighboursComeChangeAndGo) {
    take(neighbour(kEth0, "198.51.100.7", NUD_INCOMPLETE, 0));
    EXPECT_FALSE(state.dirty());
    take(neighbour(kEth0, "198.51.100.7", NUD_REACHABLE, 7));
    EXPECT_TRUE(state.dirty());
    EXPECT_TRUE(state.neighbour_usable({kEth0, ip("198.51.100.7")}));
    EXPECT_EQ(lookup("198.51.100.7").dst_mac[5], 7);
    state.clear_dirty();
    take(neighbour(kEth0, "198.51.100.7", NUD_STALE, 7));
    EXPECT_FALSE(state.dirty());
    take(neighbour(kEth0, "198.51.100.7", NUD_REACHABLE, 8));
    EXPECT_TRUE(state.dirty());
    EXPECT_EQ(lookup("198.51.100.7").dst_mac[5], 8);
    state.clear_dirty();
    take(neighbour(kEth0, "198.51.100.7", NUD_FAILED, 0));
    EXPECT_TRUE(state.dirty());
    EXPECT_EQ(lookup("198.51.100.7").outcome, net::HopOutcome::kNoNeighbour);
}

TEST_F(Mirrored, TellsOfInterfaces) {
    take(own_address(kEth0, "2001:db8::1", 64));
    const auto eth0 = state.interface("eth0");
    ASSERT_TRUE(eth0);
    EXPECT_EQ(eth0->ifindex, kEth0);
    EXPECT_TRUE(eth0->up);
    EXPECT_EQ(eth0->mtu, 1500U);
    EXPECT_EQ(eth0->mac[5], kEth0);
    EXPECT_EQ(eth0->addresses.size(), 2U);
    EXPECT_TRUE(eth0->has(ip("198.51.100.1")));
    EXPECT_TRUE(eth0->has(ip("2001:db8::1")));
    EXPECT_FALSE(eth0->has(ip("198.51.100.2")));
    EXPECT_TRUE(state.interface(kEth1)->addresses.empty());
    EXPECT_FALSE(state.interface("eth2"));

    take(own_address(kEth0, "2001:db8::1", 64).u32(IFA_FLAGS, IFA_F_DADFAILED));
    EXPECT_FALSE(state.interface("eth0")->has(ip("2001:db8::1")));
    take(link(kEth0, "eth0", IFF_UP));  // the cable is pulled
    EXPECT_FALSE(state.interface("eth0")->up);
    EXPECT_TRUE(state.interface("eth0")->admin_up);
    take(link(kEth0, "eth0", 0, RTM_DELLINK));
    EXPECT_FALSE(state.interface("eth0"));
    EXPECT_FALSE(state.neighbour_usable({kEth0, ip("198.51.100.254")}));
    EXPECT_TRUE(state.neighbour_usable({kEth1, ip("203.0.113.254")}));
}

TEST_F(Mirrored, DumpsTakeAwayWhatTheyDoNotName) {
    state.begin_dump(DumpKind::kLinks);
    take(link(kEth0, "eth0"));
    state.end_dump(DumpKind::kLinks);
    EXPECT_TRUE(state.interface("eth0"));
    EXPECT_FALSE(state.interface("eth1"));
    state.begin_dump(DumpKind::kNeighbours);
    take(neighbour(kEth1, "203.0.113.254", NUD_REACHABLE, 253));
    state.end_dump(DumpKind::kNeighbours);
    EXPECT_EQ(state.neighbour_count(), 1U);
    state.begin_dump(DumpKind::kAddresses);
    state.abort_dump();  // broken off: nothing is known to be gone
    EXPECT_TRUE(state.interface("eth0")->has(ip("198.51.100.1")));
    state.begin_dump(DumpKind::kAddresses);
    state.end_dump(DumpKind::kAddresses);
    EXPECT_FALSE(state.interface("eth0")->has(ip("198.51.100.1")));
}

TEST_F(Mirrored, GatewaysOfOurPortsAreNamedOnce) {
    take(route({.prefix = "0.0.0.0", .len = 0}, kEth0, "198.51.100.254"));
    take(route({.prefix = "10.0.0.0", .len = 8}, kEth0, "198.51.100.254"));
    take(route({.prefix = "10.1.0.0", .len = 16}, kEth1, "203.0.113.254"));
    take(route({.prefix = "10.2.0.0", .len = 16}, 99, "192.0.2.254"));
    const std::vector<LinkAddress> expected{{kEth0, ip("198.51.100.254")},
                                            {kEth1, ip("203.0.113.254")}};
    EXPECT_EQ(state.gateways(kPorts), expected);
}

}  // namespace
}  // namespace pinhole::netlink
