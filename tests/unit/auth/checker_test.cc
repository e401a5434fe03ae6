// SPDX-License-Identifier: BSD-3-Clause
// RFC 3261 §22 and RFC 7616 §3.4 as a registrar meets them: what real phones send, and what others
// do.
#include "dataplane/auth/checker.h"

#include "dataplane/table/heap_memory.h"
#include "tests/unit/auth/support.h"

#include <gtest/gtest.h>

#include <list>
#include <string>
#include <vector>

namespace pinhole::auth {
namespace {

using enum AuthResult;

constexpr std::uint32_t kNow_s = 1'700'000'000;
constexpr std::uint32_t kLifetime_s = 600;

struct Try {
    std::string user = "bob";
    std::string password = "pw-bob";
    std::string aor = "bob@example.com";
    std::string nonce;  // empty: a fresh one
    std::string realm = "example.com";
    std::string uri = "sip:example.com";
    std::string request_uri = "sip:example.com";
    std::string method = "REGISTER";
    std::string nc = "00000001";
    std::string cnonce = "c0ffee";
    std::string qop = "auth";
    std::string extra;
    Algorithm algorithm = Algorithm::kMd5;
    bool name_algorithm = true;
    std::uint64_t request = 0;

    [[nodiscard]] std::string response() const {
        const std::string a1 = ha1(algorithm, user, password, realm);
        const std::string a2 = reference(algorithm, method + ":" + uri);
        return reference(algorithm, qop.empty() ? a1 + ":" + nonce + ":" + a2
                                                : a1 + ":" + nonce + ":" + nc + ":" + cnonce + ":" +
                                                      qop + ":" + a2);
    }
    [[nodiscard]] std::string header() const {
        std::string text = "Digest username=\"" + user + "\",realm=\"" + realm + "\",nonce=\"" +
                           nonce + "\",uri=\"" + uri + "\",response=\"" + response() + "\"";
        text += name_algorithm ? ",algorithm=" + std::string(name_of(algorithm)) : "";
        text += qop.empty() ? "" : ",qop=" + qop + ",nc=" + nc + ",cnonce=\"" + cnonce + "\"";
        return text + extra;
    }
};

class Checked : public testing::Test {
  public:
    void SetUp() override { (void)identity.add_domain("example.com"); }

    // A fresh nonce of this AOR.
    std::string nonce(const std::string& aor = "bob@example.com", std::uint32_t ago_s = 0) {
        const Stamp stamp = Stamp::of(kNow_s - ago_s, 1, ++salt);
        return std::string(policy.nonces.make(keys, std::hash<std::string>()(aor), stamp).view());
    }
    // Asks about a message with these header lines.
    AuthResult ask(const Try& attempt, const std::vector<std::string>& values,
                   sip::HeaderId header = sip::HeaderId::kAuthorization) {
        Attempt out = open(attempt, values, header);
        checker.check({&out, 1}, *subscribers, kNow_s);
        differs = out.uri_differs;
        return out.result;
    }
    AuthResult ask(Try attempt) {
        attempt.nonce = attempt.nonce.empty() ? nonce(attempt.aor) : attempt.nonce;
        return ask(attempt, {attempt.header()});
    }
    Attempt open(const Try& attempt, const std::vector<std::string>& values,
                 sip::HeaderId header = sip::HeaderId::kAuthorization) {
        std::string text = attempt.method + " " + attempt.request_uri +
                           " SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\nFrom: "
                           "<sip:bob@example.com>;tag=f\r\nTo: <sip:bob@example.com>\r\n"
                           "Call-ID: c\r\nCSeq: 1 " +
                           attempt.method + "\r\n";
        for (const std::string& value : values) {
            text += std::string(sip::header_name(header)) + ": " + value + "\r\n";
        }
        texts.push_back(text + "Content-Length: 0\r\n\r\n");
        messages.emplace_back();
        EXPECT_EQ(sip::parse(texts.back(), messages.back()), sip::ParseError::kOk);
        aors.push_back(attempt.aor);
        Attempt out;
        checker.read({.message = &messages.back(),
                      .header = header,
                      .aor = aors.back(),
                      .aor_hash = std::hash<std::string>()(attempt.aor),
                      .request = attempt.request != 0 ? attempt.request : ++requests},
                     *subscribers, identity, keys, kNow_s, out);
        return out;
    }

    DigestPolicy policy{Nonces("example.com", 1),
                        test_hash(),
                        {Algorithm::kSha256, Algorithm::kMd5},
                        kLifetime_s,
                        false,
                        {{"100", "bob"}}};
    std::unique_ptr<Subscribers> subscribers =
        subscribers_of({"bob", "alice"}, {Algorithm::kMd5, Algorithm::kSha256});
    sip::Identity identity;
    tokens::Keys keys = test_keys();
    table::HeapMemory memory;
    NonceWindows windows{memory.arrays(), 1000, kLifetime_s};
    Checker checker{policy, windows};
    std::list<std::string> texts;
    std::list<std::string> aors;
    std::list<sip::Message> messages;
    std::uint64_t requests = 1'000;
    std::uint64_t salt = 0;
    bool differs = false;
};

TEST_F(Checked, GoodOnes) {
    EXPECT_EQ(ask({}), kGood);
    EXPECT_EQ(ask({.algorithm = Algorithm::kSha256}), kGood);
    EXPECT_EQ(ask({.name_algorithm = false}), kGood) << "RFC 7616 §3.3: MD5";
    EXPECT_EQ(ask({.nc = "0000abCD", .qop = "AUTH"}), kGood);
    EXPECT_EQ(ask({.extra = ",opaque=\"\",userhash=false"}), kGood);
    EXPECT_EQ(ask({.user = "alice", .password = "pw-alice", .aor = "alice@example.com"}), kGood);
    EXPECT_EQ(ask({.aor = "100@example.com"}), kGood) << "an alias";
}

TEST_F(Checked, NothingToGoBy) {
    EXPECT_EQ(ask(Try{}, {}), kChallenged);
    EXPECT_EQ(ask(Try{}, {"Basic Ym9iOnB3LWJvYg=="}), kChallenged);
    Try foreign{.nonce = "abc", .realm = "example.org"};
    EXPECT_EQ(ask(foreign, {foreign.header()}), kChallenged);
    // IMS handsets (3GPP TS 24.229 §5.1.1.2.2): who they are, and nothing else yet.
    EXPECT_EQ(ask(Try{}, {"Digest username=\"bob\",realm=\"example.com\",nonce=\"\","
                          "uri=\"sip:example.com\",response=\"\""}),
              kChallenged);
}

TEST_F(Checked, SeveralHeaders) {
    Try good{.nonce = nonce()};
    Try foreign{.nonce = "abc", .realm = "example.org"};
    Try old{.nonce = nonce("bob@example.com", kLifetime_s + 1)};
    EXPECT_EQ(ask(good, {"Basic x", foreign.header(), old.header(), good.header()}), kGood);
    good.nonce = nonce();
    EXPECT_EQ(ask(good, {"Digest realm=\"exam", good.header()}), kGood);
    EXPECT_EQ(ask(good, {foreign.header(), old.header()}), kStale);
    EXPECT_EQ(ask(good, {old.header(), "Digest realm=\"exam"}), kStale);
}

TEST_F(Checked, WrongOnes) {
    EXPECT_EQ(ask({.password = "guess"}), kWrong);
    EXPECT_EQ(ask({.user = "nobody", .password = "pw-bob"}), kUnknownUser);
    EXPECT_EQ(ask({.user = "", .password = ""}), kUnknownUser);
    // The HA1 of nobody is nobody's password: a digest over it opens nothing.
    EXPECT_EQ(ask({.user = "nobody", .aor = "nobody@example.com"}), kUnknownUser);
    EXPECT_EQ(ask({.user = "alice", .password = "pw-alice"}), kForbidden) << "bob's AOR";
    EXPECT_EQ(ask({.user = "alice", .password = "guess"}), kWrong) << "says nothing of whose it is";
    EXPECT_EQ(ask({.user = "alice", .password = "pw-alice", .aor = "100@example.com"}), kForbidden);
}

// All of a digest counts.
TEST_F(Checked, OneDigitIsWrong) {
    for (const Algorithm algorithm : {Algorithm::kMd5, Algorithm::kSha256}) {
        for (std::size_t i = 0; i < 2 * hash_bytes(algorithm); ++i) {
            const Try attempt{.nonce = nonce(), .algorithm = algorithm};
            std::string header = attempt.header();
            char& digit = header[header.find(attempt.response()) + i];
            digit = digit == '0' ? '1' : '0';
            EXPECT_EQ(ask(attempt, {header}), kWrong) << i;
        }
    }
}

TEST_F(Checked, Unreadable) {
    EXPECT_EQ(ask({.extra = ",userhash=true"}), kUnreadable);
    EXPECT_EQ(ask({.extra = ",username*=UTF-8''bob"}), kUnreadable);
    EXPECT_EQ(ask({.extra = ",realm=\"example.com\""}), kUnreadable) << "twice";
    EXPECT_EQ(ask({.nc = "00000000"}), kUnreadable);
    EXPECT_EQ(ask({.nc = "1"}), kUnreadable);
    EXPECT_EQ(ask({.nc = "0000000x"}), kUnreadable);
    EXPECT_EQ(ask({.cnonce = ""}), kUnreadable);
    EXPECT_EQ(ask({.qop = "auth-int"}), kUnreadable);
    EXPECT_EQ(ask({.qop = ""}), kUnreadable) << "not without allow_legacy";
    EXPECT_EQ(ask({.algorithm = Algorithm::kSha512_256}), kUnreadable) << "was not offered";
    EXPECT_EQ(ask({.extra = ",algorithm=MD5-sess", .name_algorithm = false}), kUnreadable);
    EXPECT_EQ(ask({.uri = "sip:example.org"}), kUnreadable);
    EXPECT_EQ(ask({.uri = ""}), kUnreadable);
    EXPECT_EQ(ask({.uri = "sip:" + std::string(1000, 'x') + "@example.com"}), kUnreadable);
    EXPECT_EQ(ask({.user = std::string(300, 'u')}), kUnreadable);
    Try short_one{.nonce = nonce()};
    std::string header = short_one.header();
    header.replace(header.find("response=\"") + 10, 1, "");
    EXPECT_EQ(ask(short_one, {header}), kUnreadable);
}

// The nonce was made for another AOR, by another server, or too long ago: a new one, and no
// failure.
TEST_F(Checked, Stale) {
    EXPECT_EQ(ask({.nonce = nonce("alice@example.com")}), kStale);
    EXPECT_EQ(ask({.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"}), kStale);
    EXPECT_EQ(ask({.nonce = nonce("bob@example.com", kLifetime_s + 1)}), kStale);
    EXPECT_EQ(ask({.nonce = nonce("bob@example.com", kLifetime_s)}), kGood);
    EXPECT_EQ(ask({.password = "guess", .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"}), kStale)
        << "nothing is told of the password";
    keys = test_keys(2);
    const std::string before = nonce();
    EXPECT_EQ(ask({.nonce = before}), kGood);
    keys = test_keys(3);
    EXPECT_EQ(ask({.nonce = before}), kStale);
}

TEST_F(Checked, TheSameNonceGoesOn) {
    const std::string once = nonce();
    EXPECT_EQ(ask({.nonce = once, .request = 1}), kGood);
    EXPECT_EQ(ask({.nonce = once, .request = 1}), kRetransmission);
    EXPECT_EQ(ask({.nonce = once, .request = 2}), kReplayed);
    EXPECT_EQ(ask({.nonce = once, .nc = "00000002"}), kGood);
    EXPECT_EQ(ask({.nonce = once, .nc = "00000003", .algorithm = Algorithm::kSha256}), kGood);
}

TEST_F(Checked, AWrongPasswordUsesNothingUp) {
    const std::string once = nonce();
    EXPECT_EQ(ask({.password = "guess", .nonce = once}), kWrong);
    EXPECT_EQ(ask({.user = "alice", .password = "pw-alice", .nonce = once}), kForbidden);
    EXPECT_EQ(ask({.nonce = once}), kGood);
}

TEST_F(Checked, WithoutQop) {
    policy.allow_legacy = true;
    const std::string once = nonce();
    EXPECT_EQ(ask({.nonce = once, .qop = "", .request = 1}), kGood);
    EXPECT_EQ(ask({.nonce = once, .qop = "", .request = 1}), kRetransmission);
    EXPECT_EQ(ask({.nonce = once, .qop = ""}), kReplayed);
    EXPECT_EQ(ask({.qop = ""}), kGood);
    EXPECT_EQ(ask({.password = "guess", .qop = ""}), kWrong);
    // cnonce and nc have no meaning then (RFC 7616 §3.4).
    EXPECT_EQ(ask({.qop = "", .extra = ",cnonce=\"x\",nc=00000001"}), kGood);
}

// Gateways rewrite the request line, and phones write what they like.
TEST_F(Checked, AnotherUriOfOurs) {
    EXPECT_EQ(ask({}), kGood);
    EXPECT_FALSE(differs);
    EXPECT_EQ(ask({.uri = "sip:example.com:5060;transport=udp"}), kGood);
    EXPECT_TRUE(differs);
    EXPECT_EQ(ask({.request_uri = "sip:198.51.100.1"}), kGood);
    EXPECT_TRUE(differs);
}

TEST_F(Checked, AsAProxy) {
    Try call{.nonce = nonce(),
             .uri = "sip:+4930@example.org",
             .request_uri = "sip:+4930@example.org",
             .method = "INVITE"};
    EXPECT_EQ(ask(call, {call.header()}, sip::HeaderId::kProxyAuthorization), kGood);
    call.nonce = nonce();
    call.request_uri = "sip:+4931@example.org";
    EXPECT_EQ(ask(call, {call.header()}, sip::HeaderId::kProxyAuthorization), kUnreadable);
    EXPECT_EQ(ask(call, {}, sip::HeaderId::kProxyAuthorization), kChallenged);
}

TEST_F(Checked, EscapesInAName) {
    subscribers = subscribers_of({"a\"b"}, {Algorithm::kMd5});
    Try quoted{.user = "a\"b", .password = "pw-a\"b", .aor = "a%22b@example.com"};
    quoted.nonce = nonce(quoted.aor);
    std::string header = quoted.header();
    header.replace(header.find("a\"b"), 3, "a\\\"b");
    EXPECT_EQ(ask(quoted, {header}), kGood);
}

TEST_F(Checked, WholeBursts) {
    std::vector<Attempt> attempts;
    std::vector<AuthResult> want;
    const std::string once = nonce();
    for (std::size_t i = 0; i < Checker::kMost; ++i) {
        Try each{.nonce = once, .nc = std::to_string(10'000'000 + i)};
        each.algorithm = i % 3 == 0 ? Algorithm::kSha256 : Algorithm::kMd5;
        switch (i % 5) {
            case 0:
                each.password = "guess";
                want.push_back(kWrong);
                break;
            case 1:
                each.user = "nobody";
                want.push_back(kUnknownUser);
                break;
            case 2:
                each.nonce = "x";
                want.push_back(kStale);
                break;
            default:
                want.push_back(kGood);
                break;
        }
        attempts.push_back(open(each, {each.header()}));
    }
    checker.check(attempts, *subscribers, kNow_s);
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        EXPECT_EQ(attempts[i].result, want[i]) << i;
    }
    checker.check(attempts, *subscribers, kNow_s);
    EXPECT_EQ(attempts[3].result, kGood) << "settled once";
    checker.check({}, *subscribers, kNow_s);
}

TEST(AuthResults, WhatComesOfThem) {
    EXPECT_TRUE(is_challenged(kChallenged) && is_challenged(kWrong) &&
                is_challenged(kUnknownUser) && is_challenged(kUnreadable) &&
                is_challenged(kStale) && is_challenged(kReplayed));
    EXPECT_FALSE(is_challenged(kForbidden) || is_challenged(kGuessed) || is_challenged(kGood) ||
                 is_challenged(kContended) || is_challenged(kRetransmission));
    EXPECT_TRUE(is_stale(kStale) && is_stale(kReplayed));
    EXPECT_FALSE(is_stale(kWrong) || is_stale(kUnknownUser) || is_stale(kChallenged));
    EXPECT_EQ(kAuthResultNames.back(), "retransmission");
}

}  // namespace
}  // namespace pinhole::auth
