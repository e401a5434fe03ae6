// SPDX-License-Identifier: BSD-3-Clause
// The digest of RFC 7616 §3.4.1 (RFC 3261 §22.4) over a burst of requests: MD5 in many lanes, the
// SHA-2 family by OpenSSL one after another. All memory is taken when it is made. Pure; one thread.
#pragma once

#include "dataplane/auth/algorithm.h"
#include "dataplane/auth/md5_lanes.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace pinhole::auth {

struct DigestInput {
    Algorithm algorithm = Algorithm::kMd5;
    const std::uint8_t* ha1 = nullptr;
    std::string_view method;
    std::string_view uri;
    std::string_view nonce;
    // Empty where the client knows no qop (RFC 2069).
    std::string_view nc;
    std::string_view cnonce;
    std::string_view qop;
};

using Digest = std::array<std::uint8_t, kMaxHashBytes>;  // hash_bytes() of them

class Digester {
  public:
    static constexpr std::size_t kMost = 32;

    Digester();

    // The next one's place, at most kMost between two runs. None: too long to be looked at.
    [[nodiscard]] bool add(const DigestInput& input);
    void run();
    // Of the n-th that was added, after run(); null: it could not be made.
    [[nodiscard]] const Digest* result(std::size_t n) const {
        return done_[n] ? &results_[n] : nullptr;
    }
    [[nodiscard]] std::size_t size() const { return count_; }
    void clear() { count_ = 0; }

  private:
    // The last H(A2): all phones of a domain register with one method and URI, so it need not be
    // made again for each.
    class LastA2 {
      public:
        [[nodiscard]] bool is(std::string_view method, std::string_view uri) const;
        // What is too long is not kept.
        void keep(std::string_view method, std::string_view uri, const Digest& digest);
        [[nodiscard]] const Digest& digest() const { return digest_; }

      private:
        std::array<char, 256> text_;  // method and URI, one behind the other
        std::size_t method_len_ = 0;
        std::size_t len_ = 0;  // 0: nothing
        Digest digest_;
    };

    void make_a2();
    void make_responses();
    LastA2& last(Algorithm algorithm) { return last_a2_[static_cast<std::size_t>(algorithm)]; }

    std::array<DigestInput, kMost> inputs_;
    std::array<Digest, kMost> a2_;
    std::array<LastA2, kAlgorithms> last_a2_;
    std::array<Digest, kMost> results_;
    std::array<bool, kMost> done_{};
    std::unique_ptr<Md5Message[]> texts_;
    std::array<Md5Message*, kMost> md5_;
    std::size_t count_ = 0;
};

}  // namespace pinhole::auth
