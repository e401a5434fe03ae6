// SPDX-License-Identifier: BSD-3-Clause
// RFC 7616 §3.4.1 and RFC 3261 §22.4: known answers, OpenSSL as the reference, and no allocation.
#include "dataplane/auth/digest.h"

#include "tests/unit/auth/support.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <atomic>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace pinhole::auth {
namespace {

std::atomic<unsigned> allocations{0};

void* counted_malloc(std::size_t bytes, const char* /*file*/, int /*line*/) {
    ++allocations;
    return std::malloc(bytes);
}
void* counted_realloc(void* memory, std::size_t bytes, const char* /*file*/, int /*line*/) {
    ++allocations;
    return std::realloc(memory, bytes);
}
void counted_free(void* memory, const char* /*file*/, int /*line*/) {
    std::free(memory);
}
// Before anything of OpenSSL's is used.
const bool kCounted = CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) == 1;

struct Case {
    Algorithm algorithm = Algorithm::kMd5;
    std::string ha1;  // hex
    std::string method = "REGISTER";
    std::string uri = "sip:example.com";
    std::string nonce = "abc";
    std::string nc = "00000001";
    std::string cnonce = "c";
    std::string qop = "auth";
    std::array<std::uint8_t, kMaxHashBytes> bytes{};

    DigestInput input() {
        (void)read_hex(ha1, bytes.data(), hash_bytes(algorithm));
        return {algorithm, bytes.data(), method, uri, nonce, nc, cnonce, qop};
    }
    [[nodiscard]] std::string wanted() const {
        const std::string ha2 = reference(algorithm, method + ":" + uri);
        return reference(algorithm, qop.empty() ? ha1 + ":" + nonce + ":" + ha2
                                                : ha1 + ":" + nonce + ":" + nc + ":" + cnonce +
                                                      ":" + qop + ":" + ha2);
    }
};

std::string text_of(const Digester& digester, std::size_t n, Algorithm algorithm) {
    const Digest* digest = digester.result(n);
    if (digest == nullptr) {
        return "none";
    }
    std::string hex(2 * hash_bytes(algorithm), '\0');
    write_hex(digest->data(), hash_bytes(algorithm), hex.data());
    return hex;
}

// RFC 7616 §3.9.1, MD5 and SHA-256; RFC 2069's way as RFC 2617's erratum has it.
TEST(Digest, TheRfcsOwnAnswers) {
    Case md5{Algorithm::kMd5,
             ha1(Algorithm::kMd5, "Mufasa", "Circle of Life", "http-auth@example.org"),
             "GET",
             "/dir/index.html",
             "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
             "00000001",
             "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"};
    Case sha = md5;
    sha.algorithm = Algorithm::kSha256;
    sha.ha1 = ha1(Algorithm::kSha256, "Mufasa", "Circle of Life", "http-auth@example.org");
    Digester digester;
    ASSERT_TRUE(digester.add(md5.input()));
    ASSERT_TRUE(digester.add(sha.input()));
    digester.run();
    EXPECT_EQ(text_of(digester, 0, Algorithm::kMd5), "8ca523f5e9506fed4657c9700eebdbec");
    EXPECT_EQ(text_of(digester, 1, Algorithm::kSha256),
              "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

TEST(Digest, WholeBurstsAgainstOpenSsl) {
    std::mt19937 random(3);
    Digester digester;
    for (int burst = 0; burst < 40; ++burst) {
        std::vector<Case> cases(Digester::kMost);
        digester.clear();
        for (Case& each : cases) {
            each.algorithm = static_cast<Algorithm>(random() % kAlgorithms);
            each.ha1 = ha1(each.algorithm, "u" + std::to_string(random()), "pw");
            each.nonce = std::to_string(random());
            // In every other burst few of them, as of the phones of one domain.
            each.uri =
                "sip:" + std::string(random() % (burst % 2 == 0 ? 200 : 3), 'x') + "@example.com";
            each.method = random() % 4 == 0 ? "INVITE" : "REGISTER";
            each.cnonce = std::string(1 + random() % 60, 'c');
            if (random() % 4 == 0) {
                each.nc = each.cnonce = each.qop = "";
            }
            ASSERT_TRUE(digester.add(each.input()));
        }
        EXPECT_FALSE(digester.add(cases[0].input())) << "full";
        digester.run();
        for (std::size_t i = 0; i < cases.size(); ++i) {
            EXPECT_EQ(text_of(digester, i, cases[i].algorithm), cases[i].wanted()) << i;
        }
    }
}

// What parts method and URI is a colon, which a method can't have but a guess can.
TEST(Digest, MethodAndUriAreNotTakenForOne) {
    Digester digester;
    Case first{Algorithm::kSha256, ha1(Algorithm::kSha256, "u", "p"), "REGISTER", "sip:a"};
    Case second = first;
    second.method = "REGISTERsip";
    second.uri = ":a";
    ASSERT_TRUE(digester.add(first.input()));
    ASSERT_TRUE(digester.add(second.input()));
    digester.run();
    EXPECT_EQ(text_of(digester, 0, Algorithm::kSha256), first.wanted());
    EXPECT_EQ(text_of(digester, 1, Algorithm::kSha256), second.wanted());
}

TEST(Digest, TooLong) {
    Digester digester;
    Case each{Algorithm::kMd5, ha1(Algorithm::kMd5, "u", "p")};
    each.uri = "sip:" + std::string(Md5Message::kMaxBytes, 'x');
    EXPECT_FALSE(digester.add(each.input()));
    each.uri = "sip:a";
    each.cnonce = std::string(Md5Message::kMaxBytes, 'x');
    EXPECT_FALSE(digester.add(each.input()));
    // The longest that is taken can be made.
    each.cnonce = std::string(1, 'x');
    Case longest = each;
    while (digester.add(each.input())) {
        digester.clear();
        longest = each;
        each.cnonce += 'x';
    }
    ASSERT_TRUE(digester.add(longest.input()));
    digester.run();
    EXPECT_EQ(text_of(digester, 0, Algorithm::kMd5), longest.wanted());
    EXPECT_GT(longest.cnonce.size(), 500U);
}

TEST(Digest, AllocatesNothing) {
    ASSERT_TRUE(kCounted);
    Digester digester;
    const unsigned before = allocations;
    EXPECT_GT(before, 0U);
    std::vector<Case> cases;
    cases.reserve(30);  // what is added are views
    for (unsigned i = 0; i < 30; ++i) {
        cases.push_back({static_cast<Algorithm>(i % kAlgorithms)});
        cases.back().ha1 = std::string(2 * hash_bytes(cases.back().algorithm), '0');
        ASSERT_TRUE(digester.add(cases.back().input()));
    }
    digester.run();
    EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace pinhole::auth
