// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/writer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace pinhole::sip {
namespace {

TEST(Writer, Appends) {
    std::array<char, 256> buffer;
    Writer out(buffer.data(), buffer.size());
    out.text("a").character('b').number(0).number(18446744073709551615u).character(' ');
    out.host(*net::parse_address("2001:db8::1")).character(' ');
    out.address(*net::parse_address("2001:db8::1")).character(' ');
    out.host(*net::parse_address("192.0.2.1")).character(' ').hex("\x01\xfe", 2).character(' ');
    out.header("X", "y").header("N", 5);
    EXPECT_EQ(out.view(),
              "ab018446744073709551615 [2001:db8::1] 2001:db8::1 192.0.2.1 01fe X: y\r\nN: 5\r\n");
    EXPECT_FALSE(out.overflow());
}

TEST(Writer, Qvalue) {
    std::array<char, 64> buffer;
    Writer out(buffer.data(), buffer.size());
    for (const std::uint16_t q : {0, 5, 40, 120, 125, 500, 505, 999, 1000, 65535}) {
        out.qvalue(q).character(' ');
    }
    EXPECT_EQ(out.view(), "0.0 0.005 0.04 0.12 0.125 0.5 0.505 0.999 1 1 ");
}

TEST(Writer, NeverWritesPastTheEnd) {
    std::array<char, 12> buffer;
    buffer.fill('#');
    Writer out(buffer.data(), 8);
    out.text("12345").text("6789").text("a");
    EXPECT_TRUE(out.overflow());
    EXPECT_EQ(out.room(), 0u);
    EXPECT_EQ(std::string(buffer.data() + 8, 4), "####");
    Writer full(buffer.data(), 8);
    full.text("12345678");
    EXPECT_FALSE(full.overflow());
    full.character('9');
    EXPECT_TRUE(full.overflow());
}

// Less room than the longest number or address needs, and enough for this one.
TEST(Writer, FormatsInTheLastBytes) {
    const net::Address v4 = *net::parse_address("192.0.2.1");
    const net::Address v6 = *net::parse_address("2001:db8::1");
    const auto append = [&](unsigned what, Writer& out) {
        switch (what) {
            case 0:
                out.number(65535);
                break;
            case 1:
                out.address(v4);
                break;
            default:
                out.host(v6);
                break;
        }
    };
    constexpr std::array<std::string_view, 3> kTexts{"65535", "192.0.2.1", "[2001:db8::1]"};
    for (unsigned what = 0; what < kTexts.size(); ++what) {
        const std::size_t len = kTexts[what].size();
        std::array<char, 32> buffer;
        buffer.fill('#');
        Writer exact(buffer.data(), len);
        append(what, exact);
        EXPECT_EQ(exact.view(), kTexts[what]);
        EXPECT_FALSE(exact.overflow());
        EXPECT_EQ(buffer[len], '#') << what;
        Writer less(buffer.data(), len - 1);
        append(what, less);
        EXPECT_TRUE(less.overflow()) << what;
    }
}

TEST(Writer, Unfolded) {
    const auto unfolded = [](std::string_view value) {
        std::array<char, 64> buffer;
        Writer out(buffer.data(), buffer.size());
        out.unfolded(value);
        return std::string(out.view());
    };
    EXPECT_EQ(unfolded("plain"), "plain");
    EXPECT_EQ(unfolded("a \r\n\t b\n c"), "a b c");
    EXPECT_EQ(unfolded("a\r\n \r\n b"), "a b");
    EXPECT_EQ(unfolded("a\rb\nc"), "a b c");  // no line end gets through, a fold's or not
    EXPECT_EQ(unfolded(""), "");
}

TEST(Writer, Clean) {
    std::array<char, 64> buffer;
    Writer out(buffer.data(), buffer.size());
    out.clean(std::string_view("a\r\nX: y\0\x7f", 9));
    EXPECT_EQ(out.view(), "a  X: y  ");
}

}  // namespace
}  // namespace pinhole::sip
