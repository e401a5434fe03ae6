// SPDX-License-Identifier: BSD-3-Clause
// The two ends of a memif in one process: frames pass both ways, also long ones that take several
// buffers; a socket file that a killed server left is no obstacle, one in use is.
#include "dataplane/io/device_check.h"
#include "dataplane/io/port.h"
#include "tests/eal/io/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

namespace pinhole::io {
namespace {

using testing::HasSubstr;

class Memif : public testing::Test {
  public:
    static void SetUpTestSuite() {
        enter_own_namespace();
        char folder[] = "/tmp/ph-ports-memif-XXXXXX";
        directory = mkdtemp(folder);
        socket_path = directory + "/sock";
        settings = settings_for(2, {{DeviceKind::kMemif, socket_path, "server-tap", true, 5},
                                    {DeviceKind::kMemif, socket_path, "client-tap", false, 5}});
        auto started = Eal::start(settings);
        ASSERT_TRUE(started.ok()) << started.error().message;
        eal = started.take();
    }
    static void TearDownTestSuite() {
        eal.reset();
        std::filesystem::remove_all(directory);
    }

    // A socket bound to the path; not closed, it is a live server's, else a killed one's.
    static int bind_path() {
        const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(listen(fd, 1), 0);
        return fd;
    }

    static inline std::string directory;
    static inline std::string socket_path;
    static inline Settings settings;
    static inline std::unique_ptr<Eal> eal;
};

void pass(Ports& ports, DeviceIndex from, DeviceIndex to, std::uint16_t queue,
          std::uint16_t bytes) {
    rte_mbuf* out = rte_pktmbuf_alloc(ports.big_pool());
    ASSERT_NE(out, nullptr);
    char* data = rte_pktmbuf_append(out, bytes);
    for (unsigned i = 0; i < bytes; ++i) {
        data[i] = static_cast<char>(i * 7);
    }
    // The client posts its buffers when it polls.
    receive(
        ports.device(to).info().ethdev, queue, [](rte_mbuf*) { return true; }, 1);
    ASSERT_EQ(rte_eth_tx_burst(ports.device(from).info().ethdev, queue, &out, 1), 1);
    rte_mbuf* in = receive(ports.device(to).info().ethdev, queue, [](rte_mbuf*) { return true; });
    ASSERT_NE(in, nullptr);
    ASSERT_EQ(in->pkt_len, bytes);
    char copy[16384];
    const char* got = static_cast<const char*>(rte_pktmbuf_read(in, 0, bytes, copy));
    EXPECT_EQ(got[bytes - 1], static_cast<char>((bytes - 1) * 7));
    rte_pktmbuf_free(in);
}

TEST_F(Memif, CarriesFramesBothWays) {
    close(bind_path());  // stale
    ASSERT_TRUE(std::filesystem::exists(socket_path));
    {
        auto opened = Ports::open(settings);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        Ports& ports = **opened;
        ASSERT_TRUE(ports.start().ok());
        for (int i = 0; i < 2000 && !(ports.device(0).link_up() && ports.device(1).link_up());
             ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        ASSERT_TRUE(ports.device(0).link_up() && ports.device(1).link_up());
        EXPECT_EQ(ports.device(0).info().queues, 2U);
        EXPECT_NE(ports.device(0).info().mac, ports.device(1).info().mac);
        for (const std::uint16_t queue : {0, 1}) {
            pass(ports, 0, 1, queue, 300);
            pass(ports, 1, 0, queue, 300);
            pass(ports, 0, 1, queue, 6000);
        }
    }
    EXPECT_FALSE(std::filesystem::exists(socket_path)) << "the socket file goes with the server";
}

TEST_F(Memif, ClientWithoutServerIsASentence) {
    auto opened = Ports::open(settings_for(2, {settings.devices[1]}));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    const Status started = (*opened)->start();
    ASSERT_FALSE(started.ok());
    EXPECT_THAT(started.error().message, HasSubstr("start the other end first"));
}

TEST_F(Memif, ServedByAnotherProcessIsASentence) {
    const int other = bind_path();
    const Status usable = check_device(settings.devices[0]);
    close(other);
    unlink(socket_path.c_str());
    ASSERT_FALSE(usable.ok());
    EXPECT_EQ(usable.error().code, ErrorCode::kBusy);
    EXPECT_THAT(usable.error().message, HasSubstr(socket_path));
}

}  // namespace
}  // namespace pinhole::io
