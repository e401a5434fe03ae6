// SPDX-License-Identifier: BSD-3-Clause
// What kind of phone a User-Agent tells of.
#include "dataplane/nat/agent.h"

#include <gtest/gtest.h>

namespace pinhole::nat {
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
    EXPECT_EQ(agent_name(agent_of("x-lite release 1011s")), "X-Lite");
    EXPECT_EQ(agent_name(agent_of("3CXPhone 6")), "other");
    EXPECT_EQ(agent_name(agent_of("3CX Phone 6")), "3CX");
    EXPECT_EQ(agent_name(agent_of("LinphoneiOS/4.6")), "LinphoneiOS");
    for (const char* unknown : {"", " ", "/", "A phone of nobody", "Yealinkish"}) {
        EXPECT_EQ(agent_of(unknown), kOtherAgent) << unknown;
    }
    EXPECT_EQ(agent_name(kMixedAgents), "mixed");
    EXPECT_EQ(agent_name(200), "other");
}

}  // namespace
}  // namespace pinhole::nat
