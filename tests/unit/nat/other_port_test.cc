// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/other_port.h"

#include "tests/unit/registrar/request_text.h"

#include <gtest/gtest.h>

namespace pinhole::nat {
namespace {

using registrar::flow_from;
using registrar::kHome;

// Of a phone whose packets come from 67.194.23.55:32947.
TEST(OtherPort, NeverAnotherAddressThanThePacketsOwn) {
    const struct {
        const char* contact;
        const char* path;
        std::uint16_t port;  // 0: none
    } cases[] = {
        {"sip:alice@67.194.23.55:5070", "", 5070},
        {"sip:alice@67.194.23.55", "", 5060},
        {"sip:alice@67.194.23.55;transport=udp", "", 5060},
        {"sip:67.194.23.55:1", "", 1},
        {"sip:alice@67.194.23.55:32947", "", 0},  // the flow itself
        {"sip:alice@67.194.23.55:5070", "<sip:198.51.100.9;lr>", 0},
        {"sip:alice@67.194.23.56:5070", "", 0},  // the victim's
        {"sip:alice@192.168.1.10:5070", "", 0},
        {"sip:alice@198.51.100.1:5060", "", 0},  // ours
        {"sip:alice@255.255.255.255:5060", "", 0},
        {"sip:alice@phone.example.com:5070", "", 0},
        {"sip:67.194.23.55@203.0.113.9:5070", "", 0},
        {"sip:alice@67.194.23.55.example.com:5070", "", 0},
        {"sip:alice@203.0.113.9;maddr=67.194.23.55", "", 0},
        {"sip:alice@[::ffff:203.0.113.9]:5070", "", 0},
        {"tel:+67194", "", 0},
        {"broken", "", 0},
    };
    for (const auto& c : cases) {
        table::ContactView view;
        view.uri = c.contact;
        view.path = c.path;
        view.state.flow = flow_from(kHome, 32947);
        const auto found = other_port(view);
        ASSERT_EQ(found.has_value(), c.port != 0) << c.contact;
        if (found) {
            net::Flow wanted = view.state.flow;
            wanted.their_udp_port = c.port;
            EXPECT_EQ(*found, wanted) << c.contact;
        }
    }
}

TEST(OtherPort, Ipv6) {
    table::ContactView view;
    view.uri = "sip:alice@[2001:DB8::7]:5070";
    view.state.flow.theirs = net::parse_address("2001:db8::7").value();
    view.state.flow.their_udp_port = 40000;
    ASSERT_TRUE(other_port(view).has_value());
    EXPECT_EQ(other_port(view)->their_udp_port, 5070);
}

}  // namespace
}  // namespace pinhole::nat
