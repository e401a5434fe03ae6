// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/registrar/odd_contact.h"

#include <gtest/gtest.h>

namespace pinhole::registrar {
namespace {

TEST(OddContact, WhoseHostItIs) {
    sip::Identity identity;
    ASSERT_TRUE(identity.add_domain("example.com"));
    identity.add_local(net::parse_address("198.51.100.1").value(), 5060);
    identity.add_local(net::parse_address("2001:db8::1").value(), 5060);
    const struct {
        const char* uri;
        std::optional<OddContact> kind;
    } cases[] = {
        {"sip:alice@192.168.1.10:5060", std::nullopt},
        {"sip:alice@phone.example.net", std::nullopt},
        {"sip:alice@128.0.0.1", std::nullopt},
        {"sip:alice@[2001:db8::2]", std::nullopt},
        {"sip:alice@198.51.100.1:5070", std::nullopt},
        {"mailto:alice@localhost", std::nullopt},
        {"sip:alice@198.51.100.1", OddContact::kOurs},
        {"sip:alice@example.com", OddContact::kOurs},
        {"sip:[2001:db8::1]:5060", OddContact::kOurs},
        {"sip:alice@127.0.0.1", OddContact::kLoopback},
        {"sip:alice@127.9.9.9:5080", OddContact::kLoopback},
        {"sip:alice@LocalHost", OddContact::kLoopback},
        {"sip:alice@[::1]", OddContact::kLoopback},
        {"sip:alice@224.0.1.75", OddContact::kMulticast},
        {"sips:alice@239.1.2.3", OddContact::kMulticast},
        {"sip:alice@[ff05::2]", OddContact::kMulticast},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(odd_contact(c.uri, identity), c.kind) << c.uri;
    }
}

}  // namespace
}  // namespace pinhole::registrar
