// SPDX-License-Identifier: BSD-3-Clause
// RFC 7616 §3.3, RFC 8760 §2.4.
#include "dataplane/auth/challenge.h"

#include "tests/unit/auth/support.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace pinhole::auth {
namespace {

std::string challenges(const std::vector<Algorithm>& order, const Subscribers& subscribers,
                       bool stale = false, std::size_t most = kAlgorithms) {
    const DigestPolicy policy{Nonces("example.com", 1), test_hash(), order, 600, false, {}};
    std::array<char, kMaxChallenges> room;
    sip::Writer out(room.data(), room.size());
    const std::size_t count = write_challenges(sip::HeaderId::kWwwAuthenticate, policy, subscribers,
                                               "n", stale, most, out);
    EXPECT_FALSE(out.overflow());
    return std::to_string(count) + "\n" + std::string(out.view());
}

TEST(Challenge, InTheConfiguredOrder) {
    const auto all = subscribers_of({"bob", "eve"}, {Algorithm::kMd5, Algorithm::kSha256});
    EXPECT_EQ(challenges({Algorithm::kSha256, Algorithm::kSha512_256, Algorithm::kMd5}, *all),
              "2\n"
              "WWW-Authenticate: Digest realm=\"example.com\",nonce=\"n\",algorithm=SHA-256,"
              "qop=\"auth\"\r\n"
              "WWW-Authenticate: Digest realm=\"example.com\",nonce=\"n\",algorithm=MD5,"
              "qop=\"auth\"\r\n");
    EXPECT_EQ(challenges({Algorithm::kMd5}, *all, true),
              "1\nWWW-Authenticate: Digest realm=\"example.com\",nonce=\"n\",algorithm=MD5,"
              "qop=\"auth\",stale=true\r\n");
    EXPECT_EQ(challenges({Algorithm::kSha256, Algorithm::kMd5}, *all, false, 1),
              "1\nWWW-Authenticate: Digest realm=\"example.com\",nonce=\"n\",algorithm=SHA-256,"
              "qop=\"auth\"\r\n");
}

TEST(Challenge, TheLongestFits) {
    const auto all =
        subscribers_of({"bob"}, {Algorithm::kMd5, Algorithm::kSha256, Algorithm::kSha512_256});
    const DigestPolicy policy{Nonces(std::string(Nonces::kMaxRealm, 'r'), 1),
                              test_hash(),
                              {Algorithm::kMd5, Algorithm::kSha256, Algorithm::kSha512_256},
                              600,
                              false,
                              {}};
    std::array<char, kMaxChallenges> room;
    sip::Writer out(room.data(), room.size());
    EXPECT_EQ(write_challenges(sip::HeaderId::kProxyAuthenticate, policy, *all,
                               std::string(NonceText::kChars, 'n'), true, kAlgorithms, out),
              3U);
    EXPECT_FALSE(out.overflow());
}

}  // namespace
}  // namespace pinhole::auth
