// SPDX-License-Identifier: BSD-3-Clause
// Ports without hardware: net_null and net_ring, two workers, with their TAPs.
#include "dataplane/io/device_args.h"
#include "dataplane/io/device_kernel.h"
#include "dataplane/io/port.h"
#include "tests/eal/io/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

#include <filesystem>

namespace pinhole::io {
namespace {

using testing::HasSubstr;

class Vdev : public testing::Test {
  public:
    static void SetUpTestSuite() {
        enter_own_namespace();
        settings = settings_for(2, {{DeviceKind::kVdev, "net_null0,size=128"},
                                    {DeviceKind::kVdev, "net_ring0", "ring-tap"}});
        auto started = Eal::start(settings);
        ASSERT_TRUE(started.ok()) << started.error().message;
        eal = started.take();
    }
    static void TearDownTestSuite() {
        const std::string directory = rte_eal_get_runtime_dir();
        EXPECT_TRUE(std::filesystem::exists(directory));
        eal.reset();
        EXPECT_FALSE(std::filesystem::exists(directory));
    }

    static inline Settings settings;
    static inline std::unique_ptr<Eal> eal;
};

TEST_F(Vdev, OpensStartsAndLeavesNothing) {
    {
        auto opened = Ports::open(settings);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        Ports& ports = **opened;
        ASSERT_EQ(ports.ports().size(), 2U);
        EXPECT_EQ(ports.ports()[0].interface, "ph0");
        EXPECT_EQ(ports.ports()[1].interface, "ring-tap");
        EXPECT_EQ(ports.port_of_ifindex(if_nametoindex("ring-tap")), net::PortIndex{1});
        EXPECT_EQ(ports.port_of_ifindex(if_nametoindex("lo")), std::nullopt);

        const DeviceInfo& null = ports.device(0).info();
        EXPECT_EQ(null.name, "vdev:net_null0,size=128");
        EXPECT_EQ(null.queues, 2U);
        EXPECT_NE(ports.tap(0), nullptr);
        EXPECT_EQ(ports.device(0).queue_for(1), std::uint16_t{1});
        EXPECT_EQ(ports.device(0).queue_for(2), std::nullopt);
        auto tap = kernel_interface("ph0");
        ASSERT_TRUE(tap.ok());
        EXPECT_EQ(tap->mac, null.mac);
        EXPECT_EQ(tap->mtu, null.mtu);
        EXPECT_NE(tap->flags & IFF_UP, 0U);

        ASSERT_TRUE(ports.start().ok());
        rte_mbuf* frame = receive(null.ethdev, 1, [](rte_mbuf*) { return true; });
        ASSERT_NE(frame, nullptr);
        EXPECT_EQ(frame->pkt_len, 128U);
        rte_pktmbuf_free(frame);
        EXPECT_GT(ports.device(0).stats().rx_packets, 0U);
        rte_mbuf* big = rte_pktmbuf_alloc(ports.big_pool());
        ASSERT_NE(big, nullptr);
        EXPECT_GE(rte_pktmbuf_tailroom(big), kMaxFrameBytes);
        rte_pktmbuf_free(big);
    }
    EXPECT_EQ(if_nametoindex("ph0"), 0U);
    EXPECT_EQ(rte_eth_dev_count_avail(), 0U);
    // And once more: what a reload or a second process would need.
    EXPECT_TRUE(Ports::open(settings).ok());
}

TEST_F(Vdev, RingGivesBackWhatIsSent) {
    auto opened = Ports::open(settings);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    Ports& ports = **opened;
    ASSERT_TRUE(ports.start().ok());
    const DeviceInfo& ring = ports.device(1).info();
    rte_mbuf* out = rte_pktmbuf_alloc(ports.big_pool());
    ASSERT_NE(out, nullptr);
    std::memcpy(rte_pktmbuf_append(out, 64), "pinhole", 8);
    ASSERT_EQ(rte_eth_tx_burst(ring.ethdev, 0, &out, 1), 1);
    rte_mbuf* in = receive(ring.ethdev, 0, [](rte_mbuf*) { return true; });
    ASSERT_NE(in, nullptr);
    EXPECT_STREQ(rte_pktmbuf_mtod(in, const char*), "pinhole");
    rte_pktmbuf_free(in);
}

TEST_F(Vdev, UnknownDriverIsASentenceWithItsWords) {
    auto unknown = Ports::open(settings_for(1, {{DeviceKind::kVdev, "net_nosuch0"}}));
    ASSERT_FALSE(unknown.ok());
    EXPECT_THAT(unknown.error().message, HasSubstr("vdev:net_nosuch0"));
    auto empty = Ports::open(settings_for(1, {{DeviceKind::kVdev, ""}}));
    ASSERT_FALSE(empty.ok());
    EXPECT_EQ(empty.error().code, ErrorCode::kInvalid);
    auto twice = Ports::open(settings_for(1, {settings.devices[0], settings.devices[0]}));
    ASSERT_FALSE(twice.ok());
    EXPECT_THAT(twice.error().message, HasSubstr("two [[port]] sections"));
    EXPECT_EQ(rte_eth_dev_count_avail(), 0U);
}

TEST_F(Vdev, TapNameInUseIsASentence) {
    ASSERT_TRUE(run("ip link add ph0 type veth peer name ph0-peer"));
    auto taken = Ports::open(settings);
    run("ip link del ph0");
    ASSERT_FALSE(taken.ok());
    EXPECT_EQ(taken.error().code, ErrorCode::kBusy) << taken.error().message;
}

TEST(DeviceArgs, AreWhatTheDriversWant) {
    const DeviceSettings xdp{DeviceKind::kAfXdp, "eth0"};
    EXPECT_EQ(device_args(xdp, 3, 2, "/p").name, "net_af_xdp3");
    EXPECT_EQ(device_args(xdp, 3, 2, "/p").arguments,
              "iface=eth0,start_queue=0,queue_count=2,xdp_prog=/p");
    DeviceSettings memif{DeviceKind::kMemif, "/run/m"};
    EXPECT_THAT(device_args(memif, 0, 1, "").arguments,
                HasSubstr("role=client,id=0,socket=/run/m,socket-abstract=no"));
    memif.memif_server = true;
    memif.memif_id = 7;
    EXPECT_THAT(device_args(memif, 0, 1, "").arguments, HasSubstr("role=server,id=7"));
    EXPECT_EQ(stable_mac(memif, "a"), stable_mac(memif, "a"));
    EXPECT_NE(stable_mac(memif, "a"), stable_mac(memif, "b"));
    EXPECT_EQ(stable_mac(memif, "a")[0] & 3, 2) << "locally administered, not multicast";
}

}  // namespace
}  // namespace pinhole::io
