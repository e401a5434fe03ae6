// SPDX-License-Identifier: BSD-3-Clause
// The mirror against the running kernel: an edge and a peer, each in a network namespace of its
// own, with two veth pairs between them. The namespaces have no names and live in processes, so
// that nothing is left behind however a test ends. Needs root and iproute2, and fails without them.
#include "control/netlink/mirror.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>

namespace pinhole::netlink {
namespace {

Address ip(const char* text) {
    return *net::parse_address(text);
}

std::uint64_t now_ms() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

bool run(const std::string& command) {
    return std::system(command.c_str()) == 0;
}

std::string output_of(const std::string& command) {
    std::string text;
    FILE* pipe = popen(command.c_str(), "r");
    char buffer[512];
    while (pipe != nullptr && fgets(buffer, sizeof buffer, pipe) != nullptr) {
        text += buffer;
    }
    if (pipe != nullptr) {
        pclose(pipe);
    }
    return text;
}

class Live : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(geteuid(), 0U) << "this test makes network namespaces: run it as root";
        ASSERT_EQ(unshare(CLONE_NEWNET), 0);
        start_peer();
        ASSERT_TRUE(run("ip link set lo up"));
        const std::string peer = std::to_string(peer_);
        for (const char* n : {"0", "1"}) {
            const std::string i = n;
            ASSERT_TRUE(
                run("ip link add eth" + i + " type veth peer name peer" + i + " netns " + peer));
            ASSERT_TRUE(run("ip addr add 198.51.10" + i + ".1/24 dev eth" + i));
            ASSERT_TRUE(run("ip -6 addr add 2001:db8:" + i + "::1/64 dev eth" + i + " nodad"));
            ASSERT_TRUE(run("ip link set eth" + i + " up"));
            ASSERT_TRUE(at_peer("ip link set peer" + i + " address 02:00:00:00:09:0" + i + " up"));
            ASSERT_TRUE(at_peer("ip addr add 198.51.10" + i + ".254/24 dev peer" + i));
            ASSERT_TRUE(
                at_peer("ip -6 addr add 2001:db8:" + i + "::254/64 dev peer" + i + " nodad"));
        }
        std::string error;
        mirror = Mirror::open(error);
        ASSERT_NE(mirror, nullptr) << error;
        eth0 = mirror->interface("eth0")->ifindex;
        eth1 = mirror->interface("eth1")->ifindex;
        const net::PortInterface ports[] = {{eth0, 0}, {eth1, 1}};
        mirror->set_ports(ports);
        until([&] { return mirror->interface("eth0")->up && mirror->interface("eth1")->up; });
    }
    void TearDown() override {
        mirror.reset();
        if (peer_ > 0) {
            kill(peer_, SIGKILL);
            waitpid(peer_, nullptr, 0);
        }
    }

    // A process that only holds a namespace, and dies with us.
    void start_peer() {
        int ready[2];
        ASSERT_EQ(pipe(ready), 0);
        peer_ = fork();
        if (peer_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            const char ok = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
            (void)!write(ready[1], &ok, 1);
            for (;;) {
                pause();
            }
        }
        char ok = 'n';
        ASSERT_EQ(read(ready[0], &ok, 1), 1);
        ASSERT_EQ(ok, 'y');
        close(ready[0]);
        close(ready[1]);
    }
    bool at_peer(const std::string& command) const {
        return run("nsenter -t " + std::to_string(peer_) + " -n " + command);
    }

    // Lets the mirror work until the condition holds; the test fails if it never does.
    void until(const std::function<bool()>& condition) {
        const std::uint64_t give_up = now_ms() + 30'000;
        while (!condition()) {
            ASSERT_LT(now_ms(), give_up) << "still not so";
            pollfd poller{mirror->poll_fd(), POLLIN, 0};
            poll(&poller, 1, 20);
            mirror->process(now_ms());
            if (mirror->build_due(now_ms())) {
                fib = mirror->build_fib(now_ms());
            }
        }
    }
    net::Hop lookup(const char* dst, net::PortIndex preferred = 0) const {
        return fib.lookup(ip(dst), preferred);
    }

    std::unique_ptr<Mirror> mirror;
    net::Fib fib;
    std::uint32_t eth0 = 0;
    std::uint32_t eth1 = 0;

  private:
    pid_t peer_ = -1;
};

TEST_F(Live, KnowsTheInterfaces) {
    const auto info = mirror->interface("eth0");
    ASSERT_TRUE(info);
    EXPECT_TRUE(info->has(ip("198.51.100.1")));
    EXPECT_TRUE(info->has(ip("2001:db8:0::1")));
    EXPECT_EQ(info->mtu, 1500U);
    EXPECT_NE(info->mac, Mac{});
    EXPECT_FALSE(info->no_arp);
    EXPECT_TRUE(mirror->interface("lo")->no_arp);
    EXPECT_FALSE(mirror->interface("eth9"));
    ASSERT_TRUE(run("ip addr add 198.51.100.9/24 dev eth0 && ip link set eth0 mtu 1400"));
    until([&] {
        return mirror->interface("eth0")->has(ip("198.51.100.9")) &&
               mirror->interface("eth0")->mtu == 1400;
    });
}

TEST_F(Live, HasTheKernelResolveANeighbour) {
    for (const char* dst : {"198.51.100.254", "2001:db8:0::254"}) {
        until([&] { return lookup(dst).outcome == net::HopOutcome::kNoNeighbour; });
        const net::Hop hop = lookup(dst);
        mirror->resolve(hop.ifindex, hop.next_hop, now_ms());
        until([&] { return lookup(dst).ok(); });
        EXPECT_EQ(lookup(dst).dst_mac, (Mac{2, 0, 0, 0, 9, 0}));
        EXPECT_EQ(lookup(dst).src_mac, mirror->interface("eth0")->mac);
    }
    EXPECT_EQ(mirror->resolve_errno(), 0);
    // Asked for once, not for ever.
    EXPECT_EQ(output_of("ip neigh show 198.51.100.254").find("managed"), std::string::npos);
}

// Our packets don't pass through the kernel, so that nothing but a question of ours has it notice
// that a neighbour has moved to another MAC.
TEST_F(Live, ChecksNeighboursThatHaveGrownStale) {
    const std::string timers = "/proc/sys/net/ipv4/neigh/eth0/";
    ASSERT_TRUE(run("echo 300 > " + timers + "base_reachable_time_ms"));
    ASSERT_TRUE(run("echo 1 > " + timers + "delay_first_probe_time"));
    ASSERT_TRUE(run("echo 100 > " + timers + "retrans_time_ms"));
    const auto resolved_to = [&](const Mac& mac) {
        const net::Hop hop = lookup("198.51.100.254");
        if (hop.outcome == net::HopOutcome::kNoNeighbour) {
            mirror->resolve(hop.ifindex, hop.next_hop, now_ms());
        }
        return hop.ok() && hop.dst_mac == mac;
    };
    until([&] { return resolved_to({2, 0, 0, 0, 9, 0}); });
    // Long enough for the kernel to lose interest of its own.
    const std::uint64_t settled = now_ms() + 5'000;
    until([&] { return now_ms() > settled; });
    ASSERT_TRUE(at_peer("ip link set peer0 address 02:00:00:00:07:07"));
    until([&] { return resolved_to({2, 0, 0, 0, 7, 7}); });
}

TEST_F(Live, KeepsGatewaysResolvedUnasked) {
    ASSERT_TRUE(run("ip route add default via 198.51.100.254"));
    ASSERT_TRUE(run("ip -6 route add default via 2001:db8:1::254"));
    until([&] { return lookup("8.8.8.8").ok() && lookup("2001:4860::1").ok(); });
    EXPECT_EQ(lookup("8.8.8.8").dst_mac, (Mac{2, 0, 0, 0, 9, 0}));
    EXPECT_EQ(lookup("2001:4860::1").port, 1);
    EXPECT_NE(output_of("ip neigh show 198.51.100.254").find("managed"), std::string::npos);
    // A worker's question doesn't end that.
    mirror->resolve(eth0, ip("198.51.100.254"), now_ms());
    EXPECT_NE(output_of("ip neigh show 198.51.100.254").find("managed"), std::string::npos);
    // The route goes, and the kernel may forget.
    ASSERT_TRUE(run("ip route del default"));
    until([&] { return lookup("8.8.8.8").outcome == net::HopOutcome::kNoRoute; });
    EXPECT_EQ(output_of("ip neigh show 198.51.100.254").find("managed"), std::string::npos);
    EXPECT_NE(output_of("ip -6 neigh show 2001:db8:1::254").find("managed"), std::string::npos);
    mirror.reset();
    EXPECT_EQ(output_of("ip -6 neigh show 2001:db8:1::254").find("managed"), std::string::npos);
}

// What is asked for takes the place of what was: a peer that is no next hop any more is let go.
TEST_F(Live, KeepsResolvedWhatWasLastAskedFor) {
    const LinkAddress first{eth0, ip("198.51.100.254")};
    const LinkAddress second{eth1, ip("198.51.101.254")};
    const auto managed = [](const char* address) {
        return output_of(std::string("ip neigh show ") + address).find("managed") !=
               std::string::npos;
    };
    mirror->keep_resolved({first});
    EXPECT_TRUE(managed("198.51.100.254"));
    mirror->keep_resolved({first, second});
    EXPECT_TRUE(managed("198.51.100.254"));
    EXPECT_TRUE(managed("198.51.101.254"));
    mirror->keep_resolved({second});
    EXPECT_FALSE(managed("198.51.100.254"));
    EXPECT_TRUE(managed("198.51.101.254"));
}

TEST_F(Live, FollowsRoutesThatAreReplaced) {
    ASSERT_TRUE(run("ip route add default via 198.51.100.254"));
    until([&] { return lookup("8.8.8.8").ok(); });
    ASSERT_TRUE(run("ip route replace default via 198.51.101.254"));
    until([&] { return lookup("8.8.8.8").ok() && lookup("8.8.8.8").port == 1; });
    ASSERT_TRUE(run("ip route add 8.8.0.0/16 via 198.51.100.254 mtu 1280"));
    until([&] { return lookup("8.8.8.8").ok() && lookup("8.8.8.8").port == 0; });
    EXPECT_EQ(lookup("8.8.8.8").mtu, 1280);
    EXPECT_EQ(lookup("8.9.8.8").port, 1);
    ASSERT_TRUE(run("ip route add blackhole 8.8.8.0/24"));
    until([&] { return lookup("8.8.8.8").outcome == net::HopOutcome::kRefused; });
}

TEST_F(Live, FollowsEqualPathsOfBothFamilies) {
    const auto both = [&](const char* dst) {
        return lookup(dst, 0).ok() && lookup(dst, 1).ok() && lookup(dst, 0).port == 0 &&
               lookup(dst, 1).port == 1;
    };
    ASSERT_TRUE(run("ip route add default nexthop via 198.51.100.254 nexthop via 198.51.101.254"));
    ASSERT_TRUE(
        run("ip -6 route add default nexthop via 2001:db8:0::254 nexthop via 2001:db8:1::254"));
    until([&] { return both("8.8.8.8") && both("2001:4860::1"); });
    // One path of IPv6's is removed by a message that looks like that of a whole route.
    ASSERT_TRUE(run("ip -6 route del default via 2001:db8:0::254 dev eth0"));
    until([&] { return lookup("2001:4860::1", 0).ok() && lookup("2001:4860::1", 0).port == 1; });
    ASSERT_TRUE(run("ip -6 route append default via 2001:db8:0::254 dev eth0"));
    until([&] { return both("2001:4860::1"); });
}

TEST_F(Live, HearsOfWhatGoesSilently) {
    ASSERT_TRUE(run("ip route add default via 198.51.100.254 metric 10"));
    ASSERT_TRUE(run("ip route add default via 198.51.101.254 metric 20"));
    until([&] { return lookup("8.8.8.8").ok() && lookup("8.8.8.8").port == 0; });
    ASSERT_TRUE(run("ip link set eth0 down"));
    until([&] { return lookup("8.8.8.8").ok() && lookup("8.8.8.8").port == 1; });
    ASSERT_TRUE(run("ip link set eth0 up && ip route add default via 198.51.100.254 metric 10"));
    // Its gateway was forgotten with the link, and is asked for again.
    until([&] { return lookup("8.8.8.8").ok() && lookup("8.8.8.8").port == 0; });
    ASSERT_TRUE(run("ip addr del 198.51.100.1/24 dev eth0"));
    until([&] { return lookup("8.8.8.8").ok() && lookup("8.8.8.8").port == 1; });
    EXPECT_FALSE(fib.is_local(ip("198.51.100.1")));
}

TEST_F(Live, FollowsNexthopObjects) {
    ASSERT_TRUE(run("ip nexthop add id 1 via 198.51.100.254 dev eth0"));
    ASSERT_TRUE(run("ip route add default nhid 1"));
    until([&] { return lookup("8.8.8.8").ok() && lookup("8.8.8.8").port == 0; });
    ASSERT_TRUE(run("ip nexthop replace id 1 via 198.51.101.254 dev eth1"));
    until([&] { return lookup("8.8.8.8").ok() && lookup("8.8.8.8").port == 1; });
    ASSERT_TRUE(run("ip nexthop del id 1"));
    until([&] { return lookup("8.8.8.8").outcome == net::HopOutcome::kNoRoute; });
}

TEST_F(Live, RecoversFromAnOverrun) {
    // More news than the socket holds, while nobody reads.
    ASSERT_TRUE(
        run("for i in $(seq 0 69); do for j in $(seq 0 255); do "
            "echo route add 10.$i.$j.0/24 via 198.51.100.254; done; done | ip -batch -"));
    ASSERT_TRUE(
        run("for i in $(seq 0 69); do for j in $(seq 0 255); do "
            "echo route replace 10.$i.$j.0/24 via 198.51.101.254; done; done | ip -batch -"));
    until([&] {
        return mirror->overruns() != 0 && lookup("10.69.255.1").ok() &&
               lookup("10.69.255.1").port == 1;
    });
    EXPECT_EQ(lookup("10.0.0.1").port, 1);
    EXPECT_GE(mirror->state().route_count(), 17920U);
    EXPECT_GT(mirror->redumps(), 0U);
}

}  // namespace
}  // namespace pinhole::netlink
