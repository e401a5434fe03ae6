// SPDX-License-Identifier: BSD-3-Clause
// Which of several core peers a phone's request goes to when some of them are dead.
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace pinhole::route {
namespace {

class OutwardPeers : public ::testing::Test {
  protected:
    OutwardPeers() { world_.add({}); }

    static std::vector<net::Flow> flows() {
        return {flow(World::kEdge, 5060, "203.0.113.10", 5060),
                flow(World::kEdge, 5060, "203.0.113.11", 5060),
                flow(World::kEdge, 5060, "203.0.113.12", 5060)};
    }
    void set(std::size_t peer, PeerState state) { world_.peer_health.write_control(peer, state); }
    void kill_all() {
        for (std::size_t i = 0; i < world_.peers.size(); ++i) {
            set(i, PeerState::kDown);
        }
    }
    [[nodiscard]] std::size_t peer_of(const Sent& sent) const {
        return world_.peers.index_of(sent.decision.flow.theirs).value_or(99);
    }

    World world_{flows()};
};

// The first call, so that a test knows which peer it begins at.
std::string call(int number) {
    std::string text = replace(kInviteOut, "out-1", "out-" + std::to_string(number));
    return replace(text, "z9hG4bKphone1", "z9hG4bKphone" + std::to_string(number));
}

TEST_F(OutwardPeers, NewCallsGoToTheLiving) {
    std::set<std::size_t> met;
    set(1, PeerState::kDown);
    for (int i = 0; i < 50; ++i) {
        const Sent sent = world_.from_phone(call(i));
        ASSERT_TRUE(sent.forwarded());
        met.insert(peer_of(sent));
    }
    EXPECT_EQ(met, (std::set<std::size_t>{0, 2}));
}

TEST_F(OutwardPeers, WhatIsInFlightStaysWithItsPeer) {
    const Sent invite = world_.from_phone(kInviteOut);
    const std::size_t peer = peer_of(invite);
    set(peer, PeerState::kDown);
    const Sent again = world_.from_phone(kInviteOut);
    EXPECT_EQ(peer_of(again), peer) << "a retransmission";
    EXPECT_EQ(again.text, invite.text) << "byte for byte";
    const Sent cancel = world_.from_phone(with_method(kInviteOut, "INVITE", "CANCEL"));
    ASSERT_TRUE(cancel.forwarded());
    EXPECT_EQ(peer_of(cancel), peer);
    EXPECT_EQ(cancel.values(sip::HeaderId::kVia)[0], invite.values(sip::HeaderId::kVia)[0])
        << "RFC 3261 §9.1: one branch";
    const Sent ack = world_.from_phone(with_method(kInviteOut, "INVITE", "ACK"));
    EXPECT_EQ(peer_of(ack), peer) << "the ACK to a failure";
    EXPECT_EQ(world_.receive(answer_to(invite, 487), world_.peers[peer].flow, true).decision.flow,
              World::phone_flow())
        << "a dead peer's answer is as good as any";
    const Sent next = world_.from_phone(call(2));
    EXPECT_NE(peer_of(next), peer);
    kill_all();
    EXPECT_EQ(peer_of(world_.from_phone(with_method(kInviteOut, "INVITE", "CANCEL"))), peer);
}

TEST_F(OutwardPeers, AnAnswerOfAnotherPeerIsNone) {
    const Sent invite = world_.from_phone(kInviteOut);
    const std::size_t other = (peer_of(invite) + 1) % world_.peers.size();
    EXPECT_TRUE(world_.receive(answer_to(invite, 200), world_.peers[other].flow, true)
                    .dropped_for(DropReason::kWrongSender));
}

TEST_F(OutwardPeers, APeerThatComesBackMovesNoCallInFlight) {
    const std::size_t favourite = peer_of(world_.from_phone(kInviteOut));
    set(favourite, PeerState::kDown);
    const std::string text = replace(kInviteOut, "z9hG4bKphone1", "z9hG4bKlater");
    const Sent invite = world_.from_phone(text);
    ASSERT_NE(peer_of(invite), favourite);
    set(favourite, PeerState::kUp);
    EXPECT_EQ(world_.from_phone(text).text, invite.text);
    EXPECT_EQ(peer_of(world_.from_phone(with_method(text, "INVITE", "CANCEL"))), peer_of(invite));
}

TEST_F(OutwardPeers, OtherMethodsRetransmissionsStayForAsLongAsTheyMayCome) {
    for (const char* method : {"MESSAGE", "SUBSCRIBE", "PUBLISH", "FOO"}) {
        World world(flows());
        world.add({});
        const std::string text = with_method(kInviteOut, "INVITE", method);
        const Sent first = world.from_phone(text);
        const unsigned peer = world.peers.index_of(first.decision.flow.theirs).value();
        world.peer_health.write_control(peer, PeerState::kDown);
        world.now_us += 31'000'000;
        EXPECT_EQ(world.from_phone(text).text, first.text) << method;
        world.now_us += 2'000'000;
        EXPECT_NE(world.from_phone(text).decision.flow, first.decision.flow)
            << method << ": nothing in flight is that old";
    }
}

TEST_F(OutwardPeers, AnInviteKeepsItsBranchWhenKeysChange) {
    const Sent invite = world_.from_phone(kInviteOut);
    world_.use_keys({{.id = 2, .bytes = {7}}, {.id = 1, .bytes = {1, 2, 3}}});
    const Sent cancel = world_.from_phone(with_method(kInviteOut, "INVITE", "CANCEL"));
    EXPECT_EQ(cancel.values(sip::HeaderId::kVia)[0], invite.values(sip::HeaderId::kVia)[0]);
}

TEST_F(OutwardPeers, ADialogStaysWithItsPeerDeadOrAlive) {
    const Sent invite = world_.from_phone(kInviteOut);
    const std::size_t peer = peer_of(invite);
    const std::string route = invite.values(sip::HeaderId::kRecordRoute).at(0);
    kill_all();
    std::string bye = with_method(kInviteOut, "INVITE", "BYE");
    bye = replace(bye, "Max-Forwards: 70", "Max-Forwards: 70\nRoute: " + route);
    bye = replace(bye, "z9hG4bKphone1", "z9hG4bKbye");
    const Sent sent = world_.from_phone(bye);
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(peer_of(sent), peer);
}

TEST_F(OutwardPeers, AllDeadIs503AndNotAllAtOnceAgain) {
    kill_all();
    std::set<std::string> waits;
    for (int i = 0; i < 100; ++i) {
        const Sent sent = world_.from_phone(call(i));
        ASSERT_TRUE(sent.replied(503)) << sent.text;
        EXPECT_TRUE(sent.decision.no_peer);
        const auto wait = sent.values(sip::HeaderId::kRetryAfter);
        ASSERT_EQ(wait.size(), 1u);
        EXPECT_GE(std::stoi(wait[0]), 5);
        EXPECT_LE(std::stoi(wait[0]), 19);
        waits.insert(wait[0]);
    }
    EXPECT_GT(waits.size(), 10u);
    EXPECT_EQ(world_.from_phone(with_method(kInviteOut, "INVITE", "ACK")).decision.kind,
              Kind::kDrop)
        << "an ACK is never answered";
}

TEST_F(OutwardPeers, HelpIsSoughtAtADeadPeerRatherThanNotAtAll) {
    const std::string help = replace(kInviteOut, "sip:200@example.com SIP", "urn:service:sos SIP");
    set(0, PeerState::kDown);
    set(2, PeerState::kDown);
    EXPECT_EQ(peer_of(world_.from_phone(help)), 1u) << "a living one, if there is one";
    kill_all();
    EXPECT_TRUE(world_.from_phone(replace(help, "z9hG4bKphone1", "z9hG4bKp2")).forwarded());
    EXPECT_TRUE(world_.receive(help, World::stranger_flow(), false).forwarded());
}

TEST_F(OutwardPeers, WhoIsNotRegisteredFillsNoPins) {
    const std::string help = replace(kInviteOut, "sip:200@example.com SIP", "urn:service:sos SIP");
    const net::Flow by = World::stranger_flow();
    const Sent first = world_.receive(help, by, false);
    ASSERT_TRUE(first.forwarded());
    Pin pin;
    sip::Message message;
    const std::string wire = crlf(help);
    ASSERT_EQ(sip::parse(wire, message), sip::ParseError::kOk);
    TopVia top;
    ASSERT_TRUE(read_top_via(message, top));
    const PinKey key = PinKey::of(by, transaction_hash(message, top.via));
    EXPECT_FALSE(world_.pins.find_any(key, world_.now_us / 1000, pin));
}

TEST_F(OutwardPeers, CallsInAreTakenFromADeadPeerToo) {
    kill_all();
    EXPECT_TRUE(world_.from_core(kInvite).forwarded());
}

}  // namespace
}  // namespace pinhole::route
