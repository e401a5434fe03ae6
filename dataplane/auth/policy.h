// SPDX-License-Identifier: BSD-3-Clause
// What the operator decides about authentication: [auth] as the dataplane reads it, and who may
// register as whom. Immutable while workers hold it. Pure.
#pragma once

#include "dataplane/auth/algorithm.h"
#include "dataplane/auth/nonce.h"
#include "dataplane/auth/subscribers.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pinhole::auth {

struct DigestPolicy {
    Nonces nonces;  // and the realm
    UserHash user_hash;
    std::vector<Algorithm> algorithms;  // offered in this order, those that all subscribers have
    std::uint32_t nonce_lifetime_s = 0;
    bool allow_legacy = false;  // clients without qop; their nonces are for one use
    // The user part of an AOR, and another user who may register it. Sorted.
    std::vector<std::pair<std::string, std::string>> aliases;
};

// Whether `user` may register `aor` (canonical): if its user part is the user's name or an alias of
// it, or if it is the name as a whole where that has a domain.
[[nodiscard]] bool owns(const DigestPolicy& policy, std::string_view user, std::string_view aor);

}  // namespace pinhole::auth
