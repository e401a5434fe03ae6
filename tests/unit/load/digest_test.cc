// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/digest.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::load {
namespace {

std::string hex_of(const char* algorithm, const std::string& text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    std::size_t len = 0;
    EXPECT_EQ(EVP_Q_digest(nullptr, algorithm, nullptr, text.data(), text.size(), digest, &len), 1);
    std::string hex;
    for (std::size_t i = 0; i < len; ++i) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", digest[i]);
        hex += two;
    }
    return hex;
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from << " in " << text;
    return text.substr(at + from.size(), text.find(to, at + from.size()) - at - from.size());
}

TEST(Challenge, AsRegistrarsWriteIt) {
    Challenge c;
    ASSERT_TRUE(read_challenge(
        "Digest realm=\"example.com\", nonce=\"ZWY=\", qop=\"auth,auth-int\", opaque=\"\", "
        "algorithm=MD5, stale=TRUE",
        c));
    EXPECT_EQ(c.realm, "example.com");
    EXPECT_EQ(c.nonce, "ZWY=");
    EXPECT_EQ(c.algorithm, Algorithm::kMd5);
    EXPECT_TRUE(c.qop_auth && c.stale && c.has_opaque);

    ASSERT_TRUE(read_challenge("digest  nonce = \"n\" ,realm=\"a, b\",algorithm=sha-256", c));
    EXPECT_EQ(c.realm, "a, b");
    EXPECT_EQ(c.algorithm, Algorithm::kSha256);
    EXPECT_FALSE(c.qop_auth || c.stale || c.has_opaque);
}

TEST(Challenge, WhatCannotBeAnswered) {
    for (const char* value :
         {"", "Digest", "Digest ", "Basic realm=\"a\"", "Digestrealm=\"a\", nonce=\"b\"",
          "Digest realm=\"a\"", "Digest nonce=\"b\"", "Digest realm=\"\", nonce=\"b\"",
          "Digest realm=\"a, nonce=\"b\"", "Digest realm=\"a\" nonce=\"b\"",
          "Digest realm=\"a\", nonce=\"b", "Digest realm=\"a\", nonce=\"b\\\"c\"",
          "Digest realm=\"a\", nonce=\"b\", algorithm=MD5-sess",
          "Digest realm=\"a\", nonce=\"b\", qop=\"auth-int\"",
          "Digest realm=\"a\", nonce=\"b\", junk"}) {
        Challenge c;
        EXPECT_FALSE(read_challenge(value, c)) << value;
    }
}

// RFC 7616 §3.9.1: the vectors for MD5 and SHA-256.
TEST(DigestClient, VectorsOfTheRfc) {
    DigestClient digester;
    const auto response = [&](Algorithm algorithm) {
        const std::array<std::string_view, 1> secret{"Mufasa:http-auth@example.org:Circle of Life"};
        const std::array<std::string_view, 2> request{"GET:", "/dir/index.html"};
        const HexHash ha1 = digester.hash(algorithm, secret);
        const HexHash ha2 = digester.hash(algorithm, request);
        const std::array<std::string_view, 5> parts{
            ha1.view(), ":7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v:00000001:",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", ":auth:", ha2.view()};
        return std::string(digester.hash(algorithm, parts).view());
    };
    EXPECT_EQ(response(Algorithm::kMd5), "8ca523f5e9506fed4657c9700eebdbec");
    EXPECT_EQ(response(Algorithm::kSha256),
              "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

class LoginsTest : public testing::Test {
  public:
    std::string authorization(std::uint32_t phone = 1) {
        char buffer[1000];
        sip::Writer writer(buffer, sizeof buffer);
        logins.write_authorization(phone, "10000001", writer);
        EXPECT_FALSE(writer.overflow());
        logins.finish();
        return std::string(writer.view());
    }
    bool take(const std::string& challenge) {
        Challenge c;
        return read_challenge(challenge, c) && logins.take(1, "10000001", c);
    }

    Logins logins{2, "sip:example.com", "secret"};
};

// More than are made at once, each in its place; none where there was no room.
TEST_F(LoginsTest, MakesManyResponsesTogether) {
    ASSERT_TRUE(take("Digest realm=\"r\", nonce=\"n1\", qop=\"auth\""));
    constexpr std::size_t kMany = 40;
    std::vector<std::array<char, 300>> buffers(kMany);
    std::vector<std::string_view> lines;
    for (auto& buffer : buffers) {
        sip::Writer writer(buffer.data(), buffer.size());
        logins.write_authorization(1, "10000001", writer);
        lines.push_back(writer.view());
    }
    std::array<char, 110> small;  // ends within the response
    small.fill('x');
    sip::Writer writer(small.data(), 100);
    logins.write_authorization(1, "10000001", writer);
    EXPECT_TRUE(writer.overflow());
    logins.finish();
    EXPECT_EQ(std::string(small.data() + 100, 10), "xxxxxxxxxx");
    DigestClient digester;
    const auto hash = [&](std::vector<std::string_view> parts) {
        return std::string(digester.hash(Algorithm::kMd5, parts).view());
    };
    const std::string ha1 = hash({"10000001:r:secret"});
    const std::string ha2 = hash({"REGISTER:sip:example.com"});
    for (std::size_t i = 0; i < kMany; ++i) {
        char nc[9];
        std::snprintf(nc, sizeof nc, "%08zx", i + 1);
        const std::string expected =
            "response=\"" + hash({ha1, ":n1:", nc, ":10000001:auth:", ha2}) + "\"";
        EXPECT_NE(lines[i].find(expected), std::string_view::npos) << lines[i];
    }
}

TEST_F(LoginsTest, CountsItsNonceOn) {
    EXPECT_FALSE(logins.known(1));
    ASSERT_TRUE(take("Digest realm=\"r\", nonce=\"n1\", qop=\"auth\""));
    EXPECT_TRUE(logins.known(1));
    EXPECT_FALSE(logins.known(0));
    for (const std::string nc : {"00000001", "00000002"}) {
        const std::string line = authorization();
        EXPECT_TRUE(
            line.starts_with("Authorization: Digest username=\"10000001\", realm=\"r\", "
                             "nonce=\"n1\", uri=\"sip:example.com\", response=\""))
            << line;
        EXPECT_NE(line.find(", algorithm=MD5, qop=auth, nc=" + nc + ", cnonce=\""),
                  std::string::npos)
            << line;
        const std::string cnonce = between(line, "cnonce=\"", "\"");
        const std::string expected =
            hex_of("MD5", hex_of("MD5", "10000001:r:secret") + ":n1:" + nc + ":" + cnonce +
                              ":auth:" + hex_of("MD5", "REGISTER:sip:example.com"));
        EXPECT_EQ(between(line, "response=\"", "\""), expected);
        EXPECT_EQ(line.find("opaque"), std::string::npos);
    }
    ASSERT_TRUE(take("Digest realm=\"r\", nonce=\"n2\", qop=\"auth\""));
    EXPECT_NE(authorization().find("nc=00000001"), std::string::npos) << "a new nonce, a new count";
}

TEST_F(LoginsTest, WithoutQopAsRfc2069) {
    ASSERT_TRUE(take("Digest realm=\"r\", nonce=\"n1\", opaque=\"o\""));
    const std::string line = authorization();
    EXPECT_EQ(between(line, "response=\"", "\""),
              hex_of("MD5", hex_of("MD5", "10000001:r:secret") +
                                ":n1:" + hex_of("MD5", "REGISTER:sip:example.com")));
    EXPECT_EQ(line.find("nc="), std::string::npos);
    EXPECT_NE(line.find(", opaque=\"o\"\r\n"), std::string::npos);
}

TEST_F(LoginsTest, Sha256) {
    ASSERT_TRUE(take("Digest realm=\"r\", nonce=\"n1\", algorithm=SHA-256"));
    const std::string line = authorization();
    EXPECT_EQ(between(line, "response=\"", "\""),
              hex_of("SHA256", hex_of("SHA256", "10000001:r:secret") +
                                   ":n1:" + hex_of("SHA256", "REGISTER:sip:example.com")));
    EXPECT_NE(line.find("algorithm=SHA-256"), std::string::npos);
}

TEST_F(LoginsTest, WhatItCannotKeep) {
    const std::string longest(Login::kMaxNonce, 'n');
    EXPECT_TRUE(take("Digest realm=\"r\", nonce=\"" + longest + "\""));
    EXPECT_FALSE(take("Digest realm=\"r\", nonce=\"" + longest + "n\""));
    for (std::size_t i = 1; i < Logins::kMaxTerms; ++i) {
        EXPECT_TRUE(take("Digest realm=\"r" + std::to_string(i) + "\", nonce=\"n\""));
    }
    EXPECT_FALSE(take("Digest realm=\"one more\", nonce=\"n\""));
    EXPECT_TRUE(take("Digest realm=\"r3\", nonce=\"n\"")) << "known terms";
    EXPECT_NE(authorization().find("realm=\"r3\""), std::string::npos);
}

}  // namespace
}  // namespace pinhole::load
