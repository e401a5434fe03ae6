// SPDX-License-Identifier: BSD-3-Clause
// The same REGISTER as different gateways leave it. The phone is 192.168.1.10:5060, seen as
// 67.194.23.55:32947, the edge 198.51.100.1.
#include "dataplane/nat/alg.h"

#include "tests/unit/registrar/request_text.h"

#include <gtest/gtest.h>

namespace pinhole::nat {
namespace {

using registrar::flow_from;
using registrar::kHome;
using registrar::kOffice;

struct Text {
    std::string via = "192.168.1.10:5060";
    std::string contact = "sip:alice@192.168.1.10:5060";
    std::string call_id = "4f2a@192.168.1.10";
    std::string from = "sip:alice@example.com";
    std::string to = "sip:alice@example.com";
    std::string extra;
    std::string body;
    int said_less = 0;  // by how much Content-Length is less than the body

    [[nodiscard]] std::string text() const {
        return "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP " + via +
               ";branch=z9hG4bK1;rport\r\nFrom: <" + from + ">;tag=f\r\nTo: <" + to +
               ">\r\nCall-ID: " + call_id + "\r\nCSeq: 1 REGISTER\r\nContact: <" + contact +
               ">\r\n" + extra +
               "Content-Length: " + std::to_string(static_cast<int>(body.size()) - said_less) +
               "\r\n\r\n" + body;
    }
};

Alg judged(const Text& text, const net::Flow& flow = flow_from(kHome, 32947)) {
    const std::string wire = text.text();
    sip::Message message;
    EXPECT_EQ(sip::parse(wire, message), sip::ParseError::kOk) << wire;
    return alg_of(message, text.contact, flow);
}

std::string digest(const std::string& uri) {
    return "Authorization: Digest username=\"alice\",realm=\"example.com\",nonce=\"n\",uri=\"" +
           uri + "\",response=\"00000000000000000000000000000000\"\r\n";
}

constexpr const char* kPublic = "67.194.23.55:32947";
constexpr const char* kPublicContact = "sip:alice@67.194.23.55:32947";

struct Case {
    const char* what;
    Text text;
    Alg alg;
};

TEST(Alg, ViaAndContactAgainstTheFlow) {
    const Case cases[] = {
        {"a plain NAT", {}, Alg::kNone},
        {"a name in the Contact", {.contact = "sip:alice@phone.local"}, Alg::kNone},
        {"names in both", {.via = "phone.local", .contact = "sip:alice@phone.local"}, Alg::kNone},
        {"the phone listens elsewhere than it sends from",
         {.contact = "sip:alice@192.168.1.10:5070"},
         Alg::kNone},
        {"two of the phone's own addresses", {.contact = "sip:alice@10.0.0.7"}, Alg::kNone},
        {"all rewritten, but for the Call-ID",
         {.via = kPublic, .contact = kPublicContact},
         Alg::kConsistent},
        {"the Call-ID too, which nobody can tell from a phone without NAT",
         {.via = kPublic, .contact = kPublicContact, .call_id = "4f2a@67.194.23.55"},
         Alg::kNone},
        {"a Call-ID without host",
         {.via = kPublic, .contact = kPublicContact, .call_id = "4f2a"},
         Alg::kNone},
        {"the Call-ID has the port with it",
         {.via = kPublic, .contact = kPublicContact, .call_id = "4f2a@192.168.1.10:5060"},
         Alg::kConsistent},
        {"the phone's address in From",
         {.via = kPublic,
          .contact = kPublicContact,
          .call_id = "4f2a",
          .from = "sip:alice@192.168.1.10"},
         Alg::kConsistent},
        {"a name in the Contact, the Via rewritten",
         {.via = kPublic, .contact = "sip:alice@phone.local"},
         Alg::kConsistent},
        {"the Via alone", {.via = kPublic}, Alg::kHalf},
        {"the Contact alone", {.contact = kPublicContact}, Alg::kHalf},
        {"the address without the port in one",
         {.via = kPublic, .contact = "sip:alice@67.194.23.55:5060"},
         Alg::kHalf},
        {"a port that isn't said is 5060",
         {.via = kPublic, .contact = "sip:alice@67.194.23.55"},
         Alg::kHalf},
        {"the address without the port in both",
         {.via = "67.194.23.55", .contact = "sip:alice@67.194.23.55:5060"},
         Alg::kHalf},
        {"the Contact at another address",
         {.via = kPublic, .contact = "sip:alice@203.0.113.9:32947"},
         Alg::kBroken},
        {"the same, the Via untouched", {.contact = "sip:alice@203.0.113.9:5060"}, Alg::kBroken},
        {"the Via at another address", {.via = "203.0.113.9:5060"}, Alg::kBroken},
        {"a phone with a public address of its own behind a NAT",
         {.via = "203.0.113.9:5060", .contact = "sip:alice@203.0.113.9:5060"},
         Alg::kNone},
        {"the Contact is the edge", {.contact = "sip:alice@198.51.100.1:5060"}, Alg::kBroken},
        {"the Via is", {.via = "198.51.100.1:5060"}, Alg::kBroken},
        {"a carrier's NAT (RFC 6598)",
         {.via = "100.64.3.4", .contact = "sip:alice@100.127.255.255"},
         Alg::kNone},
        {"not RFC 6598's any more", {.contact = "sip:alice@100.128.0.1"}, Alg::kBroken},
        {"172.31 is inside, 172.32 is not", {.contact = "sip:alice@172.31.0.1"}, Alg::kNone},
        {"see above", {.contact = "sip:alice@172.32.0.1"}, Alg::kBroken},
        {"a Contact that can't be read", {.contact = "tel:+1555"}, Alg::kNone},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(judged(c.text), c.alg) << c.what;
    }
}

TEST(Alg, TheRestOfTheMessage) {
    const Case cases[] = {
        {"the digest is over the same request URI",
         {.extra = digest("sip:example.com")},
         Alg::kNone},
        {"whatever its case or port", {.extra = digest("sip:EXAMPLE.com:5060")}, Alg::kNone},
        {"the request URI was rewritten", {.extra = digest("sip:pbx.example.net")}, Alg::kHalf},
        {"a digest that can't be read", {.extra = "Authorization: Digest x\r\n"}, Alg::kNone},
        {"From alone is the gateway's", {.from = "sip:alice@67.194.23.55"}, Alg::kHalf},
        {"From and To are",  // as of a registrar at that address
         {.from = "sip:alice@67.194.23.55", .to = "sip:alice@67.194.23.55"},
         Alg::kNone},
        {"From is, all else well done",
         {.via = kPublic, .contact = kPublicContact, .from = "sip:alice@67.194.23.55"},
         Alg::kHalf},
        {"a body, as long as said", {.body = "v=0\r\n"}, Alg::kNone},
        {"line ends behind it", {.body = "v=0\r\n\r\n", .said_less = 2}, Alg::kNone},
        {"longer than said", {.body = "v=0 and more", .said_less = 4}, Alg::kBroken},
        {"longer, and else half",
         {.via = kPublic, .body = "v=0 and more", .said_less = 4},
         Alg::kBroken},
        {"broken stays broken",
         {.via = "203.0.113.9", .extra = digest("sip:pbx.example.net")},
         Alg::kBroken},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(judged(c.text), c.alg) << c.what;
    }
}

TEST(Alg, WithoutNat) {
    const net::Flow flow = flow_from(kHome, 5060);
    const Text plain{.via = "67.194.23.55:5060",
                     .contact = "sip:alice@67.194.23.55",
                     .call_id = "4f2a@67.194.23.55"};
    EXPECT_EQ(judged(plain, flow), Alg::kNone);
    // It sends from another port than it listens at.
    EXPECT_EQ(judged(plain, flow_from(kHome, 40000)), Alg::kNone);
    // In an operator's own network the packet's source is a private address.
    const net::Flow within = flow_from(0x0a000007, 5060);
    EXPECT_EQ(judged({.via = "10.0.0.7", .contact = "sip:alice@10.0.0.7", .call_id = "1@10.0.0.7"},
                     within),
              Alg::kNone);
}

TEST(Alg, Ipv6) {
    net::Flow flow = flow_from(kHome, 32947);
    flow.theirs = net::parse_address("2001:db8:1::7").value();
    flow.ours = net::parse_address("2001:db8::1").value();
    EXPECT_EQ(
        judged({.via = "[2001:db8:1::7]:32947", .contact = "sip:a@[2001:DB8:1::7]:32947"}, flow),
        Alg::kConsistent);
    EXPECT_EQ(judged({.via = "[fd00::7]", .contact = "sip:a@[fe80::1]", .call_id = "x"}, flow),
              Alg::kNone);
    EXPECT_EQ(judged({.via = "[fd00::7]", .contact = "sip:a@[2001:db8:1::7]"}, flow), Alg::kHalf);
    EXPECT_EQ(judged({.via = "[fd00::7]", .contact = "sip:a@[2001:db8:2::7]"}, flow), Alg::kBroken);
}

TEST(Alg, WhatAProxyWritesIsNoGatewaysDoing) {
    EXPECT_EQ(judged({.via = std::string(kPublic) + ";branch=z9hG4bKp, SIP/2.0/UDP 192.168.1.10"}),
              Alg::kNone);
}

TEST(Alg, Names) {
    EXPECT_EQ(alg_name(Alg::kNone), "none");
    EXPECT_EQ(alg_name(Alg::kBroken), "broken");
    EXPECT_EQ(alg_name(Alg::kCount), "none");
}

}  // namespace
}  // namespace pinhole::nat
