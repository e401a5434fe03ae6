// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/edge/edges.h"

#include <gtest/gtest.h>

namespace pinhole::edge::test {
namespace {

TEST(First, Registers) {
    Edges edges;
    const auto sent = edges.ask(
        0, from(kNat, 32947),
        "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
        "192.168.1.10:5060;branch=z9hG4bKa;rport\r\nMax-Forwards: 70\r\n"
        "From: <sip:100@example.com>;tag=f\r\nTo: <sip:100@example.com>\r\nCall-ID: c\r\nCSeq: 1 "
        "REGISTER\r\n"
        "Contact: <sip:100@192.168.1.10:5060>\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n");
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].code(), "200");
    EXPECT_EQ(edges.contacts("100"), 1U);
}

}  // namespace
}  // namespace pinhole::edge::test
