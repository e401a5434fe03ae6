// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/address.h"

#include "dataplane/net/flow.h"

#include <gtest/gtest.h>

namespace pinhole::net {
namespace {

TEST(Address, ParsesAndFormats) {
    struct Case {
        const char* text;
        const char* formatted;  // nullptr: refused
    };
    const Case cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:DB8:0::1]", "2001:db8::1"},
        {"::", "::"},
        {"::ffff:10.0.0.1", "10.0.0.1"},
        {"", nullptr},
        {"192.0.2", nullptr},
        {"192.0.2.1.", nullptr},
        {"192.0.2.256", nullptr},
        {" 192.0.2.1", nullptr},
        {"[192.0.2.1]", nullptr},
        {"[2001:db8::1", nullptr},
        {"fe80::1%eth0", nullptr},
        {"2001:db8::1::2", nullptr},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222", nullptr},
    };
    for (const Case& c : cases) {
        const auto address = parse_address(c.text);
        ASSERT_EQ(address.has_value(), c.formatted != nullptr) << c.text;
        if (address) {
            EXPECT_EQ(to_string(*address), c.formatted);
        }
    }
}

TEST(Address, EveryOctetIsWrittenAsItIs) {
    for (unsigned octet = 0; octet < 256; ++octet) {
        const Address a = Address::v4(0x0a000000 | octet << 8 | octet);
        const std::string expected = "10.0." + std::to_string(octet) + '.' + std::to_string(octet);
        EXPECT_EQ(to_string(a), expected);
        EXPECT_EQ(a.v4_host_order(), 0x0a000000 | octet << 8 | octet);
    }
}

TEST(Address, HostsOfSipHaveBracketsForIpv6Only) {
    char buffer[kMaxAddressText + 2];
    EXPECT_EQ(std::string(buffer, format_host(*parse_address("2001:db8::1"), buffer)),
              "[2001:db8::1]");
    EXPECT_EQ(std::string(buffer, format_host(*parse_address("192.0.2.1"), buffer)), "192.0.2.1");
}

TEST(Flow, ReadsAsOperatorsWriteIt) {
    Flow flow;
    flow.ours = *parse_address("2001:db8::1");
    flow.our_udp_port = 5060;
    flow.theirs = *parse_address("67.194.23.55");
    flow.their_udp_port = 32947;
    EXPECT_EQ(far_end(flow), "67.194.23.55:32947");
    EXPECT_EQ(near_end(flow), "[2001:db8::1]:5060");
}

}  // namespace
}  // namespace pinhole::net
