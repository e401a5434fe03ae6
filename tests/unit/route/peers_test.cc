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
    EXPECT_EQ(peers.choose("call"), nullptr);
    EXPECT_EQ(peers.by_hash(1), nullptr);
    EXPECT_FALSE(peers.index_of(address("203.0.113.10")));
}

TEST(Peers, RendezvousSpreadsAndMovesOnlyWhatItMust) {
    const Peers four(flows(4));
    const Peers three(flows(3));
    std::map<std::uint32_t, int> calls;
    for (int i = 0; i < 4000; ++i) {
        const std::string call_id = "call-" + std::to_string(i);
        const Peer* with_four = four.choose(call_id);
        ++calls[with_four->hash];
        EXPECT_EQ(with_four, four.choose(call_id));
        if (with_four->hash != four[3].hash) {
            EXPECT_EQ(three.choose(call_id)->hash, with_four->hash) << "a call moved for nothing";
        }
    }
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_GT(calls[four[i].hash], 800) << i;
        EXPECT_EQ(four.by_hash(four[i].hash), &four[i]);
        EXPECT_EQ(four.index_of(four[i].flow.theirs), i);
    }
    EXPECT_EQ(three.by_hash(four[3].hash), nullptr);
}

}  // namespace
}  // namespace pinhole::route
