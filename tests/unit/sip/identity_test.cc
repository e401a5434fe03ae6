// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/identity.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::sip {
namespace {

Identity make() {
    Identity identity;
    EXPECT_TRUE(identity.add_domain("Example.com"));
    EXPECT_TRUE(identity.add_domain("other.example:5090"));
    EXPECT_TRUE(identity.add_domain("192.0.2.9"));
    identity.add_local(*net::parse_address("198.51.100.1"), 5060);
    identity.add_local(*net::parse_address("198.51.100.1"), 5080);
    identity.add_local(*net::parse_address("2001:db8::1"), 5060);
    return identity;
}

TEST(Identity, OursAndOthers) {
    const Identity identity = make();
    const struct {
        const char* uri;
        bool ours;
    } cases[] = {
        {"sip:example.com", true},         {"sip:100@EXAMPLE.COM;transport=udp", true},
        {"sip:100@example.com.", true},    {"sips:100@example.com", true},
        {"sip:example.com:5060", true},    {"sip:example.com:5080", true},
        {"sip:example.com:5081", false},   {"sip:www.example.com", false},
        {"sip:xample.com", false},         {"sip:other.example:5090", true},
        {"sip:other.example", false},      {"sip:192.0.2.9", true},
        {"sip:198.51.100.1", true},        {"sip:198.51.100.1:5080", true},
        {"sip:198.51.100.1:5081", false},  {"sip:198.51.100.2", false},
        {"sip:[2001:db8::1]", true},       {"sip:[2001:DB8:0:0::1]:5060", true},
        {"sip:[2001:db8::1]:5080", false}, {"tel:+15551234", false},
    };
    for (const auto& c : cases) {
        Uri uri;
        ASSERT_TRUE(parse_uri(c.uri, uri)) << c.uri;
        EXPECT_EQ(identity.is_ours(uri), c.ours) << c.uri;
    }
}

TEST(Identity, AddressesAndDefaultDomain) {
    const Identity identity = make();
    EXPECT_EQ(identity.default_domain(), "example.com");
    EXPECT_TRUE(identity.is_local_address("198.51.100.1", 0));
    EXPECT_FALSE(identity.is_local_address("192.0.2.9", 0));
    EXPECT_FALSE(identity.is_local_address("example.com", 0));
}

TEST(Identity, RefusesWhatIsNoHost) {
    Identity identity;
    for (const char* text :
         {"", "sip:example.com", "exa mple.com", "example.com:99999", "[2001:db8::1"}) {
        EXPECT_FALSE(identity.add_domain(text)) << text;
    }
    EXPECT_FALSE(identity.is_ours("", 0));
    EXPECT_FALSE(identity.is_ours(std::string(1000, 'a'), 0));
}

}  // namespace
}  // namespace pinhole::sip
