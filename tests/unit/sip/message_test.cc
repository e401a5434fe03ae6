// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/message.h"

#include "dataplane/sip/elements.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/via.h"
#include "tests/unit/sip/samples.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pinhole::sip {
namespace {

using samples::request;

ParseError parse_error(std::string_view text) {
    Message message;
    return parse(text, message);
}

TEST(Message, YealinkRegister) {
    Message m;
    ASSERT_EQ(parse(samples::kYealinkRegister, m), ParseError::kOk);
    EXPECT_TRUE(m.is_request);
    EXPECT_TRUE(m.plain());
    EXPECT_EQ(m.method, Method::kRegister);
    EXPECT_EQ(m.method_text, "REGISTER");
    EXPECT_EQ(m.request_uri, "sip:example.com:5060");
    EXPECT_EQ(m.header_count(), 14u);
    EXPECT_EQ(m.cseq, 2u);
    EXPECT_EQ(m.max_forwards, 70);
    EXPECT_EQ(m.content_length, 0);
    EXPECT_EQ(m.call_id(), "0_3245693412@192.168.1.10");
    EXPECT_EQ(m.first(HeaderId::kExpires), "3600");
    EXPECT_EQ(m.first(HeaderId::kUserAgent), "Yealink SIP-T46S 66.86.0.15");
    EXPECT_FALSE(m.has(HeaderId::kRoute));
    EXPECT_EQ(m.first(HeaderId::kRoute), "");
    EXPECT_EQ(m.id(0), HeaderId::kVia);
    EXPECT_EQ(m.name(0), "Via");
    EXPECT_EQ(m.header_line(4), "CSeq: 2 REGISTER\r\n");
    EXPECT_EQ(m.start_line(), "REGISTER sip:example.com:5060 SIP/2.0\r\n");
    EXPECT_EQ(m.line_offset(m.header_count()) + 2, m.datagram.size());
    EXPECT_EQ(std::string(m.start_line()) + std::string(m.head()) + "\r\n", m.datagram);
    EXPECT_TRUE(m.answerable());
}

// RFC 4475 §3.1.1.1
TEST(Message, TortuousInvite) {
    Message m;
    ASSERT_EQ(parse(samples::kTortuousInvite, m), ParseError::kOk);
    EXPECT_FALSE(m.plain());
    EXPECT_EQ(m.method, Method::kInvite);
    EXPECT_EQ(m.cseq, 9u);
    EXPECT_EQ(m.max_forwards, 68);
    EXPECT_EQ(m.content_length, 150);
    EXPECT_EQ(m.body().substr(0, 5), "v=0\r\n");
    EXPECT_EQ(m.body().size(), 150u);
    EXPECT_EQ(m.first(HeaderId::kSubject), "");
    EXPECT_TRUE(m.has(HeaderId::kSubject));

    NameAddr to, from, contact, route;
    ASSERT_TRUE(parse_name_addr(m.to(), to));
    EXPECT_EQ(to.tag, "1918181833n");
    EXPECT_EQ(to.uri.user, "vivekg");
    ASSERT_TRUE(parse_name_addr(m.from(), from));
    EXPECT_EQ(from.tag, "98asjd8");
    EXPECT_EQ(from.display, "\"J Rosenberg \\\\\\\"\"");
    ASSERT_TRUE(parse_name_addr(m.first(HeaderId::kContact), contact, true));
    EXPECT_EQ(contact_params(contact).q, 330);
    ASSERT_TRUE(parse_name_addr(m.first(HeaderId::kRoute), route));
    EXPECT_TRUE(route.uri.has_param("lr"));

    std::vector<std::string> hosts;
    Elements vias(m, HeaderId::kVia);
    std::string_view element;
    while (vias.next(element)) {
        Via via;
        ASSERT_TRUE(parse_via(element, via)) << element;
        hosts.emplace_back(std::string(via.transport) + " " + std::string(via.host) + " " +
                           std::string(via.branch));
    }
    EXPECT_EQ(hosts, (std::vector<std::string>{"UDP 192.0.2.2 390skdjuw",
                                               "TCP spindle.example.com z9hG4bK9ikj8",
                                               "UDP 192.168.255.111 z9hG4bK30239"}));
}

TEST(Message, Responses) {
    const std::string rest =
        "\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: "
        "<sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    Message m;
    const std::string ok = "SIP/2.0 200 OK" + rest;
    ASSERT_EQ(parse(ok, m), ParseError::kOk);
    EXPECT_FALSE(m.is_request);
    EXPECT_EQ(m.status, 200);
    EXPECT_EQ(m.reason, "OK");
    EXPECT_EQ(m.method, Method::kOptions);
    EXPECT_EQ(m.cseq, 7u);
    EXPECT_FALSE(m.answerable());
    const std::string busy = "SIP/2.0 486 Busy  Here" + rest;
    ASSERT_EQ(parse(busy, m), ParseError::kOk);
    EXPECT_EQ(m.reason, "Busy  Here");
    const std::string trying = "SIP/2.0 100 " + rest;
    ASSERT_EQ(parse(trying, m), ParseError::kOk);
    EXPECT_EQ(m.reason, "");
    EXPECT_EQ(parse_error("SIP/2.0 200" + rest), ParseError::kOk);  // some leave the space out
    for (const char* bad :
         {"SIP/2.0 99 X", "SIP/2.0 700 X", "SIP/2.0 2000 X", "SIP/2.0 4294967301 x",
          "SIP/2.0 20x OK", "SIP/2.0  200 OK", "SIP/2.0 -20 OK", "SIP/2.0200 OK"}) {
        EXPECT_EQ(parse_error(bad + rest), ParseError::kBadStartLine) << bad;
    }
}

struct Case {
    std::string what;
    std::string text;
    ParseError error;
};

void check(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        EXPECT_EQ(static_cast<int>(parse_error(c.text)), static_cast<int>(c.error)) << c.what;
    }
}

TEST(Message, Rfc3261_7_1_StartLines) {
    const auto with = [](std::string_view start) { return request("", "", start); };
    check({
        {"fine", with("OPTIONS sip:a SIP/2.0"), ParseError::kOk},
        {"version in lower case (§7.1)", with("OPTIONS sip:a sip/2.0"), ParseError::kOk},
        {"CRLF before it (§7.5)", "\r\n\r\n" + request(), ParseError::kOk},
        {"another method's CSeq", with("INFO sip:a SIP/2.0"), ParseError::kBadCSeq},
        {"another version", with("OPTIONS sip:a SIP/7.0"), ParseError::kBadVersion},
        {"a longer version", with("OPTIONS sip:a SIP/2.00"), ParseError::kBadVersion},
        {"two spaces (RFC 4475 §3.1.2.8)", with("OPTIONS  sip:a  SIP/2.0"),
         ParseError::kBadStartLine},
        {"space behind it (§3.1.2.9)", with("OPTIONS sip:a SIP/2.0 "), ParseError::kBadStartLine},
        {"no URI", with("OPTIONS SIP/2.0"), ParseError::kBadStartLine},
        {"empty URI", with("OPTIONS  SIP/2.0"), ParseError::kBadStartLine},
        {"a space in the URI", with("OPTIONS sip:a; b SIP/2.0"), ParseError::kBadStartLine},
        {"a tab in the URI", with("OPTIONS sip:a\tb SIP/2.0"), ParseError::kBadStartLine},
        {"HTTP", with("GET / HTTP/1.1"), ParseError::kNotSip},
        {"a word", with("hello"), ParseError::kNotSip},
        {"a folded start line", with("OPTIONS sip:a\r\n SIP/2.0"), ParseError::kNotSip},
        {"no token for a method", with("OPT@IONS sip:a SIP/2.0"), ParseError::kNotSip},
        {"no line end", "OPTIONS sip:a SIP/2.0", ParseError::kNotSip},
        {"a space first", " OPTIONS sip:a SIP/2.0\r\n\r\n", ParseError::kNotSip},
        {"binary", std::string("\x00\x01\x00\x08\x21\x12\xa4\x42", 8), ParseError::kNotSip},
        {"nothing", "", ParseError::kKeepalive},
        {"CRLF", "\r\n", ParseError::kKeepalive},
        {"CRLF CRLF", "\r\n\r\n", ParseError::kKeepalive},
        {"NULs", std::string(4, '\0'), ParseError::kKeepalive},
        {"too long", std::string(kMaxDatagram + 1, 'a'), ParseError::kTooLong},
    });
}

TEST(Message, Rfc3261_7_3_1_Headers) {
    std::string many;
    for (int i = 0; i < 91; ++i) {
        many += "X: y\r\n";
    }
    check({
        {"bare LF everywhere",
         "OPTIONS sip:a SIP/2.0\nv: SIP/2.0/UDP h\nf: <sip:a@b>\nt: <sip:a@b>\ni: c\nCSeq: 1 "
         "OPTIONS\n\n",
         ParseError::kOk},
        {"as many as go", request(many), ParseError::kOk},
        {"one more", request(many + "X: y\r\n"), ParseError::kTooManyHeaders},
        {"a line without colon", request("Rubbish\r\n"), ParseError::kBadHeader},
        {"no name", request(": value\r\n"), ParseError::kBadHeader},
        {"a space in a name", request("X Y: value\r\n"), ParseError::kBadHeader},
        {"a fold in a name", request("X\r\n : value\r\n"), ParseError::kBadHeader},
        {"a NUL in a name", request(std::string("X\0Y: value\r\n", 12)), ParseError::kBadHeader},
        {"a CR alone", request("X: a\rContact: <sip:b@c>\r\n"), ParseError::kBadHeader},
        {"a CR too many", request("X: a\r\r\n"), ParseError::kBadHeader},
        {"space before the colon", request("X : a\r\nExpires\t: 5\r\n"), ParseError::kOk},
        {"an empty value", request("Subject:\r\n"), ParseError::kOk},
        {"a value of white space", request("Subject: \t\r\n"), ParseError::kOk},
        {"a fold of white space", request("Subject: a\r\n  \r\n"), ParseError::kOk},
        {"no empty line", request().substr(0, request().size() - 2), ParseError::kNoEndOfHeaders},
    });
}

TEST(Message, Rfc3261_8_1_1_MandatoryHeaders) {
    const std::string whole = request();
    const auto without = [&whole](std::string_view name) {
        std::string text = whole;
        const std::size_t at = text.find("\r\n" + std::string(name) + ":");
        text.erase(at, text.find("\r\n", at + 2) - at);
        return text;
    };
    check({
        {"Via", without("Via"), ParseError::kNoVia},
        {"From", without("From"), ParseError::kNoFrom},
        {"To", without("To"), ParseError::kNoTo},
        {"Call-ID", without("Call-ID"), ParseError::kNoCallId},
        {"CSeq", without("CSeq"), ParseError::kNoCSeq},
        {"From twice", request("f: <sip:x@y>\r\n"), ParseError::kDuplicateHeader},
        {"To twice", request("t: <sip:x@y>\r\n"), ParseError::kDuplicateHeader},
        {"Call-ID twice", request("i: d\r\n"), ParseError::kDuplicateHeader},
        {"CSeq twice", request("CSeq: 1 OPTIONS\r\n"), ParseError::kDuplicateHeader},
        {"Max-Forwards twice", request("Max-Forwards: 7\r\nMax-Forwards: 7\r\n"),
         ParseError::kDuplicateHeader},
        {"Via twice", request("Via: SIP/2.0/UDP h\r\n"), ParseError::kOk},
    });
}

TEST(Message, Values) {
    const auto cseq = [](std::string_view value) {
        return request("", "", "OPTIONS sip:example.com SIP/2.0", value);
    };
    const auto call_id = [](std::string_view value) {
        std::string text = request();
        return text.replace(text.find("c1"), 2, value);
    };
    const auto length = [](std::string_view value) {
        return request("Content-Length: " + std::string(value) + "\r\n", "12345");
    };
    check({
        {"CSeq 0", cseq("0 OPTIONS"), ParseError::kOk},
        {"CSeq 2^31-1", cseq("2147483647 OPTIONS"), ParseError::kOk},
        {"CSeq folded", cseq("1\r\n OPTIONS"), ParseError::kOk},
        {"CSeq 2^31", cseq("2147483648 OPTIONS"), ParseError::kBadCSeq},
        {"CSeq overflow (RFC 4475 §3.1.2.4)", cseq("36893488147419103232 OPTIONS"),
         ParseError::kBadCSeq},
        {"CSeq negative", cseq("-1 OPTIONS"), ParseError::kBadCSeq},
        {"CSeq without method", cseq("1"), ParseError::kBadCSeq},
        {"CSeq without number", cseq("OPTIONS"), ParseError::kBadCSeq},
        {"CSeq without space", cseq("1OPTIONS"), ParseError::kBadCSeq},
        {"CSeq in lower case", cseq("1 options"), ParseError::kBadCSeq},
        {"CSeq and more", cseq("1 OPTIONS x"), ParseError::kBadCSeq},
        {"CSeq empty", cseq(""), ParseError::kBadCSeq},
        {"Call-ID odd", call_id("a;b=c,<>\"%"), ParseError::kOk},
        {"Call-ID empty", call_id(""), ParseError::kBadCallId},
        {"Call-ID with a space", call_id("a b"), ParseError::kBadCallId},
        {"Call-ID folded", call_id("a\r\n b"), ParseError::kBadCallId},
        {"Call-ID with a NUL", call_id(std::string_view("a\0b", 3)), ParseError::kBadCallId},
        {"Call-ID with DEL", call_id("a\x7f"), ParseError::kBadCallId},
        {"Call-ID in UTF-8", call_id("\xc3\xa4"), ParseError::kBadCallId},
        {"Max-Forwards 0", request("Max-Forwards: 0\r\n"), ParseError::kOk},
        {"Max-Forwards 255", request("Max-Forwards: 255\r\n"), ParseError::kOk},
        {"Max-Forwards 300", request("Max-Forwards: 300\r\n"), ParseError::kBadMaxForwards},
        {"Max-Forwards -1", request("Max-Forwards: -1\r\n"), ParseError::kBadMaxForwards},
        {"Max-Forwards empty", request("Max-Forwards:\r\n"), ParseError::kBadMaxForwards},
        {"length right", length("5"), ParseError::kOk},
        {"length with zeros", length("0005"), ParseError::kOk},
        {"length smaller", length("3"), ParseError::kOk},
        {"length larger", length("6"), ParseError::kBodyTooShort},
        {"length huge", length("99999999999999999999"), ParseError::kBodyTooShort},
        {"length negative (RFC 4475 §3.1.2.3)", length("-999"), ParseError::kBadContentLength},
        {"length empty", length(""), ParseError::kBadContentLength},
        {"length in hex", length("0x5"), ParseError::kBadContentLength},
        {"length twice, the same", length("5\r\nl: 05"), ParseError::kOk},
        {"length twice, different (§3.3.9)", length("5\r\nl: 0"), ParseError::kBadContentLength},
        {"length twice, one bad", length("5\r\nl: x"), ParseError::kBadContentLength},
        {"length twice, both too large", length("70000\r\nl: 80000"), ParseError::kBodyTooShort},
    });
}

// RFC 3261 §18.3: over UDP a missing length ends with the datagram, a smaller one leaves the rest
// out.
TEST(Message, Rfc3261_18_3_Body) {
    Message m;
    const std::string none = request("", "whole body");
    ASSERT_EQ(parse(none, m), ParseError::kOk);
    EXPECT_EQ(m.body(), "whole body");
    const std::string shorter = request("l: 5\r\n", "whole body");
    ASSERT_EQ(parse(shorter, m), ParseError::kOk);
    EXPECT_EQ(m.body(), "whole");
}

TEST(Message, AllHeadersOfAName) {
    const std::string text = request("Route: <sip:a>, <sip:b>\r\nSubject: x\r\nroute: <sip:c>\r\n");
    Message m;
    ASSERT_EQ(parse(text, m), ParseError::kOk);
    const std::uint8_t first = m.first_index(HeaderId::kRoute);
    EXPECT_EQ(m.value(first), "<sip:a>, <sip:b>");
    const std::uint8_t second = m.next_index(HeaderId::kRoute, first);
    EXPECT_EQ(m.value(second), "<sip:c>");
    EXPECT_EQ(m.name(second), "route");
    EXPECT_EQ(m.next_index(HeaderId::kRoute, second), kNoHeader);
}

TEST(Message, WhatCanBeAnswered) {
    const auto answerable = [](const std::string& text) {
        Message m;
        (void)parse(text, m);
        return m.answerable();
    };
    EXPECT_TRUE(answerable(request("Rubbish\r\n")));
    EXPECT_TRUE(answerable(request("", "", "OPTIONS sip:a SIP/3.0")));
    EXPECT_TRUE(answerable(request("", "", "OPTIONS sip:a SIP/2.0 ")));
    EXPECT_TRUE(answerable(request("Max-Forwards: x\r\n")));
    EXPECT_FALSE(answerable(request("", "", "ACK sip:a SIP/3.0", "1 ACK")));  // never (§17.1.1.3)
    EXPECT_FALSE(answerable("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n"));
    EXPECT_FALSE(answerable(""));
    EXPECT_FALSE(answerable("x"));
    EXPECT_FALSE(answerable("\r\n"));
}

TEST(Message, EveryErrorHasItsStatus) {
    for (int i = 0; i < static_cast<int>(ParseError::kCount); ++i) {
        const auto error = static_cast<ParseError>(i);
        const unsigned status = status_of(error);
        EXPECT_EQ(status == 0, reason_of(error).empty()) << i;
        EXPECT_TRUE(status == 0 || status == 400 || status == 505 || status == 513) << i;
    }
    EXPECT_EQ(status_of(ParseError::kBadVersion), 505u);
    EXPECT_EQ(status_of(ParseError::kBadCSeq), 400u);
    EXPECT_EQ(status_of(ParseError::kNotSip), 0u);
    EXPECT_EQ(status_of(ParseError::kNoVia), 0u);
}

}  // namespace
}  // namespace pinhole::sip
