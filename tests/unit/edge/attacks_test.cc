// SPDX-License-Identifier: BSD-3-Clause
// Calls that must not get through: from a peer's address at a port where peers don't speak, and a
// flood of INVITEs to users that don't exist.
#include "dataplane/route/answer.h"
#include "tests/unit/edge/edge_scene.h"

#include <gmock/gmock.h>

#include <string>

namespace pinhole::edge::test {
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

class Attacked : public EdgeScene {
  public:
    void SetUp() override {
        lay();
        ASSERT_EQ(edge->ask(0, from(kNat, 32947), Register{}.text()).size(), 1U);
    }

    // Sends `count` INVITEs, each to another user. All get `status`, and the edge keeps nothing.
    void flood(const net::Address& source, unsigned count, const std::string& status) {
        for (unsigned n = 0; n < count; ++n) {
            const std::string text = invite("nobody-" + std::to_string(n), n);
            const auto seen = edge->ask(0, from(source, 5060), text);
            ASSERT_EQ(seen.size(), 1U);
            ASSERT_THAT(seen[0].text, StartsWith("SIP/2.0 " + status));
            ASSERT_EQ(seen[0].flow.theirs, source);
            ASSERT_LE(seen[0].text.size(), route::answer_limit(text.size(), true));
        }
        EXPECT_EQ(edge->held(0), 0U);
        EXPECT_EQ(edge->counters(0).calls_in.get() + edge->counters(0).calls_out.get(), 0U);
        EXPECT_EQ(record("nobody-0"), nullptr);
    }
};

TEST_F(Attacked, OnAnAccessPortAPeersAddressIsAStranger) {
    edge->around().ports[0].role = Role::kAccess;
    const auto refused = edge->ask(0, from(kCore, kSip), invite("100"));
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_THAT(refused[0].text, StartsWith("SIP/2.0 403 "));
    EXPECT_EQ(refused[0].flow.theirs, kCore);
    EXPECT_EQ(edge->drops(0, DropReason::kStranger), 1U);
    EXPECT_EQ(edge->counters(0).calls_in.get(), 0U);

    edge->around().ports[0].role = Role::kBoth;
    const auto call = edge->ask(0, from(kCore, kSip), invite("100"));
    ASSERT_EQ(call.size(), 1U);
    EXPECT_EQ(call[0].flow.theirs, kNat);
    EXPECT_EQ(edge->counters(0).calls_in.get(), 1U);
}

TEST_F(Attacked, OnACorePortAStrangerGetsNoAnswer) {
    edge->around().ports[0].role = Role::kCore;
    EXPECT_TRUE(edge->ask(0, from(kNat, 32947), invite("200")).empty());
    EXPECT_EQ(edge->drops(0, DropReason::kStranger), 1U);
}

TEST_F(Attacked, AStrangersFloodToUnknownUsers) {
    flood(address("192.0.2.66"), 3000, "403 ");
    EXPECT_EQ(edge->drops(0, DropReason::kStranger), 3000U);
    EXPECT_EQ(edge->responses(0, 403), 3000U);
}

TEST_F(Attacked, APeersFloodToUnknownUsers) {
    flood(kCore, 3000, "404 ");
    EXPECT_EQ(edge->responses(0, 404), 3000U);
}

}  // namespace
}  // namespace pinhole::edge::test
