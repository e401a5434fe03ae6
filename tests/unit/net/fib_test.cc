// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/fib.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace pinhole::net {
namespace {

Address ip(const char* text) {
    return *parse_address(text);
}

RouteEntry route(const char* prefix, std::uint8_t len, std::uint32_t ifindex,
                 const char* gateway = nullptr, std::uint32_t metric = 0) {
    RouteEntry r;
    r.prefix = ip(prefix);
    r.prefix_len = len;
    r.ifindex = ifindex;
    r.metric = metric;
    if (gateway != nullptr) {
        r.gateway = ip(gateway);
    }
    return r;
}

NeighbourEntry neighbour(const char* address, std::uint32_t ifindex, std::uint8_t mac,
                         bool usable = true) {
    return {ifindex, ip(address), {2, 0, 0, 0, 0, mac}, usable};
}

constexpr std::uint32_t kEth0 = 2;
constexpr std::uint32_t kEth1 = 3;
constexpr std::uint32_t kForeign = 4;
constexpr std::uint32_t kDown = 5;
constexpr std::uint32_t kTunnel = 6;

const std::vector<InterfaceEntry> kInterfaces{
    {kEth0,
     {2, 0, 0, 0, 1, 0},
     1500,
     true,
     false,
     {ip("198.51.100.1"), ip("2001:db8::1"), ip("fe80::1")}},
    {kEth1, {2, 0, 0, 0, 1, 1}, 9000, true, false, {ip("203.0.113.1")}},
    {kForeign, {2, 0, 0, 0, 1, 2}, 1500, true, false, {ip("10.9.0.1")}},
    {kDown, {2, 0, 0, 0, 1, 3}, 1500, false, false, {ip("10.8.0.1")}},
    {kTunnel, {}, 1400, true, true, {ip("10.7.0.1")}},
};
const std::vector<PortInterface> kPorts{{kEth0, 0}, {kEth1, 1}, {kDown, 2}, {kTunnel, 3}};

Fib fib_of(const std::vector<RouteEntry>& routes, const std::vector<NeighbourEntry>& neighbours) {
    return {routes, neighbours, kInterfaces, kPorts};
}

TEST(Fib, AnEmptyOneKnowsNoRoute) {
    const Fib fib;
    EXPECT_EQ(fib.lookup(ip("192.0.2.1"), 0).outcome, HopOutcome::kNoRoute);
    EXPECT_EQ(fib.lookup(ip("2001:db8::1"), 0).outcome, HopOutcome::kNoRoute);
    EXPECT_FALSE(fib.is_local(ip("192.0.2.1")));
}

TEST(Fib, SubnetAndDefaultRoute) {
    const Fib fib =
        fib_of({route("198.51.100.0", 24, kEth0), route("0.0.0.0", 0, kEth0, "198.51.100.254")},
               {neighbour("198.51.100.7", kEth0, 7), neighbour("198.51.100.254", kEth0, 254)});
    Hop hop = fib.lookup(ip("198.51.100.7"), 0);
    ASSERT_TRUE(hop.ok());
    EXPECT_EQ(hop.dst_mac[5], 7);
    EXPECT_EQ(hop.src_mac, (Mac{2, 0, 0, 0, 1, 0}));
    EXPECT_EQ(hop.mtu, 1500);
    EXPECT_EQ(hop.port, 0);
    EXPECT_EQ(hop.ifindex, kEth0);

    hop = fib.lookup(ip("67.194.23.55"), 0);
    ASSERT_TRUE(hop.ok());
    EXPECT_EQ(hop.dst_mac[5], 254);
    EXPECT_EQ(to_string(hop.next_hop), "198.51.100.254");

    EXPECT_EQ(fib.lookup(ip("2001:db8:9::1"), 0).outcome, HopOutcome::kNoRoute);
}

TEST(Fib, SaysWhoseMacIsMissing) {
    const Fib fib =
        fib_of({route("198.51.100.0", 24, kEth0), route("0.0.0.0", 0, kEth0, "198.51.100.254")},
               {neighbour("198.51.100.7", kEth0, 7, false), neighbour("198.51.100.8", kEth1, 8)});
    Hop hop = fib.lookup(ip("198.51.100.7"), 0);
    EXPECT_EQ(hop.outcome, HopOutcome::kNoNeighbour);
    EXPECT_EQ(to_string(hop.next_hop), "198.51.100.7");
    EXPECT_EQ(hop.ifindex, kEth0);
    // Known on another link only.
    EXPECT_EQ(fib.lookup(ip("198.51.100.8"), 0).outcome, HopOutcome::kNoNeighbour);
    hop = fib.lookup(ip("8.8.8.8"), 0);
    EXPECT_EQ(hop.outcome, HopOutcome::kNoNeighbour);
    EXPECT_EQ(to_string(hop.next_hop), "198.51.100.254");
}

TEST(Fib, TellsRefusalsApart) {
    RouteEntry blackhole = route("10.1.0.0", 16, 0);
    blackhole.type = RouteType::kBlackhole;
    RouteEntry unreachable = route("10.2.0.0", 16, 0);
    unreachable.type = RouteType::kUnreachable;
    const Fib fib = fib_of(
        {blackhole, unreachable, route("10.9.0.0", 16, kForeign), route("10.8.0.0", 16, kDown),
         route("10.6.0.0", 16, 99), route("0.0.0.0", 0, kEth0, "198.51.100.254")},
        {neighbour("198.51.100.254", kEth0, 254)});
    EXPECT_EQ(fib.lookup(ip("10.1.2.3"), 0).outcome, HopOutcome::kRefused);
    EXPECT_EQ(fib.lookup(ip("10.2.2.3"), 0).outcome, HopOutcome::kRefused);
    EXPECT_EQ(fib.lookup(ip("10.9.2.3"), 0).outcome, HopOutcome::kNotOurPort);
    EXPECT_EQ(fib.lookup(ip("10.8.2.3"), 0).outcome, HopOutcome::kNoRoute);
    EXPECT_EQ(fib.lookup(ip("10.6.2.3"), 0).outcome, HopOutcome::kNotOurPort);
    EXPECT_TRUE(fib.lookup(ip("10.3.2.3"), 0).ok());
}

TEST(Fib, OwnAddressesAreLocalWhateverTheRoutesSay) {
    const Fib fib =
        fib_of({route("198.51.100.0", 24, kEth0), route("198.51.100.1", 32, kEth1)}, {});
    EXPECT_EQ(fib.lookup(ip("198.51.100.1"), 1).outcome, HopOutcome::kLocal);
    EXPECT_TRUE(fib.is_local(ip("198.51.100.1")));
    EXPECT_TRUE(fib.is_local(ip("2001:db8::1")));
    EXPECT_TRUE(fib.is_local(ip("10.9.0.1")));
    EXPECT_FALSE(fib.is_local(ip("198.51.100.2")));
}

TEST(Fib, TheLowestMetricWins) {
    const Fib fib =
        fib_of({route("0.0.0.0", 0, kEth0, "198.51.100.254", 200),
                route("0.0.0.0", 0, kEth1, "203.0.113.254", 100),
                route("0.0.0.0", 0, kEth0, "198.51.100.253", 300)},
               {neighbour("198.51.100.254", kEth0, 1), neighbour("203.0.113.254", kEth1, 2)});
    const Hop hop = fib.lookup(ip("8.8.8.8"), 0);
    ASSERT_TRUE(hop.ok());
    EXPECT_EQ(hop.port, 1);
    EXPECT_EQ(hop.mtu, 9000);
}

TEST(Fib, EqualPathsAreSharedByDestinationAndPreferTheFlowsPort) {
    const Fib fib = fib_of(
        {route("0.0.0.0", 0, kEth0, "198.51.100.253"), route("0.0.0.0", 0, kEth0, "198.51.100.254"),
         route("0.0.0.0", 0, kForeign, "10.9.0.254"), route("0.0.0.0", 0, kDown, "10.8.0.254")},
        {neighbour("198.51.100.253", kEth0, 253), neighbour("198.51.100.254", kEth0, 254)});
    std::map<std::uint8_t, int> taken;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const Address dst = Address::v4(0x08080000 + i);
        const Hop hop = fib.lookup(dst, 7);
        ASSERT_TRUE(hop.ok());
        EXPECT_EQ(hop.dst_mac, fib.lookup(dst, 7).dst_mac);
        ++taken[hop.dst_mac[5]];
    }
    EXPECT_EQ(taken.size(), 2U);
    EXPECT_GT(taken[253], 300);
    EXPECT_GT(taken[254], 300);

    const Fib two_links = fib_of(
        {route("0.0.0.0", 0, kEth0, "198.51.100.254"), route("0.0.0.0", 0, kEth1, "203.0.113.254")},
        {neighbour("198.51.100.254", kEth0, 1), neighbour("203.0.113.254", kEth1, 2)});
    for (std::uint32_t i = 0; i < 100; ++i) {
        EXPECT_EQ(two_links.lookup(Address::v4(0x08080000 + i), 0).port, 0);
        EXPECT_EQ(two_links.lookup(Address::v4(0x08080000 + i), 1).port, 1);
    }
}

TEST(Fib, MtuIsTheSmallerOfRouteAndInterface) {
    RouteEntry small = route("10.1.0.0", 16, kEth0, "198.51.100.254");
    small.mtu = 1280;
    RouteEntry large = route("10.2.0.0", 16, kEth0, "198.51.100.254");
    large.mtu = 9000;
    const Fib fib = fib_of({small, large}, {neighbour("198.51.100.254", kEth0, 1)});
    EXPECT_EQ(fib.lookup(ip("10.1.1.1"), 0).mtu, 1280);
    EXPECT_EQ(fib.lookup(ip("10.2.1.1"), 0).mtu, 1500);
}

TEST(Fib, TunnelsNeedNoNeighbour) {
    const Hop hop = fib_of({route("10.7.0.0", 16, kTunnel)}, {}).lookup(ip("10.7.1.1"), 3);
    ASSERT_TRUE(hop.ok());
    EXPECT_EQ(hop.dst_mac, Mac{});
    EXPECT_EQ(hop.mtu, 1400);
}

TEST(Fib, Ipv4MayGoByAnIpv6Gateway) {
    const Hop hop =
        fib_of({route("10.1.0.0", 16, kEth0, "fe80::9")}, {neighbour("fe80::9", kEth0, 9)})
            .lookup(ip("10.1.1.1"), 0);
    ASSERT_TRUE(hop.ok());
    EXPECT_EQ(hop.dst_mac[5], 9);
}

TEST(Fib, LinkLocalStaysOnTheFlowsPort) {
    const Fib fib =
        fib_of({route("fe80::", 64, kEth0, nullptr, 256), route("fe80::", 64, kEth1, nullptr, 256)},
               {neighbour("fe80::9", kEth0, 9), neighbour("fe80::9", kEth1, 10)});
    EXPECT_EQ(fib.lookup(ip("fe80::9"), 0).dst_mac[5], 9);
    EXPECT_EQ(fib.lookup(ip("fe80::9"), 1).dst_mac[5], 10);
    EXPECT_EQ(fib.lookup(ip("fe80::9"), 3).outcome, HopOutcome::kNoRoute);
}

TEST(Fib, DefaultRoutesOfTheFamiliesAreTwo) {
    const Fib fib = fib_of({route("::", 0, kEth1, "fe80::9")}, {neighbour("fe80::9", kEth1, 9)});
    EXPECT_EQ(fib.lookup(ip("8.8.8.8"), 0).outcome, HopOutcome::kNoRoute);
    EXPECT_TRUE(fib.lookup(ip("2001:4860::1"), 0).ok());
    EXPECT_EQ(fib.lookup(Address{}, 0).port, 1);
}

// The same, searched through from one end to the other.
bool covers(const RouteEntry& r, const Address& dst) {
    if (r.prefix.is_v4() != dst.is_v4()) {
        return false;
    }
    const unsigned skip = dst.is_v4() ? 96 : 0;
    for (unsigned bit = skip; bit < skip + r.prefix_len; ++bit) {
        const unsigned shift = 7 - bit % 8;
        if ((r.prefix.bytes[bit / 8] >> shift & 1) != (dst.bytes[bit / 8] >> shift & 1)) {
            return false;
        }
    }
    return true;
}
const RouteEntry* naive_lookup(const std::vector<RouteEntry>& routes, const Address& dst) {
    const RouteEntry* best = nullptr;
    for (const RouteEntry& r : routes) {
        if (covers(r, dst) && (best == nullptr || r.prefix_len > best->prefix_len ||
                               (r.prefix_len == best->prefix_len && r.metric < best->metric))) {
            best = &r;
        }
    }
    return best;
}

Address random_address(std::mt19937& random, bool v4) {
    // Few distinct bits at the front, so that prefixes nest and are met.
    Address a = v4 ? Address::v4(0) : Address{};
    for (std::size_t i = v4 ? 12 : 0; i < 16; ++i) {
        a.bytes[i] = static_cast<std::uint8_t>(random() % 4 == 0 ? random() : random() & 0x81U);
    }
    if (!v4) {
        a.bytes[0] &= 0x7f;  // not link-local, which has a rule of its own
    }
    return a;
}

class FibModel : public testing::TestWithParam<bool> {};

TEST_P(FibModel, EqualsALinearSearch) {
    const bool v4 = GetParam();
    std::mt19937 random(7);
    for (int round = 0; round < 20; ++round) {
        std::vector<RouteEntry> routes;
        std::vector<NeighbourEntry> neighbours;
        for (std::uint32_t i = 0; i < 300; ++i) {
            RouteEntry r;
            r.prefix = random_address(random,
                                      v4);  // bits behind the prefix are not zero: they don't count
            r.prefix_len = static_cast<std::uint8_t>(random() % (v4 ? 33 : 129));
            r.metric = i;  // so that no two are equal
            r.ifindex = random() % 2 == 0 ? kEth0 : kEth1;
            r.gateway = Address::v4(0x0a000000 + i);
            routes.push_back(r);
            neighbours.push_back(
                {r.ifindex,
                 *r.gateway,
                 {2, 0, 0, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)},
                 true});
        }
        std::shuffle(routes.begin(), routes.end(), random);
        const Fib fib(routes, neighbours, {}, {});
        const std::vector<InterfaceEntry> links{{kEth0, {}, 1500, true, false, {}},
                                                {kEth1, {}, 1500, true, false, {}}};
        const Fib live(routes, neighbours, links, kPorts);
        for (int i = 0; i < 2000; ++i) {
            const Address dst =
                i % 3 == 0 ? routes[random() % routes.size()].prefix : random_address(random, v4);
            const RouteEntry* expected = naive_lookup(routes, dst);
            const Hop hop = live.lookup(dst, 0);
            ASSERT_EQ(hop.ok(), expected != nullptr);
            if (expected != nullptr) {
                EXPECT_EQ(hop.next_hop, *expected->gateway);
                EXPECT_EQ(hop.dst_mac[4] * 256U + hop.dst_mac[5],
                          expected->gateway->v4_host_order() & 0xffffffU);
                EXPECT_EQ(fib.lookup(dst, 0).outcome, HopOutcome::kNotOurPort);
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Families, FibModel, testing::Bool());

TEST(Fib, CountsWhatItHolds) {
    const Fib fib = fib_of(
        {route("10.0.0.0", 8, kEth0), route("10.0.0.0", 8, kEth1), route("0.0.0.0", 0, kEth0)},
        {neighbour("10.0.0.1", kEth0, 1), neighbour("10.0.0.1", kEth0, 2),
         neighbour("10.0.0.2", kEth0, 1, false)});
    EXPECT_EQ(fib.routes(), 2U + 7U);  // and one for each address of ours
    EXPECT_EQ(fib.neighbours(), 1U);
    EXPECT_EQ(fib.lookup(ip("10.0.0.1"), 0).dst_mac[5], 2);
}

}  // namespace
}  // namespace pinhole::net
