// SPDX-License-Identifier: BSD-3-Clause
// af_xdp on a veth: SIP comes to the worker's queue, all else and all fragments to the kernel; what
// a killed process left attached is no obstacle, another's program is.
#include "dataplane/io/port.h"
#include "dataplane/io/silence.h"
#include "dataplane/io/xdp/steering.h"
#include "tests/eal/io/scene.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include <array>
#include <csignal>
#include <cstring>

namespace pinhole::io {
namespace {

using testing::HasSubstr;

const std::array<net::Endpoint, 2> kSip{net::Endpoint{*net::parse_address("10.9.0.1"), 5060},
                                        net::Endpoint{*net::parse_address("fd09::1"), 5060}};

std::uint32_t attached_id(const char* interface) {
    std::uint32_t id = 0;
    bpf_xdp_query_id(static_cast<int>(if_nametoindex(interface)), 0, &id);
    return id;
}

// Run by the suite below as a process of its own: a pinhole that is killed. Its program stays
// attached.
TEST(KilledPinhole, DISABLED_OpensAndDies) {
    auto eal = Eal::start(settings_for(2, {{DeviceKind::kAfXdp, "near"}}));
    ASSERT_TRUE(eal.ok()) << eal.error().message;
    auto opened = Ports::open(settings_for(2, {{DeviceKind::kAfXdp, "near"}}));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    ASSERT_TRUE((*opened)->start().ok());
    raise(SIGKILL);
}

bool let_a_pinhole_be_killed() {
    const pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "killed", "--gtest_filter=KilledPinhole.*",
              "--gtest_also_run_disabled_tests", nullptr);
        _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

// The device is opened once: its driver does not give up its queues before the process ends.
class AfXdp : public testing::Test {
  public:
    static void SetUpTestSuite() {
        enter_own_namespace();
        far = std::make_unique<FarSide>();
        ASSERT_TRUE(lay_veth(*far));
        ASSERT_TRUE(let_a_pinhole_be_killed());
        ASSERT_NE(attached_id("near"), 0U)
            << "the killed one's program is there, or this tests nothing";
        settings = settings_for(2, {{DeviceKind::kAfXdp, "near"}});
        auto started = Eal::start(settings);
        ASSERT_TRUE(started.ok()) << started.error().message;
        eal = started.take();
        auto opened = Ports::open(settings);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        ports = opened.take();
        ASSERT_TRUE(ports->start().ok());
    }
    static void TearDownTestSuite() {
        ports.reset();
        EXPECT_EQ(attached_id("near"), 0U) << "the program goes with the port";
        far.reset();
        eal.reset();
    }
    void SetUp() override { ASSERT_NE(ports, nullptr); }

    static void send_from_far(const net::Endpoint& to, const std::string& payload) {
        far->in([&] {
            sockaddr_storage address{};
            if (to.address.is_v4()) {
                auto& v4 = reinterpret_cast<sockaddr_in&>(address);
                v4.sin_family = AF_INET;
                v4.sin_port = htons(to.udp_port);
                std::memcpy(&v4.sin_addr, to.address.v4_bytes(), 4);
            } else {
                auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
                v6.sin6_family = AF_INET6;
                v6.sin6_port = htons(to.udp_port);
                std::memcpy(&v6.sin6_addr, to.address.bytes.data(), 16);
            }
            const int fd = socket(address.ss_family, SOCK_DGRAM, 0);
            EXPECT_EQ(
                sendto(fd, payload.data(), payload.size(), 0, reinterpret_cast<sockaddr*>(&address),
                       to.address.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)),
                static_cast<ssize_t>(payload.size()));
            close(fd);
        });
    }

    static inline Settings settings;
    static inline std::unique_ptr<FarSide> far;
    static inline std::unique_ptr<Eal> eal;
    static inline std::unique_ptr<Ports> ports;
};

TEST_F(AfXdp, TakesSipAndLeavesTheRestToTheKernel) {
    Device& device = ports->device(0);
    EXPECT_EQ(device.info().queues, 1U);
    EXPECT_TRUE(device.queue_for(0).has_value());
    EXPECT_FALSE(device.queue_for(1).has_value());
    EXPECT_EQ(ports->tap(0), nullptr);
    EXPECT_GE(device.info().max_frame, 3000U);
    SilenceSockets sockets(SilenceMode::kListening);
    ASSERT_TRUE(sockets.set(kSip).ok());
    std::array<std::byte, 16384> buffer;
    const auto polled = [&](const std::string& payload, unsigned polls) {
        rte_mbuf* m = receive(
            device.info().ethdev, 0, [&](rte_mbuf* f) { return udp_payload(f) == payload; }, polls);
        rte_pktmbuf_free(m);
        return m != nullptr;
    };

    send_from_far(kSip[0], "before");
    EXPECT_FALSE(polled("before", 100)) << "nothing is taken before it is told what";
    ASSERT_TRUE(sockets.read_datagram(0, buffer).has_value());
    ASSERT_TRUE(device.steer(kSip).ok());
    for (const net::Endpoint& to : kSip) {
        send_from_far(to, "REGISTER");
        EXPECT_TRUE(polled("REGISTER", 2000)) << net::to_string(to.address);
    }
    EXPECT_FALSE(sockets.read_datagram(0, buffer).has_value());

    // A datagram in fragments: put together by the kernel, whole at the bound socket.
    send_from_far(kSip[0], std::string(4000, 'f'));
    EXPECT_FALSE(polled(std::string(4000, 'f'), 100));
    const auto datagram = sockets.read_datagram(0, buffer);
    ASSERT_TRUE(datagram.has_value());
    EXPECT_EQ(datagram->length, 4000U);
    EXPECT_EQ(datagram->ifindex, if_nametoindex("near"));
    EXPECT_EQ(datagram->to, kSip[0]);

    // Another port of ours, and ping, are the kernel's.
    send_from_far({kSip[0].address, 5061}, "other");
    EXPECT_FALSE(polled("other", 100));
    EXPECT_TRUE(far->run("ping -c 1 -W 2 10.9.0.1"));
    EXPECT_TRUE(far->run("ping -6 -c 1 -W 2 fd09::1"));

    ASSERT_TRUE(device.steer(std::array{kSip[1]}).ok());
    send_from_far(kSip[0], "gone");
    EXPECT_FALSE(polled("gone", 100));
}

TEST_F(AfXdp, SendsToTheWire) {
    // From the big pool, so not the driver's own memory; a broadcast ARP-like frame that the far
    // side counts.
    rte_mbuf* m = rte_pktmbuf_alloc(ports->big_pool());
    std::memset(rte_pktmbuf_append(m, 3000), 0xff, 3000);
    rte_pktmbuf_trim(m, 1600);
    const auto received = [] {
        FILE* p = popen("cat /proc/net/dev | grep far: | awk '{print $3}'", "r");
        unsigned n = 0;
        EXPECT_EQ(std::fscanf(p, "%u", &n), 1);
        pclose(p);
        return n;
    };
    unsigned before = 0;
    far->in([&] { before = received(); });
    ASSERT_EQ(rte_eth_tx_burst(ports->device(0).info().ethdev, 0, &m, 1), 1);
    unsigned after = before;
    for (int i = 0; i < 200 && after == before; ++i) {
        rte_eth_tx_burst(ports->device(0).info().ethdev, 0, nullptr, 0);
        usleep(5000);
        far->in([&] { after = received(); });
    }
    EXPECT_GT(after, before);
}

TEST_F(AfXdp, OneHolderAtATime) {
    auto second = XdpSteering::prepare("near", if_nametoindex("near"));
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    EXPECT_THAT(second.error().message, HasSubstr("another pinhole"));
}

TEST_F(AfXdp, AnothersProgramIsNotTouched) {
    ASSERT_TRUE(run("ip link add other type veth peer name other-peer && ip link set other up"));
    const std::array<bpf_insn, 2> pass{
        bpf_insn{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, XDP_PASS},
        bpf_insn{BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    const int program =
        bpf_prog_load(BPF_PROG_TYPE_XDP, "someone_elses", "GPL", pass.data(), pass.size(), nullptr);
    ASSERT_GE(program, 0);
    const int ifindex = static_cast<int>(if_nametoindex("other"));
    ASSERT_EQ(bpf_xdp_attach(ifindex, program, 0, nullptr), 0);
    const std::uint32_t id = attached_id("other");
    auto opened = Device::open(settings_for(1, {{DeviceKind::kAfXdp, "other"}}), 0);
    ASSERT_FALSE(opened.ok());
    EXPECT_THAT(opened.error().message, HasSubstr("someone_elses"));
    EXPECT_EQ(attached_id("other"), id);
    close(program);
    run("ip link del other");
}

TEST_F(AfXdp, QueuesWithoutAWorkerAreASentence) {
    ASSERT_TRUE(run("ip link add many numrxqueues 2 numtxqueues 2 type veth peer name many-peer"));
    auto opened = Device::open(settings_for(2, {{DeviceKind::kAfXdp, "many"}}), 0);
    run("ip link del many");
    ASSERT_FALSE(opened.ok());
    EXPECT_THAT(opened.error().message, HasSubstr("many has 2 receive queues"));
}

}  // namespace
}  // namespace pinhole::io
