// SPDX-License-Identifier: BSD-3-Clause
// A capture over net_ring, which gives back what is sent. This thread is the worker, and the one
// that takes.
#include "dataplane/io/capture.h"

#include "tests/eal/io/scene.h"
#include "tests/unit/net/frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rte_ethdev.h>

#include <algorithm>
#include <cstring>

namespace pinhole::io {
namespace {

using testing::HasSubstr;
using testing::Not;

class CaptureTest : public testing::Test {
  public:
    static void SetUpTestSuite() {
        enter_own_namespace();
        const Settings settings = settings_for(1, {{DeviceKind::kVdev, "net_ring0", "ring-tap"}});
        auto started = Eal::start(settings);
        ASSERT_TRUE(started.ok()) << started.error().message;
        eal = started.take();
        auto opened = Ports::open(settings);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        ports = opened.take();
        ASSERT_TRUE(ports->start().ok());
        qsbr = Qsbr::create(2).take();
    }
    static void TearDownTestSuite() {
        qsbr.reset();
        ports.reset();
        eal.reset();
    }

    static std::unique_ptr<Capture> start(const char* words) {
        std::string problem;
        auto capture = Capture::start(*ports, *qsbr, *net::CaptureFilter::parse(words, problem));
        EXPECT_TRUE(capture.ok()) << capture.error().message;
        return capture.take();
    }
    // Sends a datagram and receives it again.
    static void pass(const std::string& payload) {
        const auto frame = net::test::datagram4(payload);
        rte_mbuf* out = rte_pktmbuf_alloc(ports->big_pool());
        ASSERT_NE(out, nullptr);
        std::memcpy(rte_pktmbuf_append(out, static_cast<std::uint16_t>(frame.size())), frame.data(),
                    frame.size());
        const std::uint16_t ethdev = ports->device(0).info().ethdev;
        ASSERT_EQ(rte_eth_tx_burst(ethdev, 0, &out, 1), 1);
        rte_mbuf* in = receive(ethdev, 0, [](rte_mbuf*) { return true; });
        ASSERT_NE(in, nullptr);
        rte_pktmbuf_free(in);
    }
    static std::size_t count(const std::string& in, const std::string& what) {
        std::size_t n = 0;
        for (std::size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) {
            ++n;
        }
        return n;
    }

    static inline std::unique_ptr<Eal> eal;
    static inline std::unique_ptr<Ports> ports;
    static inline std::unique_ptr<Qsbr> qsbr;
};

TEST_F(CaptureTest, BothWaysOfWhatTheFilterTakes) {
    pass("REGISTER before");
    const auto capture = start("text REGISTER");
    pass("REGISTER within");
    pass("OPTIONS within");
    const auto file = capture->take();
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(file.value().substr(0, 4), "\x0a\x0d\x0d\x0a");
    EXPECT_EQ(count(file.value(), "REGISTER within"), 2U) << "sent, and received";
    EXPECT_THAT(file.value(), Not(HasSubstr("before")));
    EXPECT_THAT(file.value(), Not(HasSubstr("OPTIONS")));
    // What was taken comes no second time, nor does the file's head.
    EXPECT_EQ(capture->take().value(), "");
    pass("REGISTER again");
    const auto more = capture->take();
    EXPECT_EQ(count(more.value(), "REGISTER again"), 2U);
    EXPECT_NE(more.value().substr(0, 4), "\x0a\x0d\x0d\x0a");
    EXPECT_EQ(capture->missed(), 0U);
}

TEST_F(CaptureTest, IsBoundedAndCountsWhatItMisses) {
    const auto capture = start("");
    for (unsigned i = 0; i < Capture::kWaiting; ++i) {
        pass("x");
    }
    EXPECT_EQ(capture->missed(), Capture::kWaiting);
    EXPECT_TRUE(capture->take().ok());
    pass("there is room again");
    EXPECT_EQ(count(capture->take().value(), "there is room again"), 2U);
}

TEST_F(CaptureTest, AnyLengthComesWholeOrNearly) {
    const auto capture = start("");
    for (std::size_t length = 3500; length < 3700; ++length) {
        pass(std::string(length, 'y'));
    }
    EXPECT_EQ(capture->missed(), 0U);
    const auto file = capture->take();
    EXPECT_GE(std::count(file.value().begin(), file.value().end(), 'y'), 2 * 200 * (3500 - 64));
}

// Callbacks, buffers and ring are gone with it.
TEST_F(CaptureTest, AgainAndAgain) {
    for (int i = 0; i < 20; ++i) {
        const auto capture = start("");
        ASSERT_NE(capture, nullptr);
        // A word: one letter stands now and then in a block's time too.
        pass("once more");
        EXPECT_EQ(count(capture->take().value(), "once more"), 2U) << i;
    }
    pass("after the last");
}

}  // namespace
}  // namespace pinhole::io
