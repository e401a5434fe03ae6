// SPDX-License-Identifier: BSD-3-Clause
// RFC 7616 §3.4 and RFC 3261 §25.1, as phones write them.
#include "dataplane/sip/credentials.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace pinhole::sip {
namespace {

// What was read, in a fixed order; "?" of another scheme, "!" of what is broken.
std::string read(std::string_view value) {
    Credentials c;
    switch (read_credentials(value, c)) {
        case CredentialsRead::kOtherScheme:
            return "?";
        case CredentialsRead::kMalformed:
            return "!";
        case CredentialsRead::kOk:
            break;
    }
    std::string out;
    for (const std::string_view part :
         {c.username, c.realm, c.nonce, c.uri, c.response, c.algorithm, c.cnonce, c.qop, c.nc}) {
        (out += part) += '|';
    }
    return out + (c.hides_username() ? "hidden" : "");
}

// Whatever its length, and whatever stands where 16 bytes are looked at together.
TEST(Credentials, QuotedOfEveryLength) {
    for (std::size_t length = 0; length < 70; ++length) {
        const std::string value(length, 'n');
        EXPECT_EQ(read("Digest nonce=\"" + value + "\""), "||" + value + "|||||||");
        EXPECT_EQ(read("Digest nonce=\"" + value + "\",qop=auth"), "||" + value + "|||||auth||");
        EXPECT_EQ(read("Digest nonce=\"" + value), "!");
        for (std::size_t at = 0; at < length; ++at) {
            std::string with = value;
            for (const char control : {'\0', '\x1f', '\x7f', '\n'}) {
                with[at] = control;
                EXPECT_EQ(read("Digest nonce=\"" + with + "\",qop=auth"), "!") << at;
            }
            with[at] = '\x80';
            EXPECT_EQ(read("Digest nonce=\"" + with + "\""), "||" + with + "|||||||") << at;
            with[at] = '\\';
            const bool hides_end = at + 1 == length;  // the closing quote is an escaped one
            EXPECT_EQ(read("Digest nonce=\"" + with + "\""),
                      hides_end ? "!" : "||" + with + "|||||||")
                << at;
            if (!hides_end) {
                with[at + 1] = '"';
                EXPECT_EQ(read("Digest nonce=\"" + with + "\""), "||" + with + "|||||||") << at;
                with[at + 1] = '\x01';
                EXPECT_EQ(read("Digest nonce=\"" + with + "\""), "!") << at;
            }
        }
    }
}

TEST(Credentials, InAnyOrderAndForm) {
    EXPECT_EQ(read("Digest username=\"bob\", realm=\"example.com\", nonce=\"abc\", "
                   "uri=\"sip:example.com\", response=\"0123\", algorithm=MD5, cnonce=\"c\", "
                   "qop=auth, nc=00000001"),
              "bob|example.com|abc|sip:example.com|0123|MD5|c|auth|00000001|");
    EXPECT_EQ(read("digest\r\n nc=00000001,qop=\"auth\" , NONCE = \"abc\",opaque=\"\"\r\n\t,"
                   "Username=\"bob\""),
              "bob||abc|||||auth|00000001|");
}

TEST(Credentials, Tolerated) {
    EXPECT_EQ(read("Digest uri=sip:a@b;transport=udp,username=bob"),
              "bob|||sip:a@b;transport=udp||||||");
    EXPECT_EQ(read("Digest ,username=\"bob\",,"), "bob|||||||||");
    EXPECT_EQ(read("Digest nonce=\"\",response=\"\""), "|||||||||");
    EXPECT_EQ(read("Digest"), "|||||||||");
    EXPECT_EQ(read("Digest username=\"a,b=\\\"c\\\\\",realm=\"r\""), "a,b=\\\"c\\\\|r||||||||");
    EXPECT_EQ(read("Digest auts=\"x\",whatever=1,realm=\"r\""), "|r||||||||");
    EXPECT_EQ(read("Digest realm="), "|||||||||");
}

// Names that begin as one we know does, or end as one, and white space about the '='.
TEST(Credentials, NamesApart) {
    EXPECT_EQ(
        read("Digest nonces=1,nonc=2,xnonce=3,algorithms=4,algorithm5=5,a-name-of-any-length=6,"
             "username=\"bob\""),
        "bob|||||||||");
    EXPECT_EQ(read("Digest nc =1,uri\r\n =sip:a,QOP= auth,algorithm \t= MD5 , realm=r"),
              "|r||sip:a||MD5||auth|1|");
    EXPECT_EQ(read("Digest username* =UTF-8''bob,userhash =false"), "|||||||||hidden");
    for (const char* text : {"Digest nonce", "Digest nonce ", "Digest no nce=1", "Digest nonce\"=1",
                             "Digest nonce =\"a\",nonce=\"a\"", "Digest , ,= 1"}) {
        EXPECT_EQ(read(text), "!") << text;
    }
}

TEST(Credentials, Hidden) {
    EXPECT_EQ(read("Digest userhash=true,username=\"0f\""), "0f|||||||||hidden");
    EXPECT_EQ(read("Digest userhash=false,username=\"0f\""), "0f|||||||||");
    EXPECT_EQ(read("Digest username*=UTF-8''bob"), "|||||||||hidden");
}

TEST(Credentials, Broken) {
    for (const char* text :
         {"Digest username", "Digest =x", "Digest username=\"bob", "Digest username=\"bob\\",
          "Digest username=\"bob\" realm=\"r\"", "Digest username=\"a\",username=\"b\"",
          "Digest nonce=\"a\",NONCE=\"a\"", "Digest realm=\"a\r\n b\"", "Digest realm=\"a\\\x01\"",
          "Digest realm=\"a\tb\"", "Digest realm=a b", "Digest \"x\"=1", "Digest realm=\"a\"b"}) {
        EXPECT_EQ(read(text), "!") << text;
    }
    for (const char* text : {"", "Basic Zm9v", "Bearer x", "Digestive a=b", "\"Digest\" a=b"}) {
        EXPECT_EQ(read(text), "?") << text;
    }
}

TEST(Credentials, Unescaped) {
    std::array<char, 4> room;
    EXPECT_EQ(unescape_quoted("a long one", room.data(), room.size()), "a long one");
    EXPECT_EQ(unescape_quoted("a\\\"b\\\\", room.data(), room.size()), "a\"b\\");
    EXPECT_EQ(unescape_quoted("a\\b", room.data(), room.size()), "ab");
    EXPECT_EQ(unescape_quoted("\\abcde", room.data(), room.size()), std::nullopt);
    EXPECT_EQ(unescape_quoted("\\", room.data(), room.size()), "\\");
}

}  // namespace
}  // namespace pinhole::sip
