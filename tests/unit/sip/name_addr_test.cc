// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/name_addr.h"

#include "dataplane/sip/elements.h"
#include "tests/unit/sip/samples.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::sip {
namespace {

struct Good {
    const char* text;
    const char* display;
    const char* uri;
    const char* params;
};

TEST(NameAddr, Rfc3261_20_10_Good) {
    const Good cases[] = {
        {"<sip:a@h>", "", "sip:a@h", ""},
        {"<sip:a@h>;tag=1", "", "sip:a@h", ";tag=1"},
        {"<sip:a@h;lr>;x", "", "sip:a@h;lr", ";x"},
        {"sip:a@h;tag=1", "", "sip:a@h", ";tag=1"},  // §20: the tag is the header's
        {"sip:a@h ; tag = 1", "", "sip:a@h", "; tag = 1"},
        {"\"A, <B>; \\\"C\\\"\" <sip:a@h>", "\"A, <B>; \\\"C\\\"\"", "sip:a@h", ""},
        {"\"\"<sip:a@h>", "\"\"", "sip:a@h", ""},
        {"Alice <sip:a@h>", "Alice", "sip:a@h", ""},
        {"caller<sip:a@h>;tag=3", "caller", "sip:a@h", ";tag=3"},
        {"Bell, Alexander <sip:a@h>;tag=3", "Bell, Alexander", "sip:a@h", ";tag=3"},
        {"J\xc3\xbcrgen M. <sip:a@h>", "J\xc3\xbcrgen M.", "sip:a@h", ""},
        {"\"x\"\r\n <sip:a@h>\r\n ;tag=3", "\"x\"", "sip:a@h", ";tag=3"},
        {"< sip:a@h >", "", "sip:a@h", ""},
        {"<sip:a@h?Subject=x,y>", "", "sip:a@h?Subject=x,y", ""},
        {"<tel:+1212>", "", "tel:+1212", ""},
        {"<urn:service:sos>", "", "urn:service:sos", ""},
        {"<sip:a@h>;", "", "sip:a@h", ";"},
        {"<sip:a@h>;+sip.instance=\"<urn:uuid:1>\"", "", "sip:a@h",
         ";+sip.instance=\"<urn:uuid:1>\""},
    };
    for (const Good& c : cases) {
        NameAddr got;
        ASSERT_TRUE(parse_name_addr(c.text, got)) << c.text;
        EXPECT_EQ(got.display, c.display) << c.text;
        EXPECT_EQ(got.uri.text, c.uri) << c.text;
        EXPECT_EQ(got.params, c.params) << c.text;
        EXPECT_FALSE(got.star);
    }
}

TEST(NameAddr, Bad) {
    for (const char* text : {"",
                             "*",
                             "<>",
                             "<sip:a@h",
                             "sip:a@h>",
                             "\"x <sip:a@h>",
                             "\"x\" sip:a@h",
                             "\"x\"",
                             "x",
                             "x sip:a@h",
                             "<sip:a@h>x",
                             "<sip:a@h> tag=1",
                             "sip:a@h?b=c",
                             "sip:a@h,sip:b@h",
                             "<<sip:a@h>>",
                             "\"a\" \"b\" <sip:a@h>",
                             "a\x01<sip:a@h>",
                             "<sip:a@h>;a=\"b",
                             "\"",
                             "\"\\",
                             "<sip:a@h>;\x01",
                             "sip:a b@h",
                             "<sip:a\r\n b@h>"}) {
        NameAddr got;
        EXPECT_FALSE(parse_name_addr(text, got)) << text;
    }
}

TEST(NameAddr, Rfc3261_20_10_Star) {
    NameAddr got;
    EXPECT_TRUE(parse_name_addr(" * ", got, true));
    EXPECT_TRUE(got.star);
    EXPECT_FALSE(parse_name_addr("*;expires=0", got, true));
    EXPECT_FALSE(parse_name_addr("*", got, false));
    EXPECT_FALSE(got.star);
}

TEST(NameAddr, Tag) {
    NameAddr got;
    ASSERT_TRUE(parse_name_addr("<sip:a@h;tag=no>;x=1;TAG=yes", got));
    EXPECT_EQ(got.tag, "yes");
    ASSERT_TRUE(parse_name_addr("<sip:a@h>", got));
    EXPECT_EQ(got.tag, "");
}

TEST(NameAddr, Rfc3261_20_10_ContactParams) {
    NameAddr contact;
    ASSERT_TRUE(parse_name_addr(
        "<sip:a@h>;q=0.7;expires=120;+sip.instance=\"<urn:uuid:1>\";reg-id=2;audio", contact));
    ContactParams params = contact_params(contact);
    EXPECT_EQ(params.q, 700);
    EXPECT_EQ(params.expires, 120u);
    EXPECT_EQ(params.instance, "<urn:uuid:1>");
    EXPECT_EQ(params.reg_id, 2u);

    ASSERT_TRUE(parse_name_addr("<sip:a@h>;q=2;expires=soon;reg-id=x", contact));
    params = contact_params(contact);
    EXPECT_EQ(params.q, std::nullopt);
    EXPECT_EQ(params.expires, std::nullopt);
    EXPECT_EQ(params.instance, "");
    EXPECT_EQ(params.reg_id, 0u);
}

TEST(NameAddr, Rfc3261_20_10_Q) {
    EXPECT_EQ(parse_q("0"), 0);
    EXPECT_EQ(parse_q("0."), 0);
    EXPECT_EQ(parse_q("0.5"), 500);
    EXPECT_EQ(parse_q("0.05"), 50);
    EXPECT_EQ(parse_q("0.123"), 123);
    EXPECT_EQ(parse_q("1"), 1000);
    EXPECT_EQ(parse_q("1.000"), 1000);
    for (const char* bad : {"", "1.001", "2", "0.1234", ".5", "0,5", "-0", "0.x", "00.5", "1.5"}) {
        EXPECT_EQ(parse_q(bad), std::nullopt) << bad;
    }
}

TEST(NameAddr, Rfc3261_20_19_Expires) {
    EXPECT_EQ(parse_expires("0"), 0u);
    EXPECT_EQ(parse_expires("0060"), 60u);
    EXPECT_EQ(parse_expires("4294967295"), 4294967295u);
    EXPECT_EQ(parse_expires("4294967296"), 4294967295u);
    EXPECT_EQ(parse_expires("99999999999999999999999999"), 4294967295u);
    for (const char* bad : {"", "-1", "1.5", "60s", "soon", " 60"}) {
        EXPECT_EQ(parse_expires(bad), std::nullopt) << bad;
    }
    Message message;
    const std::string text = samples::request("Expires:  300 \r\n");
    ASSERT_EQ(parse(text, message), ParseError::kOk);
    EXPECT_EQ(expires_of(message), 300u);
    const std::string none = samples::request();
    ASSERT_EQ(parse(none, message), ParseError::kOk);
    EXPECT_EQ(expires_of(message), std::nullopt);
}

TEST(NameAddr, Rfc3261_7_3_1_ContactsOverSeveralHeaders) {
    const std::string text = samples::request(
        "Contact: \"a,b\" <sip:1@h;x=1,2>;q=1, sip:2@h;expires=5 ,,\r\nSubject: s\r\nm: "
        "<sip:3@h>\r\n");
    Message message;
    ASSERT_EQ(parse(text, message), ParseError::kOk);
    Elements contacts(message, HeaderId::kContact);
    std::string users;
    std::string_view element;
    while (contacts.next(element)) {
        NameAddr contact;
        ASSERT_TRUE(parse_name_addr(element, contact, true)) << element;
        users += contact.uri.user;
    }
    EXPECT_EQ(users, "123");
}

TEST(NameAddr, Unquoted) {
    EXPECT_EQ(unquoted("\"a\""), "a");
    EXPECT_EQ(unquoted("\"\""), "");
    EXPECT_EQ(unquoted("\""), "\"");
    EXPECT_EQ(unquoted("a"), "a");
}

}  // namespace
}  // namespace pinhole::sip
