// SPDX-License-Identifier: BSD-3-Clause
// Answers to pings of phones and to checks of core peers, and calls that go out to a core peer.
#include "dataplane/route/peer_check.h"
#include "dataplane/route/ping.h"
#include "tests/unit/edge/edge_scene.h"

#include <gmock/gmock.h>

#include <array>
#include <string>

namespace pinhole::edge::test {
namespace {

using testing::StartsWith;

class RouteScene : public EdgeScene {
  public:
    void SetUp() override {
        lay();
        ASSERT_EQ(edge->ask(0, home, Register{}.text()).size(), 1U);
    }

    // With our Via first, as nearly all phones send it.
    std::string answer_to_ping(const route::PingTarget& target) {
        std::array<char, 1024> room;
        sip::Writer out(room.data(), room.size());
        EXPECT_TRUE(route::build_ping(target, edge->keys(), edge->now().us, out));
        std::string pong(out.view());
        EXPECT_THAT(pong, StartsWith("OPTIONS sip:100@192.168.1.10:5060 SIP/2.0\r\n"));
        pong.replace(0, pong.find("\r\n"), "SIP/2.0 200 OK");
        pong.replace(pong.find(";rport"), 6, ";received=198.51.100.1;rport=5060");
        return pong;
    }

    const net::Flow home = from(kNat, 32947);
};

TEST_F(RouteScene, ThePhonesAnswerToAPingGoesToTheControlThread) {
    const table::ContactView phone = contact("100");
    const std::string pong = answer_to_ping({phone.id, phone.state.flow, phone.uri, phone.aor});
    edge->pass_ms(20);
    EXPECT_TRUE(edge->ask(0, home, pong).empty());
    const auto& notices = edge->sink(0).pongs;
    ASSERT_EQ(notices.size(), 1U);
    EXPECT_EQ(notices[0].id, phone.id);
    EXPECT_EQ(notices[0].code, 200);
    EXPECT_EQ(notices[0].flow_matches, 1);
    EXPECT_EQ(notices[0].rtt_us, 20'000U);
}

// Its contact went while it was on its way, or a probe was answered from another address.
TEST_F(RouteScene, AnAnswerThatSaysNothingOfAContactIsDropped) {
    const table::ContactView phone = contact("100");
    table::ContactId gone = phone.id;
    ++gone.generation;
    const route::PingTarget of_gone{gone, phone.state.flow, phone.uri, phone.aor};
    EXPECT_TRUE(edge->ask(0, home, answer_to_ping(of_gone)).empty());
    EXPECT_EQ(edge->drops(0, DropReason::kBadResponse), 1U);
    const route::PingTarget probe{phone.id, phone.state.flow, phone.uri, phone.aor, true};
    EXPECT_TRUE(edge->ask(0, from(address("192.0.2.66"), 9000), answer_to_ping(probe)).empty());
    EXPECT_EQ(edge->drops(0, DropReason::kWrongSender), 1U);
    EXPECT_TRUE(edge->sink(0).pongs.empty());
    EXPECT_EQ(edge->counters(0).pongs.get() + edge->counters(0).wrong_target.get(), 0U);
    EXPECT_TRUE(edge->ask(0, home, answer_to_ping(probe)).empty());
    EXPECT_EQ(edge->sink(0).pongs.size(), 1U) << "the same from its own address";
}

TEST_F(RouteScene, APeersAnswerToACheckCountsWhereThePeerMaySpeak) {
    std::array<char, 1024> room;
    sip::Writer out(room.data(), room.size());
    ASSERT_TRUE(
        route::build_peer_check(edge->around().peers[0], edge->keys(), edge->now().us, out));
    std::string pong(out.view());
    pong.replace(0, pong.find("\r\n"), "SIP/2.0 405 Method Not Allowed");
    const auto& notices = edge->sink(0).peer_pongs;
    EXPECT_TRUE(edge->ask(0, home, pong).empty());
    EXPECT_TRUE(notices.empty()) << "from elsewhere";
    edge->around().ports[0].role = Role::kAccess;
    EXPECT_TRUE(edge->ask(0, from(kCore, kSip), pong).empty());
    EXPECT_TRUE(notices.empty()) << "from the peer's address at an access port";
    EXPECT_EQ(edge->drops(0, DropReason::kWrongSender), 2U);
    edge->around().ports[0].role = Role::kBoth;
    EXPECT_TRUE(edge->ask(0, from(kCore, kSip), pong).empty());
    ASSERT_EQ(notices.size(), 1U);
    EXPECT_EQ(notices[0].peer, 0);
    EXPECT_EQ(notices[0].code, 405);
}

TEST_F(RouteScene, RequestsToTheCoreNeedALivingPeerAndAreCountedWithoutOne) {
    const std::string message =
        "MESSAGE sip:200@example.com SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bKm1;rport\r\n"
        "From: <sip:100@example.com>;tag=a\r\nTo: <sip:200@example.com>\r\n"
        "Call-ID: m1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n";
    edge->peer_health().write_control(0, route::PeerState::kDown);
    const auto refused = edge->ask(0, home, message);
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_THAT(refused[0].text, StartsWith("SIP/2.0 503 "));
    EXPECT_TRUE(refused[0].has("\r\nRetry-After: "));
    EXPECT_EQ(edge->counters(0).no_peer.get(), 1U);
    edge->peer_health().write_control(0, route::PeerState::kUp);
    const auto sent = edge->ask(0, home, message);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].flow.theirs, kCore);
    EXPECT_EQ(edge->counters(0).no_peer.get(), 1U);
}

}  // namespace
}  // namespace pinhole::edge::test
