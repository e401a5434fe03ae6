// SPDX-License-Identifier: BSD-3-Clause
// What the control thread has sent: pings framed beforehand, those that a worker must find the way
// of, bursts, and what a full inbox makes of them.
#include "dataplane/io/outbox.h"

#include "dataplane/route/ping.h"
#include "tests/eal/io/worker_scene.h"

#include <gtest/gtest.h>

#include <cstring>

namespace pinhole::io {
namespace {

using Posted = Outbox::Posted;

class OutboxScene : public WorkerScene {
  public:
    void SetUp() override {
        lay(1);
        outbox = std::make_unique<Outbox>(edge->ports(), edge->mesh());
        ASSERT_EQ(edge->ask(0, phone, Register{}.text()).size(), 1U);
    }
    void TearDown() override {
        outbox.reset();
        WorkerScene::TearDown();
    }
    Posted post(std::string_view text, ParcelKind kind = ParcelKind::kPing) {
        return outbox->post(
            contact("100").state.flow, 7, edge->around(),
            [&](char* room, std::size_t capacity) {
                EXPECT_GE(capacity, text.size());
                std::memcpy(room, text.data(), text.size());
                return text.size();
            },
            kind);
    }
    std::vector<Seen> sent() {
        outbox->flush();
        edge->worker(0).round();
        return edge->sent(0);
    }

    const net::Flow phone = to_edge(kNat, 32947);
    std::unique_ptr<Outbox> outbox;
};

void expect_at_the_phone(const Seen& seen, const std::string& text) {
    EXPECT_TRUE(seen.sums_right);
    EXPECT_EQ(seen.dst_mac, kGatewayMac);
    EXPECT_EQ(seen.datagram.src, kEdge);
    EXPECT_EQ(seen.datagram.src_port, kSip);
    EXPECT_EQ(seen.datagram.dst, kNat);
    EXPECT_EQ(seen.datagram.dst_port, 32947);
    EXPECT_EQ(seen.text, text);
}

// What fits every path is framed, and what is longer leaves all the same.
TEST_F(OutboxScene, ShortOrLongItArrives) {
    for (const std::size_t length : {1, 400, 548, 549, 1'400}) {
        const std::string text(length, 'x');
        ASSERT_EQ(post(text), Posted::kPosted);
        const auto seen = sent();
        ASSERT_EQ(seen.size(), 1U) << length;
        expect_at_the_phone(seen[0], text);
    }
    EXPECT_EQ(edge->counters(0).pings_sent.get(), 5U);
    ASSERT_EQ(post("check", ParcelKind::kPeerCheck), Posted::kPosted);
    EXPECT_EQ(sent().size(), 1U);
    EXPECT_EQ(edge->counters(0).pings_sent.get(), 5U);
    EXPECT_EQ(edge->counters(0).peer_checks_sent.get(), 1U);
}

TEST_F(OutboxScene, ByIpv6Too) {
    const net::Flow flow = at_edge(address("2001:db8:55::10"), 5070);
    const auto write = [](char* room, std::size_t /*capacity*/) {
        std::memcpy(room, "ping", 4);
        return std::size_t{4};
    };
    ASSERT_EQ(outbox->post(flow, 0, edge->around(), write), Posted::kPosted);
    const auto seen = sent();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_TRUE(seen[0].sums_right);
    EXPECT_EQ(seen[0].datagram.src, kEdge6);
    EXPECT_EQ(seen[0].datagram.dst_port, 5070);
    EXPECT_EQ(seen[0].text, "ping");
}

TEST_F(OutboxScene, WithoutAWayTheWorkerSaysWhy) {
    edge->around().fib = net::Fib();
    ASSERT_EQ(post("ping"), Posted::kPosted);
    EXPECT_TRUE(sent().empty());
    EXPECT_EQ(edge->drops(0, DropReason::kNoRoute), 1U);
}

// The way of what is framed was found before; that of what is longer, the worker finds.
TEST_F(OutboxScene, AFrameAsksTheWorkerForNoWay) {
    ASSERT_EQ(post("ping"), Posted::kPosted);
    ASSERT_EQ(post(std::string(1'400, 'x')), Posted::kPosted);
    edge->around().fib = net::Fib();
    const auto seen = sent();
    ASSERT_EQ(seen.size(), 1U);
    expect_at_the_phone(seen[0], "ping");
    EXPECT_EQ(edge->drops(0, DropReason::kNoRoute), 1U);
}

TEST_F(OutboxScene, HandsOverByTheBurst) {
    for (unsigned i = 0; i <= Outbox::kBurst; ++i) {
        EXPECT_TRUE(edge->mesh().inbox(0).empty());
        ASSERT_EQ(post(std::to_string(i)), Posted::kPosted);
    }
    EXPECT_FALSE(edge->mesh().inbox(0).empty()) << "the first burst";
    edge->worker(0).round();
    const auto first = edge->sent(0);
    ASSERT_EQ(first.size(), Outbox::kBurst);
    EXPECT_EQ(first[0].text, "0");
    EXPECT_EQ(first[Outbox::kBurst - 1].text, std::to_string(Outbox::kBurst - 1));
    const auto last = sent();
    ASSERT_EQ(last.size(), 1U);
    EXPECT_EQ(last[0].text, std::to_string(Outbox::kBurst));
}

// However many pings wait, a REGISTER is answered behind a burst of them.
TEST_F(OutboxScene, PingsDelayARegisterByABurst) {
    for (unsigned i = 0; i < 20 * Outbox::kBurst; ++i) {
        ASSERT_EQ(post("ping"), Posted::kPosted);
    }
    outbox->flush();
    const auto seen = edge->ask(0, phone, Register{}.text());
    ASSERT_EQ(seen.size(), Outbox::kBurst + 1);
    EXPECT_TRUE(seen.back().text.starts_with("SIP/2.0 200 OK"));
    EXPECT_EQ(edge->counters(0).pings_sent.get(), Outbox::kBurst);
    while (!sent().empty()) {
    }
    EXPECT_EQ(edge->counters(0).pings_sent.get(), 20 * Outbox::kBurst);
}

// Nothing is lost and nothing is sent twice; nothing to be sent is nothing.
TEST_F(OutboxScene, AFullInboxIsSaidSo) {
    EXPECT_EQ(post(""), Posted::kNothing);
    unsigned posted = 0;
    while (post(std::to_string(posted)) == Posted::kPosted) {
        ASSERT_LE(++posted, Mesh::kInboxSlots + Outbox::kBurst);
    }
    EXPECT_EQ(post("more"), Posted::kFull);
    std::size_t came = 0;
    for (auto seen = sent(); !seen.empty(); seen = sent()) {
        for (const Seen& one : seen) {
            EXPECT_EQ(one.text, std::to_string(came++));
            EXPECT_TRUE(one.sums_right);
        }
    }
    EXPECT_EQ(came, posted);
    EXPECT_EQ(post("again"), Posted::kPosted);
    const auto again = sent();
    ASSERT_EQ(again.size(), 1U);
    expect_at_the_phone(again[0], "again");
}

}  // namespace
}  // namespace pinhole::io
