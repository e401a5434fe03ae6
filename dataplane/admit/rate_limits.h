// SPDX-License-Identifier: BSD-3-Clause
// How much anybody may ask of a worker: requests by flow, by address (IPv6 by /64 and by /56) and
// guesses at passwords, each in a token bucket. What an address may grows with the phones that have
// registered from it, for a gateway with 5,000 of them is no attacker, also in the minute after an
// outage. Nothing here tells one user from another: guessers use up their own and their address's
// allowance, never their victim's. Pure; each worker has its own, and its packets alone count: a
// flow always comes to one worker, an address's flows are spread.
#pragma once

#include "dataplane/admit/source_table.h"
#include "dataplane/admit/token_bucket.h"
#include "dataplane/moment.h"
#include "dataplane/net/flow.h"
#include "dataplane/table/aor_hash.h"

#include <cstddef>
#include <cstdint>

namespace pinhole::admit {

// What the operator decides: [limits]. Of all workers together.
struct LimitPolicy {
    bool enabled = true;
    Rate flow{1'200, 200};         // requests of one address and port
    Rate address{6'000, 1'000};    // of one IPv4 address, or IPv6 /64; four times that of a /56
    Rate phone{60, 10};            // and for each phone registered behind either of these
    Rate guesses{2, 5};            // refused passwords of an address for one user
    Rate address_guesses{20, 50};  // of an address for whomever
};

enum class Limited : std::uint8_t {
    kNo,
    kByFlow,
    kByAddress,
    kByGuesses,
};

class Limits {
  public:
    // `sources`: how many of each kind are remembered. `workers`: they share what an address may.
    Limits(const LimitPolicy& policy, std::size_t sources, unsigned workers,
           const table::KeyedHash& hash);

    // From here on; who is remembered is.
    void use(const LimitPolicy& policy);

    // A request that has proved nothing yet; counts it.
    [[nodiscard]] Limited admit(const net::Flow& from, const Moment& now);

    // Whether credentials for this user may be looked at: not after too many wrong guesses. Counts
    // nothing.
    [[nodiscard]] bool may_guess(const net::Flow& from, std::uint64_t user_hash,
                                 const Moment& now) const;
    // They were wrong.
    void guessed_wrong(const net::Flow& from, std::uint64_t user_hash, const Moment& now);

    // A phone has registered by this flow for `expires_s`. `first`: no refresh.
    void registered(const net::Flow& from, std::uint32_t expires_s, bool first, const Moment& now);
    // It has left.
    void left(const net::Flow& from, const Moment& now);

    // What is kept over a restart: the phones behind addresses.
    [[nodiscard]] const SourceTable& addresses() const { return addresses_; }
    void remember(const SourceName& address, float phones, const Moment& now);

  private:
    [[nodiscard]] SourceName guess_name(const net::Flow& from, std::uint64_t user_hash) const;
    [[nodiscard]] Rate address_guesses(const net::Flow& from, const Moment& now) const;
    void count_phones(const net::Flow& from, float change, const Moment& now);
    [[nodiscard]] Rate with_phones(const Rate& base, const Source& source, const Moment& now) const;

    unsigned workers_;
    LimitPolicy policy_;
    Rate subnet_;  // of a /56
    SourceTable flows_;
    SourceTable addresses_;  // and /64s
    SourceTable subnets_;    // /56s
    SourceTable guesses_;
    table::KeyedHash hash_;
};

}  // namespace pinhole::admit
