// SPDX-License-Identifier: BSD-3-Clause
// What a worker makes of calls that nobody should get: a peer's address where peers don't speak, and
// a flood of INVITEs for nobody.
#include "dataplane/route/answer.h"
#include "tests/eal/io/worker_scene.h"

#include <gmock/gmock.h>

#include <rte_mempool.h>

#include <string>

namespace pinhole::io {
namespace {

using testing::StartsWith;

std::string invite(const std::string& user, unsigned n = 1) {
    const std::string number = std::to_string(n);
    return "INVITE sip:" + user +
           "@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bK" + number +
           "\r\nMax-Forwards: 70\r\nFrom: <sip:eve@example.com>;tag=f\r\nTo: <sip:" + user +
           "@example.com>\r\nCall-ID: c" + number +
           "\r\nCSeq: 1 INVITE\r\nUser-Agent: as long as real ones are\r\n"
           "Content-Length: 0\r\n\r\n";
}

class Attacked : public WorkerScene {
  public:
    void SetUp() override {
        lay(1);
        ASSERT_EQ(edge->ask(0, to_edge(kNat, 32947), Register{}.text()).size(), 1U);
    }

    unsigned buffers_in_use() {
        return rte_mempool_in_use_count(edge->ports().device(0).info().rx_pool) +
               rte_mempool_in_use_count(edge->ports().big_pool());
    }
    // So many INVITEs, each for somebody else: all are answered so, and nothing of them stays.
    void flood(const net::Address& from, unsigned count, const std::string& status) {
        const unsigned before = buffers_in_use();
        for (unsigned n = 0; n < count; ++n) {
            const std::string text = invite("nobody-" + std::to_string(n), n);
            const auto seen = edge->ask(0, to_edge(from, 5060), text);
            ASSERT_EQ(seen.size(), 1U);
            ASSERT_THAT(seen[0].text, StartsWith("SIP/2.0 " + status));
            ASSERT_EQ(seen[0].datagram.dst, from);
            ASSERT_LE(seen[0].text.size(), route::answer_limit(text.size(), true));
        }
        EXPECT_EQ(buffers_in_use(), before);
        EXPECT_EQ(edge->counters(0).calls_in.get() + edge->counters(0).calls_out.get(), 0U);
        EXPECT_EQ(record("nobody-0"), nullptr);
    }
};

TEST_F(Attacked, APeersAddressOnAnAccessPortIsAStrangers) {
    edge->around().ports[0].role = edge::Role::kAccess;
    const auto refused = edge->ask(0, to_edge(kCore, kSip), invite("100"));
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_THAT(refused[0].text, StartsWith("SIP/2.0 403 "));
    EXPECT_EQ(refused[0].datagram.dst, kCore);
    EXPECT_EQ(edge->drops(0, DropReason::kStranger), 1U);
    EXPECT_EQ(edge->counters(0).calls_in.get(), 0U);

    edge->around().ports[0].role = edge::Role::kBoth;
    const auto call = edge->ask(0, to_edge(kCore, kSip), invite("100"));
    ASSERT_EQ(call.size(), 1U);
    EXPECT_EQ(call[0].datagram.dst, kNat);
    EXPECT_EQ(edge->counters(0).calls_in.get(), 1U);
}

TEST_F(Attacked, WhoIsNoPeerGetsNothingOnACorePort) {
    edge->around().ports[0].role = edge::Role::kCore;
    EXPECT_TRUE(edge->ask(0, to_edge(kNat, 32947), invite("200")).empty());
    EXPECT_EQ(edge->drops(0, DropReason::kStranger), 1U);
}

TEST_F(Attacked, StrangersFloodForNobody) {
    flood(address("192.0.2.66"), 3000, "403 ");
    EXPECT_EQ(edge->drops(0, DropReason::kStranger), 3000U);
    EXPECT_EQ(edge->responses(0, 403), 3000U);
}

TEST_F(Attacked, ThePeersFloodForNobody) {
    flood(kCore, 3000, "404 ");
    EXPECT_EQ(edge->responses(0, 404), 3000U);
}

}  // namespace
}  // namespace pinhole::io
