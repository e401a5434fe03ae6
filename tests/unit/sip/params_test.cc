// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/params.h"

#include "dataplane/sip/elements.h"
#include "dataplane/sip/text.h"
#include "tests/unit/sip/samples.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::sip {
namespace {

// "name=value|name|" for what could be read, "!" at the end if the text broke.
std::string params(std::string_view text) {
    std::string out;
    Param param;
    while (next_param(text, param)) {
        out += param.name;
        if (param.has_value) {
            (out += '=') += param.value;
        }
        out += '|';
    }
    out += text.empty() ? "" : "!";
    return out;
}

TEST(Params, Table) {
    EXPECT_EQ(params(""), "");
    EXPECT_EQ(params("  "), "");
    EXPECT_EQ(params(";a"), "a|");
    EXPECT_EQ(params(";a=1;b;c=\"x;y\""), "a=1|b|c=\"x;y\"|");
    EXPECT_EQ(params(" ; a = 1 ;\r\n b = 2 "), "a=1|b=2|");
    EXPECT_EQ(params(";;a;"), "a|");
    EXPECT_EQ(params(";a=;b"), "a=|b|");
    EXPECT_EQ(params(";a=\"\\\"\""), "a=\"\\\"\"|");
    EXPECT_EQ(params(";a=[::1]:5"), "a=[::1]:5|");
    EXPECT_EQ(params("a"), "!");
    EXPECT_EQ(params(";=1"), "!");
    EXPECT_EQ(params(";a;=1"), "a|!");
    EXPECT_EQ(params(";a b"), "!");
    EXPECT_EQ(params(";a=b c"), "!");
    EXPECT_EQ(params(";a=\"b"), "!");
    EXPECT_EQ(params(";a=\"b\\"), "!");
    EXPECT_EQ(params(";a=\"b\"c"), "!");
    EXPECT_EQ(params(";a=<b>"), "!");
}

TEST(Params, Text) {
    std::string_view rest = "; a =\r\n 1 ;b";
    Param param;
    ASSERT_TRUE(next_param(rest, param));
    EXPECT_EQ(param.text, "a =\r\n 1");
    ASSERT_TRUE(next_param(rest, param));
    EXPECT_EQ(param.text, "b");
}

std::string elements(std::string_view text) {
    std::string out;
    std::string_view element;
    while (next_element(text, element)) {
        (out += element) += '|';
    }
    return out;
}

TEST(Params, Elements) {
    EXPECT_EQ(elements(""), "");
    EXPECT_EQ(elements("a"), "a|");
    EXPECT_EQ(elements("a, b ,c"), "a|b|c|");
    EXPECT_EQ(elements("a,,b,"), "a||b|");
    EXPECT_EQ(elements("\"a,b\" <c,d>;e=\"f,g\", h"), "\"a,b\" <c,d>;e=\"f,g\"|h|");
    EXPECT_EQ(elements("\"a\\\",b\", c"), "\"a\\\",b\"|c|");
    EXPECT_EQ(elements("\"never, ending"), "\"never, ending|");
    EXPECT_EQ(elements("<never, ending"), "<never, ending|");
    EXPECT_EQ(elements("<a\",b>,c"), "<a\",b>|c|");  // a quote inside <> is none
}

TEST(Params, ListsToken) {
    const std::string text = samples::request("Supported: path, gruu\r\nk: Outbound\r\n");
    Message message;
    ASSERT_EQ(parse(text, message), ParseError::kOk);
    EXPECT_TRUE(lists_token(message, HeaderId::kSupported, "gruu"));
    EXPECT_TRUE(lists_token(message, HeaderId::kSupported, "outbound"));
    EXPECT_FALSE(lists_token(message, HeaderId::kSupported, "out"));
    EXPECT_FALSE(lists_token(message, HeaderId::kRequire, "gruu"));
}

TEST(Text, Decimal) {
    Decimal number;
    EXPECT_TRUE(parse_decimal("255", 255, number));
    EXPECT_FALSE(number.overflow);
    EXPECT_TRUE(parse_decimal("256", 255, number));
    EXPECT_TRUE(number.overflow);
    EXPECT_EQ(number.value, 255u);
    EXPECT_TRUE(parse_decimal(std::string(1000, '9'), 0xffffffff, number));
    EXPECT_TRUE(number.overflow);
    EXPECT_TRUE(parse_decimal(std::string(1000, '0') + "7", 9, number));
    EXPECT_EQ(number.value, 7u);
    EXPECT_FALSE(parse_decimal("", 9, number));
    EXPECT_FALSE(parse_decimal("1 ", 9, number));
    EXPECT_FALSE(parse_decimal("+1", 9, number));
}

TEST(Text, CanonicalUserCharactersAreNoSeparators) {
    // What an AOR may hold unescaped must never be what splits one from its host, or a line from
    // the next.
    for (const char c : {'@', '%', ':', '"', '<', '>', ' ', '\r', '\n', '\0', '\x7f', '\\'}) {
        EXPECT_FALSE(is(c, kUserChar)) << static_cast<int>(c);
    }
}

}  // namespace
}  // namespace pinhole::sip
