// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/via.h"

#include "dataplane/sip/reply.h"
#include "tests/unit/sip/samples.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::sip {
namespace {

TEST(Via, Rfc3261_20_42_Phone) {
    Via via;
    ASSERT_TRUE(parse_via("SIP/2.0/UDP 192.168.1.10:5062;rport;branch=z9hG4bK28", via));
    EXPECT_EQ(via.transport, "UDP");
    EXPECT_EQ(via.host, "192.168.1.10");
    EXPECT_EQ(via.sent_by, "192.168.1.10:5062");
    EXPECT_EQ(via.port, 5062);
    EXPECT_EQ(via.branch, "z9hG4bK28");
    EXPECT_TRUE(via.has_rport);
    EXPECT_EQ(via.rport, 0);
    EXPECT_TRUE(via.has_magic_cookie());
}

TEST(Via, Rfc3261_20_42_AllParameters) {
    Via via;
    ASSERT_TRUE(
        parse_via("SIP/2.0/udp [2001:db8::9];maddr=239.1.1.1;ttl=16;received=2001:db8::1;"
                  "RPORT=40000;Branch=abc;alias;x=\"a;b\"",
                  via));
    EXPECT_EQ(via.host, "[2001:db8::9]");
    EXPECT_EQ(via.port, 0);
    EXPECT_EQ(via.maddr, "239.1.1.1");
    EXPECT_EQ(via.ttl, 16);
    EXPECT_EQ(via.received, "2001:db8::1");
    EXPECT_EQ(via.rport, 40000);
    EXPECT_EQ(via.branch, "abc");
    EXPECT_FALSE(via.has_magic_cookie());
}

TEST(Via, WhatRealPhonesSend) {
    Via via;
    EXPECT_TRUE(parse_via("SIP/2.0/UDP 192.0.2.1", via));  // no branch: RFC 2543
    EXPECT_EQ(via.branch, "");
    EXPECT_FALSE(via.has_rport);
    EXPECT_TRUE(parse_via("SIP/2.0/UDP phone:5060;", via));
    EXPECT_TRUE(parse_via("SIP / 2.0 / UDP  phone : 5060 ; branch = x", via));
    EXPECT_EQ(via.port, 5060);
    EXPECT_EQ(via.branch, "x");
    EXPECT_TRUE(parse_via("sip/2.0/TLS-SCTP my_phone;rport=", via));
    EXPECT_TRUE(via.has_rport);
    EXPECT_TRUE(parse_via("SIP/2.0/UDP h;rport=abc;ttl=999", via));
    EXPECT_TRUE(via.has_rport);
    EXPECT_EQ(via.rport, 0);
    EXPECT_EQ(via.ttl, 0);
    EXPECT_TRUE(parse_via("SIP/2.0/UDP h;branch=z9hG4bK", via));
    EXPECT_FALSE(via.has_magic_cookie());  // a cookie and nothing else identifies nothing
}

// Not refused for its version: the 505 must find its way.
TEST(Via, AnotherVersionIsKept) {
    Via via;
    ASSERT_TRUE(parse_via("SIP / 7.0/UDP h:5070;branch=x", via));
    EXPECT_EQ(via.version, "7.0");
    EXPECT_EQ(via.port, 5070);
    std::array<char, 128> text;
    Writer out(text.data(), text.size());
    write_received_via(via, {net::Address::v4(0xc0000201), 40000}, out);
    EXPECT_EQ(out.view(), "SIP/7.0/UDP h:5070;branch=x;received=192.0.2.1;rport=40000");
}

TEST(Via, Bad) {
    for (const char* text : {"",
                             "SIP/2.0/UDP",
                             "SIP/2.0/UDP ",
                             "SIP/2.0 h",
                             "SIP/3/UDP h",
                             "SIP/x.0/UDP h",
                             "SIP/3./UDP h",
                             "SIP/.3/UDP h",
                             "HTTP/2.0/UDP h",
                             "SIP/2.0/UDP h:",
                             "SIP/2.0/UDP h:70000",
                             "SIP/2.0/UDP h x",
                             "SIP/2.0/UDP ;branch=x",
                             "SIP/2.0/UDP h;=x",
                             "SIP/2.0/UDP h;a=\"b",
                             "SIP/2.0/UDP h;a b",
                             "SIP/2.0/ h",
                             "SIP/2.0/UDP [::1",
                             "SIP/2.0/UDP h<x>",
                             "SIP/2.0/UDP a@b",
                             "SIP/2.0/UDP h;branch=a<b"}) {
        Via via;
        EXPECT_FALSE(parse_via(text, via)) << text;
    }
}

TEST(Via, Rfc3261_7_3_1_ParametersThatAreToldAnewComeOnce) {
    Via via;
    EXPECT_TRUE(parse_via("SIP/2.0/UDP h;rport;received=1.1.1.1;rport=5;received=2.2.2.2", via));
    EXPECT_EQ(via.told_count, 4);
    std::string many = "SIP/2.0/UDP h";
    for (std::size_t i = 0; i <= Via::kMaxTold; ++i) {
        many += ";rport";
    }
    EXPECT_FALSE(parse_via(many, via));
}

TEST(Via, TopIsTheFirstOfTheFirst) {
    const std::string text = samples::request("Via: SIP/2.0/UDP second\r\n");
    Message message;
    ASSERT_EQ(parse(text, message), ParseError::kOk);
    ASSERT_NE(message.top_via(), nullptr);
    EXPECT_EQ(message.top_via()->host, "192.0.2.1");

    std::string list = samples::request();
    list.replace(list.find("Via: "), 5, "Via: SIP/2.0/UDP first;x=\"a,b\" , ");
    ASSERT_EQ(parse(list, message), ParseError::kOk);
    ASSERT_NE(message.top_via(), nullptr);
    EXPECT_EQ(message.top_via()->host, "first");
    EXPECT_EQ(message.top_via()->text, "SIP/2.0/UDP first;x=\"a,b\"");
}

}  // namespace
}  // namespace pinhole::sip
