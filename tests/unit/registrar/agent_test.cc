// SPDX-License-Identifier: BSD-3-Clause
// What kind of phone a User-Agent tells of.
#include "dataplane/registrar/agent.h"

#include <gtest/gtest.h>

namespace pinhole::registrar {
namespace {

TEST(Agent, ByTheMakersName) {
    const std::uint8_t yealink = agent_of("Yealink SIP-T46U 108.86.0.90");
    EXPECT_EQ(agent_name(yealink), "Yealink");
    EXPECT_EQ(agent_of("yealink/1"), yealink);
    EXPECT_EQ(agent_name(agent_of("Grandstream GXP2170 1.0.11.39")), "Grandstream");
    EXPECT_EQ(agent_name(agent_of("PolycomVVX-VVX_411-UA/5.9.5.0614")), "PolycomVVX");
    EXPECT_EQ(agent_name(agent_of("snomD785/10.1.64.14")), "other");
    EXPECT_EQ(agent_name(agent_of("snom-D785")), "snom");
    EXPECT_EQ(agent_name(agent_of("FRITZ!OS")), "FRITZ!OS");
    for (const char* unknown : {"", " ", "/", "A phone of nobody", "Yealinkish"}) {
        EXPECT_EQ(agent_of(unknown), kOtherAgent) << unknown;
    }
    EXPECT_EQ(agent_name(kMixedAgents), "mixed");
    EXPECT_EQ(agent_name(200), "other");
}

}  // namespace
}  // namespace pinhole::registrar
