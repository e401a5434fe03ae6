// SPDX-License-Identifier: BSD-3-Clause
// The Routes at the top of a request that name us (RFC 3261 §16.4), and the token that the dialog
// left in them. Taken off are those without a token, the first with one, and its partner of the
// other direction behind it; a token of another leg, further down, stays, because that leg begins
// behind the core. Pure; any thread.
#pragma once

#include "dataplane/route/token.h"
#include "dataplane/sip/identity.h"
#include "dataplane/sip/message.h"
#include "dataplane/tokens/keys.h"

#include <cstddef>
#include <cstdint>

namespace pinhole::route {

enum class TokenState : std::uint8_t {
    kNone,
    kGood,
    kBad,  // of a token's length, but not one of ours for this Call-ID
};

struct RouteSet {
    std::size_t ours = 0;  // how many of the first Route values are to be taken off
    TokenState state = TokenState::kNone;
    Token token;  // if kGood
};

[[nodiscard]] RouteSet read_routes(const sip::Message& request, const sip::Identity& identity,
                                   const tokens::Keys& keys);

}  // namespace pinhole::route
