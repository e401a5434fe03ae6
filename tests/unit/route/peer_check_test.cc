// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/peer_check.h"

#include "dataplane/route/ping.h"
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace pinhole::route {
namespace {

World two_peers() {
    return World(std::vector<net::Flow>{World::core_flow(false),
                                        flow(World::kEdge, 5060, "203.0.113.11", 5062)});
}

std::string check_text(const World& world, const Peer& peer) {
    std::array<char, 2048> buffer;
    sip::Writer out(buffer.data(), buffer.size());
    EXPECT_TRUE(build_peer_check(peer, *world.keys, world.now_us, out));
    return std::string(out.view());
}

TEST(PeerCheck, IsACompleteRequest) {
    const World world = two_peers();
    const Sent check{{}, check_text(world, world.peers[1])};
    sip::Message message;
    ASSERT_EQ(sip::parse(check.text, message), sip::ParseError::kOk) << check.text;
    EXPECT_EQ(check.first_line(), "OPTIONS sip:203.0.113.11:5062 SIP/2.0");
    EXPECT_TRUE(check.has("Via: SIP/2.0/UDP 198.51.100.1:5060;rport;branch=z9hG4bKC"));
    EXPECT_TRUE(check.has("\r\nTo: <sip:203.0.113.11:5062>\r\n"));
    EXPECT_TRUE(check.has("\r\nMax-Forwards: 70\r\n"));
    EXPECT_EQ(message.method, sip::Method::kOptions);
    EXPECT_EQ(message.content_length, 0);
    const Peers v6(std::array{flow("2001:db8::1", 5060, "2001:db8::9", 5060)});
    EXPECT_NE(check_text(world, v6[0]).find("OPTIONS sip:[2001:db8::9]:5060 SIP/2.0"),
              std::string::npos);
}

TEST(PeerCheck, NeverWritesPastItsRoom) {
    const World world = two_peers();
    const std::size_t whole = check_text(world, world.peers[0]).size();
    std::vector<char> buffer(whole + 8, '#');
    for (std::size_t room = 0; room < whole; ++room) {
        sip::Writer out(buffer.data(), room);
        EXPECT_FALSE(build_peer_check(world.peers[0], *world.keys, world.now_us, out));
        EXPECT_EQ(buffer[room], '#');
    }
}

TEST(PeerPong, NamesThePeerAndTheRoundTrip) {
    World world = two_peers();
    for (const std::size_t peer : {0u, 1u}) {
        const Sent check{{}, check_text(world, world.peers[peer])};
        world.now_us += 1'234;
        for (const unsigned code : {200u, 404u, 503u}) {
            const Sent got = world.receive(answer_to(check, code), world.peers[peer].flow, true);
            ASSERT_EQ(got.decision.kind, Kind::kPeerPong) << code;
            EXPECT_EQ(got.decision.peer_index, peer);
            EXPECT_EQ(got.decision.rtt_us, 1'234u);
            EXPECT_EQ(got.decision.code, code);
        }
        EXPECT_TRUE(world.receive(answer_to(check, 100), world.peers[peer].flow, true)
                        .dropped_for(DropReason::kKeepalive))
            << "a provisional answer is none";
    }
}

TEST(PeerPong, APeerMayAnswerFromAnotherPort) {
    World world = two_peers();
    const Sent check{{}, check_text(world, world.peers[0])};
    net::Flow by = world.peers[0].flow;
    by.their_udp_port = 40000;
    EXPECT_EQ(world.receive(answer_to(check, 200), by, true).decision.kind, Kind::kPeerPong);
}

TEST(PeerPong, OnlyThePeerItselfIsBelieved) {
    World world = two_peers();
    const std::string answer = answer_to({{}, check_text(world, world.peers[0])}, 200);
    const net::Flow first = world.peers[0].flow;
    EXPECT_TRUE(
        world.receive(answer, world.peers[1].flow, true).dropped_for(DropReason::kWrongSender))
        << "another peer";
    EXPECT_TRUE(
        world.receive(answer, World::stranger_flow(), false).dropped_for(DropReason::kWrongSender));
    EXPECT_TRUE(world.receive(answer, first, false).dropped_for(DropReason::kWrongSender))
        << "its address, forged where no peer may speak";
    // A peer that is configured no more.
    const Peers others(std::array{flow(World::kEdge, 5060, "203.0.113.99", 5060)});
    const std::string of_other = answer_to({{}, check_text(world, others[0])}, 200);
    EXPECT_TRUE(world.receive(of_other, first, true).dropped_for(DropReason::kWrongSender));
}

TEST(PeerPong, WithoutAGoodMacItIsNothing) {
    World world = two_peers();
    const Sent check{{}, check_text(world, world.peers[0])};
    const std::string answer = answer_to(check, 200);
    const net::Flow by = world.peers[0].flow;
    const std::size_t mark = answer.find("z9hG4bKC") + 8;
    for (std::size_t i = 0; i < 26; ++i) {
        std::string forged = answer;
        forged[mark + i] = forged[mark + i] == 'A' ? 'B' : 'A';
        const Sent got = world.receive(forged, by, true);
        EXPECT_TRUE(got.dropped_for(DropReason::kBadResponse)) << i;
    }
    EXPECT_TRUE(world.receive(replace(answer, " OPTIONS\r\n", " INVITE\r\n"), by, true)
                    .dropped_for(DropReason::kBadResponse));
    world.now_us += kMaxPongAge_us + 1;
    EXPECT_TRUE(world.receive(answer, by, true).dropped_for(DropReason::kBadResponse))
        << "too late";
    world.now_us -= kMaxPongAge_us + 1;
    world.use_keys({{.id = 1, .bytes = {9}}});
    EXPECT_TRUE(world.receive(answer, by, true).dropped_for(DropReason::kBadResponse))
        << "another's key";
}

TEST(PeerPong, AndAPhonesPongDontStandForEachOther) {
    World world = two_peers();
    const table::ContactId id = world.add({});
    std::array<char, 2048> buffer;
    sip::Writer out(buffer.data(), buffer.size());
    ASSERT_TRUE(build_ping({id, World::phone_flow(), "sip:100@192.168.1.10", "100@example.com"},
                           *world.keys, world.now_us, out));
    const std::string phones = answer_to({{}, std::string(out.view())}, 200);
    const std::string peers = answer_to({{}, check_text(world, world.peers[0])}, 200);
    EXPECT_EQ(world.receive(phones, world.peers[0].flow, true).decision.kind, Kind::kPong);
    EXPECT_TRUE(world.receive(replace(phones, "z9hG4bKP", "z9hG4bKC"), world.peers[0].flow, true)
                    .dropped_for(DropReason::kBadResponse));
    EXPECT_TRUE(world.receive(replace(peers, "z9hG4bKC", "z9hG4bKP"), World::phone_flow(), false)
                    .dropped_for(DropReason::kBadResponse));
}

}  // namespace
}  // namespace pinhole::route
