// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/peers.h"

#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace pinhole::route {
namespace {

std::vector<net::Flow> flows(int count) {
    std::vector<net::Flow> out;
    for (int i = 0; i < count; ++i) {
        out.push_back(flow(World::kEdge, 5060, "203.0.113." + std::to_string(10 + i), 5060));
    }
    return out;
}

TEST(Peers, NoneMeansNone) {
    const Peers peers;
    EXPECT_EQ(peers.choose("call", PeerHealth(0)), nullptr);
    EXPECT_EQ(peers.choose_any("call"), nullptr);
    EXPECT_EQ(peers.by_hash(1), nullptr);
    EXPECT_FALSE(peers.index_of(address("203.0.113.10")));
}

TEST(Peers, RendezvousSpreadsAndMovesOnlyWhatItMust) {
    const Peers four(flows(4));
    const Peers three(flows(3));
    const PeerHealth health(4);
    std::map<std::uint32_t, int> calls;
    for (int i = 0; i < 4000; ++i) {
        const std::string call_id = "call-" + std::to_string(i);
        const Peer* with_four = four.choose(call_id, health);
        ++calls[with_four->hash];
        EXPECT_EQ(with_four, four.choose(call_id, health));
        if (with_four->hash != four[3].hash) {
            EXPECT_EQ(three.choose(call_id, health)->hash, with_four->hash)
                << "a call moved for nothing";
        }
    }
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_GT(calls[four[i].hash], 800) << i;
        EXPECT_EQ(four.by_hash(four[i].hash), &four[i]);
        EXPECT_EQ(four.index_of(&four[i]), i);
        EXPECT_EQ(four.index_of(four[i].flow.theirs), i);
    }
    EXPECT_EQ(three.by_hash(four[3].hash), nullptr);
}

TEST(Peers, ADeadOnesCallsSpreadAndNoOthersMove) {
    const Peers peers(flows(4));
    PeerHealth all(4);
    all.write_control(1, PeerState::kUp);
    PeerHealth without(4);
    without.write_control(2, PeerState::kDown);
    std::map<std::uint32_t, int> taken_over;
    for (int i = 0; i < 4000; ++i) {
        const std::string call_id = "call-" + std::to_string(i);
        const Peer* before = peers.choose(call_id, all);
        const Peer* after = peers.choose(call_id, without);
        EXPECT_EQ(peers.choose_any(call_id), before);
        ASSERT_NE(after, &peers[2]);
        if (before == &peers[2]) {
            ++taken_over[after->hash];
        } else {
            EXPECT_EQ(after, before) << "a call moved for nothing";
        }
    }
    for (const std::size_t i : {0u, 1u, 3u}) {
        EXPECT_GT(taken_over[peers[i].hash], 200) << "the dead one's share falls on few: " << i;
    }
}

TEST(Peers, AllDeadMeansNoneUnlessAnyWillDo) {
    const Peers peers(flows(2));
    PeerHealth health(2);
    EXPECT_NE(peers.choose("call", health), nullptr) << "unknown is no reason to refuse";
    health.write_control(0, PeerState::kDown);
    EXPECT_EQ(peers.choose("call", health), &peers[1]);
    health.write_control(1, PeerState::kDown);
    EXPECT_EQ(peers.choose("call", health), nullptr);
    EXPECT_NE(peers.choose_any("call"), nullptr);
    health.write_control(0, PeerState::kUp);
    EXPECT_EQ(peers.choose("call", health), &peers[0]);
}

}  // namespace
}  // namespace pinhole::route
