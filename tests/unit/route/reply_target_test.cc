// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/reply_target.h"

#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::route {
namespace {

TEST(ReplyTarget, Rfc3261_18_2_2_WhereThePacketCameFromButForOneException) {
    const struct {
        const char* via;
        const char* from;
        std::uint16_t from_port;
        std::uint16_t answer_port;
    } cases[] = {
        {"SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK1;rport", "67.194.23.55", 32947, 32947},
        {"SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK1", "67.194.23.55", 32947, 32947},
        // No NAT, no rport: the phone listens where its Via says (RFC 3261 §18.2.2).
        {"SIP/2.0/UDP 67.194.23.55:5070;branch=z9hG4bK1", "67.194.23.55", 32947, 5070},
        {"SIP/2.0/UDP 67.194.23.55;branch=z9hG4bK1", "67.194.23.55", 32947, 5060},
        {"SIP/2.0/UDP 67.194.23.55:5070;branch=z9hG4bK1;rport", "67.194.23.55", 32947, 32947},
        {"SIP/2.0/UDP 67.194.23.55:5070;rport=5;branch=z9hG4bK1", "67.194.23.55", 32947, 32947},
        {"SIP/2.0/UDP [2001:db8::9]:5070;branch=z9hG4bK1", "2001:db8::9", 40000, 5070},
        {"SIP/2.0/UDP [2001:DB8:0::9];branch=z9hG4bK1", "2001:db8::9", 40000, 5060},
        // What it says of others is never an address to send to.
        {"SIP/2.0/UDP 203.0.113.99:5070;branch=z9hG4bK1", "67.194.23.55", 32947, 32947},
        {"SIP/2.0/UDP phone.example.com:5070;branch=z9hG4bK1", "67.194.23.55", 32947, 32947},
        {"SIP/2.0/UDP 192.168.1.10;maddr=67.194.23.55;received=67.194.23.55;branch=z9hG4bK1",
         "67.194.23.55", 32947, 32947},
    };
    for (const auto& c : cases) {
        sip::Via via;
        ASSERT_TRUE(sip::parse_via(c.via, via)) << c.via;
        const bool v6 = std::string(c.from).find(':') != std::string::npos;
        const net::Flow arrival =
            flow(v6 ? World::kEdge6 : World::kEdge, 5060, c.from, c.from_port);
        net::Flow want = arrival;
        want.their_udp_port = c.answer_port;
        EXPECT_EQ(answer_flow(via, arrival), want) << c.via;
        EXPECT_EQ(reply_via(want, arrival).add_rport, c.answer_port == c.from_port);
    }
}

}  // namespace
}  // namespace pinhole::route
