// SPDX-License-Identifier: BSD-3-Clause
// Challenges: a header an algorithm, in the configured order, for a client takes the first that it
// can do (RFC 7616 §3.7, RFC 8760 §2.4). Pure; any thread.
#pragma once

#include "dataplane/auth/policy.h"
#include "dataplane/auth/subscribers.h"
#include "dataplane/sip/header_id.h"
#include "dataplane/sip/writer.h"

#include <cstddef>

namespace pinhole::auth {

// As long as all challenges can be.
inline constexpr std::size_t kMaxChallenges = kAlgorithms * (Nonces::kMaxRealm + 160);

// `header` is WWW-Authenticate or Proxy-Authenticate. Writes the first `most` of those that may be
// offered; returns how many there are.
std::size_t write_challenges(sip::HeaderId header, const DigestPolicy& policy,
                             const Subscribers& subscribers, std::string_view nonce, bool stale,
                             std::size_t most, sip::Writer& out);

}  // namespace pinhole::auth
