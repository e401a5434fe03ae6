// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/uri.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::sip {
namespace {

struct Good {
    const char* text;
    Scheme scheme;
    const char* user;
    const char* host;
    unsigned port;
    const char* params;
    const char* headers;
};

TEST(Uri, Good) {
    const Good cases[] = {
        {"sip:example.com", Scheme::kSip, "", "example.com", 0, "", ""},
        {"SIP:1001@Example.com:5060", Scheme::kSip, "1001", "Example.com", 5060, "", ""},
        {"sips:a@h;transport=tcp;lr", Scheme::kSips, "a", "h", 0, ";transport=tcp;lr", ""},
        {"sip:a:secret@h", Scheme::kSip, "a", "h", 0, "", ""},
        {"sip:a:@h", Scheme::kSip, "a", "h", 0, "", ""},
        {"sip:a@[2001:db8::1]:5080;ob", Scheme::kSip, "a", "[2001:db8::1]", 5080, ";ob", ""},
        {"sip:[2001:db8:::192.0.2.1]", Scheme::kSip, "", "[2001:db8:::192.0.2.1]", 0, "", ""},
        {"sip:[::1]", Scheme::kSip, "", "[::1]", 0, "", ""},
        {"sip:+1-212-555-1212;phone-context=x@gw.example.com;user=phone", Scheme::kSip,
         "+1-212-555-1212;phone-context=x", "gw.example.com", 0, ";user=phone", ""},
        {"sip:a%40b@h", Scheme::kSip, "a%40b", "h", 0, "", ""},
        {"sip:*72#@h", Scheme::kSip, "*72#", "h", 0, "", ""},
        {"sip:\xc3\xa4@h", Scheme::kSip, "\xc3\xa4", "h", 0, "", ""},
        {"sip:a@h?Subject=x&y=z", Scheme::kSip, "a", "h", 0, "", "Subject=x&y=z"},
        {"sip:a@h;p=q?Subject=x", Scheme::kSip, "a", "h", 0, ";p=q", "Subject=x"},
        {"sip:a?b@h", Scheme::kSip, "a?b", "h", 0, "", ""},
        {"sip:a@my_host", Scheme::kSip, "a", "my_host", 0, "", ""},
        {"sip:a@h;gr=urn:uuid:f81d4fae", Scheme::kSip, "a", "h", 0, ";gr=urn:uuid:f81d4fae", ""},
        {"tel:+1-212;ext=5", Scheme::kTel, "+1-212", "", 0, ";ext=5", ""},
        {"urn:service:sos", Scheme::kOther, "service:sos", "", 0, "", ""},
        {"http://h/x", Scheme::kOther, "//h/x", "", 0, "", ""},
    };
    for (const Good& c : cases) {
        Uri uri;
        ASSERT_TRUE(parse_uri(c.text, uri)) << c.text;
        EXPECT_EQ(uri.text, c.text);
        EXPECT_EQ(uri.scheme, c.scheme) << c.text;
        EXPECT_EQ(uri.user, c.user) << c.text;
        EXPECT_EQ(uri.host, c.host) << c.text;
        EXPECT_EQ(uri.port, c.port) << c.text;
        EXPECT_EQ(uri.params, c.params) << c.text;
        EXPECT_EQ(uri.headers, c.headers) << c.text;
    }
}

TEST(Uri, Bad) {
    using namespace std::string_view_literals;
    const std::string_view cases[] = {
        "",
        "sip",
        "sip:",
        ":a",
        "sip:@h",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@h",
        "sip:a@h ",
        " sip:a@h",
        "<sip:a@h>",
        "sip:a\"b@h",
        "sip:a@h\r\n",
        "sip:a\0b@h"sv,
        "sip:a\x7f@h",
        "sip:a%@h",
        "sip:a%4@h",
        "sip:a%zz@h",
        "sip:a:b%@h",
        "sip:a@h:",
        "sip:a@h:0",
        "sip:a@h:65536",
        "sip:a@h:x",
        "sip:a@h:5060x",
        "sip:a@[::1",
        "sip:a@[::1]x",
        "sip:a@[]",
        "sip:a@[::g]",
        "sip:a@[:::1]",
        "sip:a@[2001:db8::::192.0.2.1]",
        "sip:a@[2001:db8:::1:192.0.2.1]",
        "sip:a@[2001:db8::1:::192.0.2.1]",
        "sip:a@[1.2.3.4]",
        "sip:a@[fe80::1%25eth0]",
        "sip:a@h/x",
        "sip:a@h;=x",
        "sip:a@h;a=\"b\"",
        "sip:a@h;@",
        "1sip:a",
        "s ip:a",
        "tel:",
        "tel:;x",
        "sip:a@\xc3\xa4",
        "urn:",
        "sip:a:b:c@d@e",
        "sip:a@.",
        "sip:a@.h",
        "sip:a@h..",
        "sip:a@h..i",
    };
    for (const std::string_view text : cases) {
        Uri uri;
        EXPECT_FALSE(parse_uri(text, uri)) << text;
    }
}

TEST(Uri, Params) {
    Uri uri;
    ASSERT_TRUE(parse_uri("sip:a@h;LR;Transport=UDP;maddr=192.0.2.1;gr", uri));
    std::string_view value = "x";
    EXPECT_TRUE(uri.param("lr", value));
    EXPECT_EQ(value, "");
    EXPECT_TRUE(uri.param("transport", value));
    EXPECT_EQ(value, "UDP");
    EXPECT_TRUE(uri.has_param("gr"));
    EXPECT_FALSE(uri.has_param("ob"));
    EXPECT_FALSE(uri.has_param("l"));
}

TEST(Uri, Rfc3261_19_1_4_Unescape) {
    using namespace std::string_view_literals;
    char out[8];
    EXPECT_EQ(unescape("a%40B", out, sizeof out), "a@B");
    EXPECT_EQ(unescape("%00%fF", out, sizeof out), "\0\xff"sv);
    EXPECT_EQ(unescape("a%4", out, sizeof out), "a%4");
    EXPECT_EQ(unescape("%zz%", out, sizeof out), "%zz%");
    EXPECT_EQ(unescape("%2541", out, sizeof out), "%41");  // once only
    EXPECT_EQ(unescape("1234567%38", out, sizeof out), "12345678");
    EXPECT_EQ(unescape("1234567%389", out, sizeof out), std::nullopt);
    const std::string_view plain = "12345678";
    EXPECT_EQ(unescape(plain, out, sizeof out)->data(), plain.data());
    EXPECT_EQ(unescape("123456789", out, sizeof out), std::nullopt) << "nor is it to be copied";
    EXPECT_EQ(unescape("", out, 0), "");
}

std::string aor(std::string_view text) {
    Uri uri;
    char out[kMaxAor];
    if (!parse_uri(text, uri)) {
        return "not a URI";
    }
    const auto canonical = canonical_aor(uri, out);
    return canonical ? std::string(*canonical) : "none";
}

// RFC 3261 §10.3 step 5
TEST(Uri, Rfc3261_10_3_CanonicalAor) {
    EXPECT_EQ(aor("sip:1001@EXAMPLE.com:5060;transport=udp;user=phone?x=y"), "1001@example.com");
    EXPECT_EQ(aor("sips:1001@example.com"), "1001@example.com");
    EXPECT_EQ(aor("sip:Alice@example.com"), "Alice@example.com");
    EXPECT_EQ(aor("sip:%41lice@example.com"), "Alice@example.com");
    EXPECT_EQ(aor("sip:a:password@example.com"), "a@example.com");
    EXPECT_EQ(aor("sip:a@example.com."), "a@example.com");
    EXPECT_EQ(aor("sip:a@[2001:DB8:0::1]"), "a@[2001:db8::1]");
    EXPECT_EQ(aor("sip:a@[2001:db8:::192.0.2.1]"), "a@[2001:db8::c000:201]");
    // What must stay escaped does, in one form, so that no two users are one and none breaks out.
    EXPECT_EQ(aor("sip:a%40b@example.com"), "a%40b@example.com");
    EXPECT_EQ(aor("sip:a%0d%0ab%00@example.com"), "a%0D%0Ab%00@example.com");
    EXPECT_EQ(aor("sip:%2a72%23@example.com"), "*72%23@example.com");
    EXPECT_EQ(aor("sip:*72#@example.com"), "*72%23@example.com");
    EXPECT_EQ(aor("sip:a%2525@example.com"), "a%2525@example.com");
    EXPECT_EQ(aor("sip:a%3ab@example.com"), "a%3Ab@example.com");
    EXPECT_EQ(aor("sip:\xc3\xa4@example.com"), "%C3%A4@example.com");
    EXPECT_EQ(aor("sip:%c3%a4@example.com"), "%C3%A4@example.com");
    EXPECT_EQ(aor("sip:example.com"), "none");
    EXPECT_EQ(aor("tel:+1212"), "none");
}

TEST(Uri, CanonicalAorIsBounded) {
    const std::string host(100, 'h');
    EXPECT_EQ(aor("sip:" + std::string(154, 'u') + "@" + host).size(), kMaxAor);
    EXPECT_EQ(aor("sip:" + std::string(155, 'u') + "@" + host), "none");
    EXPECT_EQ(aor("sip:" + std::string(400, 'u') + "@h"), "none");
    EXPECT_EQ(aor("sip:" + std::string(400, '#') + "@h"), "none");
    for (std::size_t n = 245; n <= 256; ++n) {
        const std::string got = aor("sip:" + std::string(n, 'u') + "@h.example");
        EXPECT_TRUE(got == "none" || got.size() <= kMaxAor);
    }
}

}  // namespace
}  // namespace pinhole::sip
