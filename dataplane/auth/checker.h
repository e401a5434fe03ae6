// SPDX-License-Identifier: BSD-3-Clause
// Are the credentials of a request good? Asked of a whole burst, in steps: each request's header is
// read and its nonce judged, then users are looked up and digests made side by side, and last, for
// good digests alone, the nc is used up. An unknown user costs and gets what a wrong password does.
// Pure; one thread a Checker; the windows are shared by all.
#pragma once

#include "dataplane/auth/digest.h"
#include "dataplane/auth/nonce_windows.h"
#include "dataplane/auth/policy.h"
#include "dataplane/auth/subscribers.h"
#include "dataplane/counters.h"
#include "dataplane/sip/credentials.h"
#include "dataplane/sip/identity.h"
#include "dataplane/sip/message.h"
#include "dataplane/table/contact.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pinhole::auth {

using Result = AuthResult;

// Asked to try again with a fresh nonce, as if it had not tried.
[[nodiscard]] constexpr bool is_challenged(Result result) {
    return result <= Result::kReplayed;
}
// `stale=true`: the phone need not ask its user.
[[nodiscard]] constexpr bool is_stale(Result result) {
    return result == Result::kStale || result == Result::kReplayed;
}
[[nodiscard]] constexpr bool is_good(Result result) {
    return result == Result::kGood || result == Result::kRetransmission;
}

// What is asked about a request.
struct Question {
    const sip::Message* message = nullptr;
    sip::HeaderId header = sip::HeaderId::kAuthorization;  // or kProxyAuthorization
    std::string_view aor;                                  // canonical: who it says it is
    std::uint64_t aor_hash = 0;
    std::uint64_t request = 0;  // a keyed hash of the datagram and its flow
};

// The answer under way. Views are the message's.
struct Attempt {
    Result result = Result::kChallenged;
    bool open = false;         // check() is to find the result
    bool owns = false;         // the user may register the AOR
    bool uri_differs = false;  // from the request URI
    UserName user;             // while open
    Question question;

    std::uint8_t header_index = sip::kNoHeader;  // of the credentials
    Algorithm algorithm = Algorithm::kMd5;
    Stamp stamp;
    std::uint32_t nc = 0;
    sip::Credentials credentials;
    Digest response;  // as it was sent
};

class Checker {
  public:
    static constexpr std::size_t kMost = Digester::kMost;

    Checker(const DigestPolicy& policy, NonceWindows& windows)
        : policy_(policy), windows_(windows) {}

    // All that can be said without looking a user up.
    void read(const Question& question, const Subscribers& subscribers,
              const sip::Identity& identity, const tokens::Keys& keys, std::uint32_t now_s,
              Attempt& out) const;
    // Prefetches what check() will look up for the open attempts. The caller may do something else
    // meanwhile.
    void prefetch(std::span<const Attempt> attempts, const Subscribers& subscribers) const;
    // Settles those that are open; at most kMost.
    void check(std::span<Attempt> attempts, const Subscribers& subscribers, std::uint32_t now_s);

  private:
    [[nodiscard]] Result judge(const Subscribers& subscribers, const sip::Identity& identity,
                               const tokens::Keys& keys, std::uint32_t now_s, Attempt& out) const;
    [[nodiscard]] bool read_proof(const Subscribers& subscribers, Attempt& out) const;
    [[nodiscard]] Result settle(const Attempt& attempt, bool known, const Digest* digest,
                                std::uint32_t now_s);

    const DigestPolicy& policy_;
    NonceWindows& windows_;
    Digester digester_;
};

}  // namespace pinhole::auth
