// SPDX-License-Identifier: BSD-3-Clause
// The phone's side of digest authentication (RFC 3261 §22, RFC 8760, RFC 7616): reads a challenge
// and answers it, with MD5 or SHA-256, with qop=auth or as RFC 2069 had it. A Login keeps what does
// not change from one request to the next. OpenSSL makes the hashes, except the MD5 of each
// request: that would take longer than the rest of the load, so many of them are made at once.
// Pure; one thread.
#pragma once

#include "dataplane/auth/md5_lanes.h"
#include "dataplane/sip/writer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct evp_md_ctx_st;
struct evp_md_st;

namespace pinhole::load {

enum class Algorithm : std::uint8_t { kMd5, kSha256 };

struct Challenge {
    std::string_view realm;
    std::string_view nonce;
    std::string_view opaque;
    Algorithm algorithm = Algorithm::kMd5;
    bool qop_auth = false;
    bool has_opaque = false;
    bool stale = false;
};

// A WWW-Authenticate or Proxy-Authenticate value. False: no Digest, another algorithm than ours, a
// qop without auth, no realm or nonce, or not readable.
[[nodiscard]] bool read_challenge(std::string_view value, Challenge& out);

// Lower-case hex of the longest hash.
struct HexHash {
    std::array<char, 64> text;
    std::size_t len = 0;
    [[nodiscard]] std::string_view view() const { return {text.data(), len}; }
};

class DigestClient {
  public:
    DigestClient();
    ~DigestClient();
    DigestClient(const DigestClient&) = delete;
    DigestClient& operator=(const DigestClient&) = delete;

    [[nodiscard]] HexHash hash(Algorithm algorithm, std::span<const std::string_view> parts);

  private:
    evp_md_ctx_st* context_;
    evp_md_st* md5_;
    evp_md_st* sha256_;
};

// What a phone remembers of its last challenge, to answer unasked with the next nonce count.
struct Login {
    static constexpr std::size_t kMaxNonce = 118;

    std::array<char, 64> ha1;  // hex
    std::array<char, kMaxNonce> nonce;
    std::uint8_t nonce_len = 0;  // 0: never challenged
    std::uint8_t terms = 0;      // index into Logins' terms
    std::uint32_t nonce_count = 0;

    [[nodiscard]] bool known() const { return nonce_len != 0; }
    [[nodiscard]] std::string_view nonce_text() const { return {nonce.data(), nonce_len}; }
};

// The logins of a population under one request URI and password.
class Logins {
  public:
    Logins(std::uint32_t phones, std::string uri, std::string password);

    // False if the challenge cannot be kept: a nonce too long, or more sorts of challenges than
    // kMaxTerms.
    [[nodiscard]] bool take(std::uint32_t phone, std::string_view user, const Challenge& challenge);
    [[nodiscard]] bool known(std::uint32_t phone) const { return logins_[phone].known(); }
    void forget(std::uint32_t phone) { logins_[phone].nonce_len = 0; }
    // Writes "Authorization: Digest ...\r\n" for a REGISTER by the phone's login, and counts its
    // nonce on. The text must stay where it is until finish(), which puts the response into it.
    void write_authorization(std::uint32_t phone, std::string_view user, sip::Writer& out);
    void finish();
    void prefetch(std::uint32_t phone) const {
        const char* at = reinterpret_cast<const char*>(&logins_[phone]);
        __builtin_prefetch(at, 1);
        __builtin_prefetch(at + 64, 1);
        __builtin_prefetch(at + 128, 1);
    }

    static constexpr std::size_t kMaxTerms = 16;

  private:
    // What all phones' challenges share.
    struct Terms {
        std::string realm;
        std::string opaque;
        Algorithm algorithm;
        bool qop_auth;
        bool has_opaque;
        HexHash ha2;  // of "REGISTER:uri"
        [[nodiscard]] bool same(const Challenge& challenge) const;
    };
    static constexpr std::size_t kMaxParts = 9;
    using Parts = std::array<std::string_view, kMaxParts>;
    // What the response is the hash of.
    [[nodiscard]] static Parts response_parts(const Login& login, const Terms& terms,
                                              std::string_view nc, std::string_view cnonce);
    void write_response(const Terms& terms, const Parts& parts, sip::Writer& out);

    static constexpr std::size_t kLanes = 32;

    DigestClient digester_;
    // MD5 responses that are still to be made, and where they go.
    std::unique_ptr<auth::Md5Message[]> texts_;
    std::array<char*, kLanes> places_{};
    std::size_t pending_ = 0;
    std::string uri_;
    std::string password_;
    std::vector<Terms> terms_;
    std::vector<Login> logins_;
};

}  // namespace pinhole::load
