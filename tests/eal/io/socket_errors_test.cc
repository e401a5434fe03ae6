// SPDX-License-Identifier: BSD-3-Clause
// What routers say of our packets, from the wire to us: ICMP frames into a TAP, the kernel's
// checks, and the bound sockets' error queues.
#include "dataplane/io/socket_errors.h"

#include "dataplane/io/silence.h"
#include "dataplane/io/tap.h"
#include "dataplane/net/build.h"
#include "dataplane/net/checksum.h"
#include "tests/eal/io/scene.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace pinhole::io {
namespace {

using net::Address;
using Bytes = std::vector<std::uint8_t>;

const Mac kOwnMac{0x02, 1, 2, 3, 4, 5};
const Address kOwn4 = *net::parse_address("10.8.1.1");
const Address kOwn6 = *net::parse_address("fd08:1::1");
const Address kRouter4 = *net::parse_address("10.8.1.254");
const Address kRouter6 = *net::parse_address("fd08:1::fe");
const Address kPhone4 = *net::parse_address("67.194.23.55");
const Address kPhone6 = *net::parse_address("2001:db8:55:1::11");
constexpr std::uint16_t kSip = 5060;

// An ICMP message's type and code, and the four bytes behind its checksum.
struct Said {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t rest = 0;
};
constexpr Said kFragmentationNeeded{3, 4, 1400};
constexpr Said kPacketTooBig{2, 0, 1300};
constexpr Said kPortUnreachable4{3, 3, 0};
constexpr Said kPortUnreachable6{1, 4, 0};

// What we sent, as a router quotes it: its first bytes.
Bytes quoted(bool v4, std::uint16_t our_port) {
    net::Flow flow;
    flow.ours = v4 ? kOwn4 : kOwn6;
    flow.theirs = v4 ? kPhone4 : kPhone6;
    flow.our_udp_port = our_port;
    flow.their_udp_port = 32947;
    Bytes frame(net::headers_len(v4) + 1400, 'x');
    EXPECT_NE(net::write_headers({}, flow, frame.data(), 1400), 0U);
    return {frame.begin() + net::kEthernetLen, frame.begin() + net::kEthernetLen + 500};
}

void put_checksum(Bytes& icmp, std::uint64_t pseudo) {
    const std::uint16_t sum = net::fold_sum(net::raw_sum(icmp.data(), icmp.size(), pseudo));
    const auto inverted = static_cast<std::uint16_t>(~sum);
    std::memcpy(icmp.data() + 2, &inverted, sizeof inverted);
}

Bytes icmp_frame(bool v4, const Said& said, std::uint16_t our_port = kSip) {
    Bytes icmp(8);
    icmp[0] = said.type;
    icmp[1] = said.code;
    net::store_be32(icmp.data() + 4, said.rest);
    const Bytes quote = quoted(v4, our_port);
    icmp.insert(icmp.end(), quote.begin(), quote.end());

    // The headers of a datagram, and then another protocol in them.
    net::Flow flow;
    flow.ours = v4 ? kRouter4 : kRouter6;
    flow.theirs = v4 ? kOwn4 : kOwn6;
    const std::size_t ip_end = net::headers_len(v4) - net::kUdpLen;
    Bytes frame(net::headers_len(v4) + icmp.size());
    net::HeaderSpec spec;
    spec.dst_mac = kOwnMac;
    spec.src_mac = {0x02, 9, 9, 9, 9, 9};
    EXPECT_NE(net::write_headers(spec, flow, frame.data(), icmp.size() - net::kUdpLen), 0U);
    frame.resize(ip_end + icmp.size());
    std::uint8_t* ip = frame.data() + net::kEthernetLen;
    if (v4) {
        ip[9] = 1;
        net::store_be16(ip + 10, 0);
        const std::uint16_t sum = net::ipv4_header_checksum(ip, net::kIpv4Len);
        std::memcpy(ip + 10, &sum, sizeof sum);
        put_checksum(icmp, 0);
    } else {
        ip[6] = 58;
        std::array<std::uint8_t, 8> tail{};
        net::store_be32(tail.data(), static_cast<std::uint32_t>(icmp.size()));
        tail[7] = 58;
        put_checksum(icmp, net::raw_sum(tail.data(), tail.size(), net::raw_sum(ip + 8, 32)));
    }
    std::copy(icmp.begin(), icmp.end(), frame.begin() + static_cast<std::ptrdiff_t>(ip_end));
    return frame;
}

class SocketErrors : public testing::Test {
  public:
    static void SetUpTestSuite() { enter_own_namespace(); }
    void SetUp() override {
        tap_ = Tap::open("ph-icmp", kOwnMac, 1500).take();
        ASSERT_TRUE(
            run("ip addr add 10.8.1.1/24 dev ph-icmp && "
                "ip addr add fd08:1::1/64 dev ph-icmp nodad && "
                "ip route add default via 10.8.1.254"));
    }
    void send(const Bytes& frame) {
        ASSERT_TRUE(tap_->write_frame(std::as_bytes(std::span(frame))));
    }
    // Whether poll() wakes for an error; at once if it is to.
    static bool has_error(int fd, int wait_ms = 0) {
        pollfd p{fd, 0, 0};
        return poll(&p, 1, wait_ms) == 1 && (p.revents & POLLERR) != 0;
    }

    std::unique_ptr<Tap> tap_;
};

TEST_F(SocketErrors, TellWhatARouterSaid) {
    for (const SilenceMode mode : {SilenceMode::kSilent, SilenceMode::kListening}) {
        SilenceSockets sockets(mode);
        ASSERT_TRUE(
            sockets.set(std::array{net::Endpoint{kOwn4, kSip}, net::Endpoint{kOwn6, kSip}}).ok());
        for (const bool v4 : {true, false}) {
            const int fd = sockets.fd(v4 ? 0 : 1);
            EXPECT_FALSE(has_error(fd));
            EXPECT_FALSE(read_socket_error(fd).has_value());
            send(icmp_frame(v4, v4 ? kFragmentationNeeded : kPacketTooBig));
            ASSERT_TRUE(has_error(fd, 1000)) << "IPv" << (v4 ? 4 : 6);
            const auto error = read_socket_error(fd);
            ASSERT_TRUE(error.has_value());
            EXPECT_TRUE(error->too_big);
            EXPECT_EQ(error->mtu, v4 ? 1400U : 1300U);
            EXPECT_EQ(error->destination, v4 ? kPhone4 : kPhone6);
            EXPECT_FALSE(read_socket_error(fd).has_value());
            EXPECT_FALSE(has_error(fd));
        }
    }
}

TEST_F(SocketErrors, OfAnotherKindAreNoPathMtu) {
    SilenceSockets sockets(SilenceMode::kSilent);
    ASSERT_TRUE(
        sockets.set(std::array{net::Endpoint{kOwn4, kSip}, net::Endpoint{kOwn6, kSip}}).ok());
    for (const bool v4 : {true, false}) {
        const int fd = sockets.fd(v4 ? 0 : 1);
        send(icmp_frame(v4, v4 ? kPortUnreachable4 : kPortUnreachable6));
        ASSERT_TRUE(has_error(fd, 1000));
        const auto error = read_socket_error(fd);
        ASSERT_TRUE(error.has_value());
        EXPECT_FALSE(error->too_big);
        EXPECT_EQ(error->mtu, 0U);
        EXPECT_EQ(error->destination, v4 ? kPhone4 : kPhone6);
        EXPECT_FALSE(read_socket_error(fd).has_value());
        EXPECT_FALSE(has_error(fd));
    }
}

TEST_F(SocketErrors, OfOthersDatagramsDoNotCome) {
    SilenceSockets sockets(SilenceMode::kSilent);
    ASSERT_TRUE(
        sockets.set(std::array{net::Endpoint{kOwn4, kSip}, net::Endpoint{kOwn6, kSip}}).ok());
    send(icmp_frame(true, kFragmentationNeeded, kSip + 1));
    send(icmp_frame(false, kPacketTooBig, kSip + 1));
    // Behind them what does come, so that no time need be waited.
    send(icmp_frame(true, kFragmentationNeeded));
    send(icmp_frame(false, kPacketTooBig));
    for (const int fd : {sockets.fd(0), sockets.fd(1)}) {
        ASSERT_TRUE(has_error(fd, 1000));
        EXPECT_TRUE(read_socket_error(fd).has_value());
        EXPECT_FALSE(read_socket_error(fd).has_value());
    }
}

// One that the kernel has no room for still makes poll() wake, and must not do so for ever.
TEST_F(SocketErrors, WithoutRoomForThemWakeOnce) {
    SilenceSockets sockets(SilenceMode::kListening);
    ASSERT_TRUE(sockets.set(std::array{net::Endpoint{kOwn6, kSip}}).ok());
    const int fd = sockets.fd(0);
    const int least = 0;
    ASSERT_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least), 0);
    send(icmp_frame(false, kPacketTooBig));
    ASSERT_TRUE(has_error(fd, 1000));
    while (read_socket_error(fd).has_value()) {
    }
    EXPECT_FALSE(has_error(fd)) << "poll() would return at once, for ever";
}

// The kernel keeps a bounded number.
TEST_F(SocketErrors, FloodIsBoundedAndEnds) {
    SilenceSockets sockets(SilenceMode::kSilent);
    ASSERT_TRUE(sockets.set(std::array{net::Endpoint{kOwn6, kSip}}).ok());
    const Bytes frame = icmp_frame(false, kPacketTooBig);
    constexpr int kFlood = 2000;
    for (int i = 0; i < kFlood; ++i) {
        send(frame);
    }
    ASSERT_TRUE(has_error(sockets.fd(0), 1000));
    int read = 0;
    while (read_socket_error(sockets.fd(0)).has_value()) {
        ++read;
    }
    EXPECT_GT(read, 16);
    EXPECT_LT(read, kFlood / 2);
    EXPECT_FALSE(has_error(sockets.fd(0)));
}

}  // namespace
}  // namespace pinhole::io
