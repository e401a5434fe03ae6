// SPDX-License-Identifier: BSD-3-Clause
// The kernel's side without EAL: a TAP that looks like the port, and bound sockets that keep ICMP
// away.
#include "dataplane/io/device_check.h"
#include "dataplane/io/device_kernel.h"
#include "dataplane/io/silence.h"
#include "dataplane/io/tap.h"
#include "tests/eal/io/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace pinhole::io {
namespace {

using testing::HasSubstr;

const net::Address kLoopback = net::Address::v4(0x7f000001);
const net::Endpoint kSip{kLoopback, 5060};
const net::Endpoint kSip6{*net::parse_address("::1"), 5060};

class KernelPath : public testing::Test {
  public:
    static void SetUpTestSuite() { enter_own_namespace(); }
};

// Sends two datagrams to 127.0.0.1:5060 by a connected socket; whether the second met an ICMP error
// of the first.
bool refused_by_kernel() {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(5060);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    EXPECT_EQ(send(fd, "one", 3, 0), 3);
    const bool refused = send(fd, "two", 3, 0) < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

TEST_F(KernelPath, SilenceKeepsIcmpAway) {
    EXPECT_TRUE(refused_by_kernel())
        << "without the socket the kernel answers, or this test tests nothing";
    SilenceSockets sockets(SilenceMode::kSilent);
    ASSERT_TRUE(sockets.set(std::array{kSip, kSip6}).ok());
    EXPECT_EQ(sockets.size(), 2U);
    EXPECT_FALSE(refused_by_kernel());
    pollfd p{sockets.fd(0), POLLIN, 0};
    EXPECT_EQ(poll(&p, 1, 50), 0) << "nothing is queued";
    // An address that goes takes its socket along; one that comes gets its own, also before it is
    // up.
    const net::Endpoint later{net::Address::v4(0xc6336401), 5060};
    ASSERT_TRUE(sockets.set(std::array{later}).ok());
    EXPECT_EQ(sockets.size(), 1U);
    EXPECT_TRUE(refused_by_kernel());
}

TEST_F(KernelPath, PortInUseIsASentence) {
    SilenceSockets first(SilenceMode::kSilent);
    ASSERT_TRUE(first.set(std::array{kSip}).ok());
    SilenceSockets second(SilenceMode::kSilent);
    const Status taken = second.set(std::array{kSip});
    ASSERT_FALSE(taken.ok());
    EXPECT_EQ(taken.error().code, ErrorCode::kBusy);
    EXPECT_THAT(taken.error().message, HasSubstr("127.0.0.1:5060"));
    const net::Endpoint v6{*net::parse_address("::1"), 5060};
    SilenceSockets third(SilenceMode::kSilent);
    ASSERT_TRUE(third.set(std::array{v6}).ok());
    EXPECT_THAT(second.set(std::array{v6}).error().message, HasSubstr("[::1]:5060"));
}

// One address that cannot be had leaves the others none the worse.
TEST_F(KernelPath, PortInUseAtOneAddressCostsThatAddressAlone) {
    SilenceSockets first(SilenceMode::kSilent);
    ASSERT_TRUE(first.set(std::array{kSip}).ok());
    SilenceSockets second(SilenceMode::kSilent);
    const Status taken = second.set(std::array{kSip, kSip6});
    ASSERT_FALSE(taken.ok());
    EXPECT_THAT(taken.error().message, HasSubstr("127.0.0.1:5060"));
    EXPECT_EQ(second.size(), 1U) << "[::1]:5060";
    ASSERT_TRUE(first.set({}).ok());
    EXPECT_TRUE(second.set(std::array{kSip, kSip6}).ok()) << "asked for again, it is there";
    EXPECT_EQ(second.size(), 2U);
}

TEST_F(KernelPath, ListeningGivesDatagramsWithBothEnds) {
    SilenceSockets sockets(SilenceMode::kListening);
    ASSERT_TRUE(sockets.set(std::array{kSip, kSip6}).ok());
    std::array<std::byte, 16> buffer;
    EXPECT_FALSE(sockets.read_datagram(0, buffer).has_value());
    for (const std::size_t i : {0U, 1U}) {
        SilenceSockets sender(SilenceMode::kListening);
        const net::Endpoint from{i == 0 ? kLoopback : kSip6.address, 40000};
        ASSERT_TRUE(sender.set(std::array{from}).ok());
        sockaddr_storage to{};
        if (i == 0) {
            auto& v4 = reinterpret_cast<sockaddr_in&>(to);
            v4 = {AF_INET, htons(5060), {htonl(INADDR_LOOPBACK)}, {}};
        } else {
            auto& v6 = reinterpret_cast<sockaddr_in6&>(to);
            v6.sin6_family = AF_INET6;
            v6.sin6_port = htons(5060);
            v6.sin6_addr = in6addr_loopback;
        }
        ASSERT_EQ(sendto(sender.fd(0), "ping", 4, 0, reinterpret_cast<sockaddr*>(&to),
                         i == 0 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)),
                  4);
        const auto datagram = sockets.read_datagram(i, buffer);
        ASSERT_TRUE(datagram.has_value());
        EXPECT_EQ(datagram->from, from);
        EXPECT_EQ(datagram->to, i == 0 ? kSip : kSip6);
        EXPECT_EQ(datagram->length, 4U);
        EXPECT_EQ(datagram->ifindex, if_nametoindex("lo"));
        EXPECT_FALSE(datagram->truncated);
    }
}

TEST_F(KernelPath, TapLooksLikeThePortAndCarriesFrames) {
    const Mac mac{0x02, 1, 2, 3, 4, 5};
    {
        auto opened = Tap::open("ph-test", mac, 1400);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        Tap& tap = **opened;
        auto facts = kernel_interface("ph-test");
        ASSERT_TRUE(facts.ok());
        EXPECT_EQ(facts->mac, mac);
        EXPECT_EQ(facts->mtu, 1400U);
        EXPECT_EQ(facts->ifindex, tap.ifindex());
        EXPECT_NE(facts->flags & IFF_UP, 0U);
        ASSERT_TRUE(run("ip addr add 10.8.0.1/24 dev ph-test"));
        // An ARP request for the TAP's address in; the kernel's answer out.
        const unsigned char request[] = {
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 9,  9, 9, 9, 9, 8, 6, 0, 1, 8, 0,  6, 4, 0,
            1,    2,    9,    9,    9,    9,    9, 10, 8, 0, 2, 0, 0, 0, 0, 0, 0, 10, 8, 0, 1};
        ASSERT_TRUE(tap.write_frame(std::as_bytes(std::span(request))));
        bool answered = false;
        for (int i = 0; i < 50 && !answered; ++i) {
            pollfd p{tap.fd(), POLLIN, 0};
            poll(&p, 1, 100);
            std::array<std::byte, 2048> frame;
            const std::size_t n = tap.read_frame(frame);
            // ARP, an answer, by the TAP's MAC.
            answered = n >= 42 && frame[13] == std::byte{6} && frame[21] == std::byte{2} &&
                       frame[27] == std::byte{5};
        }
        EXPECT_TRUE(answered);
        EXPECT_FALSE(Tap::open("ph-test", mac, 1400).ok()) << "one holder at a time";
    }
    EXPECT_EQ(if_nametoindex("ph-test"), 0U);
    EXPECT_FALSE(Tap::open("name-longer-than-15", mac, 1400).ok());
}

TEST_F(KernelPath, LackOfPermissionIsASentence) {
    ASSERT_TRUE(run("ip link add plain type veth peer name plain-peer"));
    ASSERT_EQ(seteuid(65534), 0);
    const Status port = check_device({DeviceKind::kAfPacket, "plain"});
    const Status xdp = check_device({DeviceKind::kAfXdp, "plain"});
    const auto tap = Tap::open("ph-plain", Mac{2}, 1500);
    SilenceSockets low(SilenceMode::kSilent);
    const Status bound = low.set(std::array{net::Endpoint{kLoopback, 506}});
    ASSERT_EQ(seteuid(0), 0);
    run("ip link del plain");
    ASSERT_FALSE(port.ok());
    EXPECT_EQ(port.error().code, ErrorCode::kNoPermission);
    EXPECT_THAT(port.error().message,
                HasSubstr("af_packet:plain needs CAP_NET_RAW and CAP_NET_ADMIN: "));
    EXPECT_THAT(xdp.error().message, HasSubstr("CAP_SYS_ADMIN"));
    ASSERT_FALSE(tap.ok());
    EXPECT_EQ(tap.error().code, ErrorCode::kNoPermission);
    EXPECT_THAT(tap.error().message, HasSubstr("CAP_NET_ADMIN"));
    ASSERT_FALSE(bound.ok());
    EXPECT_EQ(bound.error().code, ErrorCode::kNoPermission);
    EXPECT_THAT(check_device({DeviceKind::kAfPacket, "lo"}).error().message,
                HasSubstr("not Ethernet"));
}

TEST_F(KernelPath, MissingInterfaceIsASentence) {
    auto none = kernel_interface("nosuch0");
    ASSERT_FALSE(none.ok());
    EXPECT_EQ(none.error().code, ErrorCode::kMissing);
    EXPECT_THAT(none.error().message, HasSubstr("nosuch0"));
    EXPECT_FALSE(kernel_interface("").ok());
}

}  // namespace
}  // namespace pinhole::io
