// SPDX-License-Identifier: BSD-3-Clause
// af_packet on a veth: datagrams arrive whole also when they came in fragments, leave, and the
// interface stays as it was.
#include "dataplane/io/device_kernel.h"
#include "dataplane/io/kernel_path.h"
#include "dataplane/io/mesh.h"
#include "dataplane/io/port.h"
#include "dataplane/io/silence.h"
#include "tests/eal/io/scene.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <array>
#include <cstring>

namespace pinhole::io {
namespace {

class AfPacket : public testing::Test {
  public:
    static void SetUpTestSuite() {
        enter_own_namespace();
        far = std::make_unique<FarSide>();
        ASSERT_TRUE(lay_veth(*far));
        ASSERT_TRUE(run("ip link add second type veth peer name second-peer"));
        settings = settings_for(2, {{DeviceKind::kAfPacket, "near"}});
        both =
            settings_for(2, {{DeviceKind::kAfPacket, "near"}, {DeviceKind::kAfPacket, "second"}});
        auto started = Eal::start(both);
        ASSERT_TRUE(started.ok()) << started.error().message;
        eal = started.take();
    }
    static void TearDownTestSuite() {
        far.reset();
        eal.reset();
    }

    // From 10.9.0.2 or fd09::2 to the near side's UDP 5060.
    static void send_from_far(bool v4, const std::string& payload) {
        far->in([&] {
            const int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
            sockaddr_storage to{};
            auto& to4 = reinterpret_cast<sockaddr_in&>(to);
            auto& to6 = reinterpret_cast<sockaddr_in6&>(to);
            const net::Address address = *net::parse_address(v4 ? "10.9.0.1" : "fd09::1");
            if (v4) {
                to4.sin_family = AF_INET;
                to4.sin_port = htons(5060);
                std::memcpy(&to4.sin_addr, address.v4_bytes(), 4);
            } else {
                to6.sin6_family = AF_INET6;
                to6.sin6_port = htons(5060);
                std::memcpy(&to6.sin6_addr, address.bytes.data(), 16);
            }
            EXPECT_EQ(sendto(fd, payload.data(), payload.size(), 0,
                             reinterpret_cast<sockaddr*>(&to), v4 ? sizeof to4 : sizeof to6),
                      static_cast<ssize_t>(payload.size()));
            close(fd);
        });
    }
    // Whichever of the two queues it comes to.
    static rte_mbuf* receive_payload(const DeviceInfo& device, const std::string& payload) {
        for (int i = 0; i < 200; ++i) {
            for (const std::uint16_t queue : {0, 1}) {
                rte_mbuf* m = receive(
                    device.ethdev, queue, [&](rte_mbuf* f) { return udp_payload(f) == payload; },
                    5);
                if (m != nullptr) {
                    return m;
                }
            }
        }
        return nullptr;
    }

    static inline Settings settings;
    static inline Settings both;
    static inline std::unique_ptr<FarSide> far;
    static inline std::unique_ptr<Eal> eal;
};

TEST_F(AfPacket, ReceivesWhatIsSmallAndWhatTheKernelPutTogether) {
    auto opened = Ports::open(settings);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    Ports& ports = **opened;
    ASSERT_TRUE(ports.start().ok());
    const DeviceInfo& device = ports.device(0).info();
    EXPECT_EQ(device.queues, 2U);
    EXPECT_EQ(device.mac, (Mac{2, 0, 0, 0, 0, 1}));
    EXPECT_EQ(device.mtu, 1500U);
    EXPECT_EQ(ports.ports()[0].ifindex, if_nametoindex("near"));
    EXPECT_EQ(ports.tap(0), nullptr);

    SilenceSockets silence(SilenceMode::kSilent);
    ASSERT_TRUE(silence.set(std::array{net::Endpoint{*net::parse_address("10.9.0.1"), 5060}}).ok());
    for (const std::size_t bytes : {4U, 800U, 3000U, 9000U}) {
        const std::string payload(bytes, 'p');
        send_from_far(true, payload);
        rte_mbuf* m = receive_payload(device, payload);
        ASSERT_NE(m, nullptr) << bytes;
        EXPECT_EQ(m->nb_segs, 1);
        rte_pktmbuf_free(m);
    }
    const std::string six(700, '6');
    send_from_far(false, six);
    rte_mbuf* m = receive_payload(device, six);
    ASSERT_NE(m, nullptr);
    rte_pktmbuf_free(m);
}

TEST_F(AfPacket, SendsToTheWire) {
    auto opened = Ports::open(settings);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    Ports& ports = **opened;
    ASSERT_TRUE(ports.start().ok());
    int listener = -1;
    far->in([&] {
        listener = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        sockaddr_in at{AF_INET, htons(40000), {htonl(INADDR_ANY)}, {}};
        EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    });
    rte_mbuf* m = rte_pktmbuf_alloc(ports.big_pool());
    ASSERT_NE(m, nullptr);
    constexpr std::uint16_t kPayload = 1200;
    auto* ethernet =
        reinterpret_cast<rte_ether_hdr*>(rte_pktmbuf_append(m, 14 + 20 + 8 + kPayload));
    std::memset(ethernet, 0, m->data_len);
    const std::uint8_t header[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
    std::memcpy(ethernet, header, sizeof header);
    auto* ip = reinterpret_cast<rte_ipv4_hdr*>(ethernet + 1);
    ip->version_ihl = 0x45;
    ip->total_length = rte_cpu_to_be_16(28 + kPayload);
    ip->time_to_live = 64;
    ip->next_proto_id = 17;
    ip->src_addr = rte_cpu_to_be_32(0x0a090001);
    ip->dst_addr = rte_cpu_to_be_32(0x0a090002);
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    auto* udp = reinterpret_cast<rte_udp_hdr*>(ip + 1);
    udp->src_port = rte_cpu_to_be_16(5060);
    udp->dst_port = rte_cpu_to_be_16(40000);
    udp->dgram_len = rte_cpu_to_be_16(8 + kPayload);
    ASSERT_EQ(rte_eth_tx_burst(ports.device(0).info().ethdev, 1, &m, 1), 1);
    pollfd p{listener, POLLIN, 0};
    EXPECT_EQ(poll(&p, 1, 2000), 1);
    char buffer[2048];
    EXPECT_EQ(recv(listener, buffer, sizeof buffer, 0), kPayload);
    close(listener);
}

TEST_F(AfPacket, AnAddressServedAtTwoPortsIsBoundOnce) {
    auto opened = Ports::open(both);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    auto mesh = Mesh::create(2, 2);
    ASSERT_TRUE(mesh.ok()) << mesh.error().message;
    KernelPath path(**opened, **mesh);
    const net::Endpoint anycast{*net::parse_address("198.51.100.77"), 5060};
    const tokens::MasterKey key{1, {1, 2, 3}};
    edge::Surroundings around{.keys = tokens::Keys({&key, 1})};
    around.ports.resize(2);
    around.ports[0].endpoints = {anycast};
    around.ports[1].endpoints = {anycast};
    const Status followed = path.follow(around);
    ASSERT_TRUE(followed.ok()) << followed.error().message;
    SilenceSockets other(SilenceMode::kSilent);
    EXPECT_FALSE(other.set(std::array{anycast}).ok());
    around.ports[0].endpoints.clear();
    ASSERT_TRUE(path.follow(around).ok());
    EXPECT_FALSE(other.set(std::array{anycast}).ok()) << "the other port serves it still";
    around.ports[1].endpoints.clear();
    ASSERT_TRUE(path.follow(around).ok());
    EXPECT_TRUE(other.set(std::array{anycast}).ok());
}

TEST_F(AfPacket, LeavesTheInterfaceAsItWas) {
    for (const bool promiscuous : {false, true}) {
        ASSERT_TRUE(run(std::string("ip link set near promisc ") + (promiscuous ? "on" : "off")));
        const unsigned flags = kernel_interface("near")->flags;
        {
            auto opened = Ports::open(settings);
            ASSERT_TRUE(opened.ok()) << opened.error().message;
            ASSERT_TRUE((*opened)->start().ok());
            EXPECT_EQ(kernel_interface("near")->flags & IFF_PROMISC, flags & IFF_PROMISC)
                << promiscuous;
        }
        EXPECT_EQ(kernel_interface("near")->flags, flags) << promiscuous;
        EXPECT_EQ(kernel_interface("near")->mtu, 1500U);
    }
}

}  // namespace
}  // namespace pinhole::io
