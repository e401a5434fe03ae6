// SPDX-License-Identifier: BSD-3-Clause
// Which binding a Contact means, and what its CSeq says of it: the two questions that RFC 3261
// §10.3 step 7 puts to each contact of a request. Pure; any thread.
#pragma once

#include "dataplane/registrar/register_request.h"
#include "dataplane/table/contact.h"

#include <algorithm>
#include <cstdint>

namespace pinhole::registrar {

// The instance and reg-id where there is one (RFC 5626 §6.1); else Contact URI and Call-ID. The
// same Contact under a new Call-ID is the same phone restarted if it comes from the same public
// address, or by the same Path, and another phone if not: home and office are both
// 100@192.168.1.10:5060.
[[nodiscard]] bool same_binding(const table::ContactView& stored, const RequestedContact& asked,
                                const RegisterRequest& request);

// How surely the binding is meant: the phone that moved to where another with its Contact has been is
// known by its Call-ID.
enum class Likeness : std::uint8_t {
    kOther,     // another binding
    kSame,      // by the rules above
    kSameCall,  // and under the same Contact URI and Call-ID
    kSameText,  // and nothing in its text has changed
};
[[nodiscard]] Likeness likeness_of(const table::ContactView& stored, const RequestedContact& asked,
                                   const RegisterRequest& request);

// The same text too: then a refresh has nothing to change but the state.
[[nodiscard]] bool same_text(const table::ContactView& stored, const RequestedContact& asked,
                             const RegisterRequest& request);

// How long ago the contact was refreshed. Workers read the clock a round each, and a request may wait
// for its owner meanwhile: what is stamped a moment ahead of the request was refreshed just now, not
// 49 days ago.
[[nodiscard]] inline std::uint32_t age_ms(const table::ContactState& state, const Now& now) {
    constexpr std::uint32_t kMostAhead_ms = 60'000;
    const std::uint32_t age = now.ms - state.refreshed_at_ms;
    return age > ~std::uint32_t{0} - kMostAhead_ms ? 0 : age;
}

enum class Order : std::uint8_t {
    kNewer,           // to be carried out
    kRetransmission,  // the same request again: the same answer, no change
    kLate,            // an older packet overtaken: 500
};
// `stored` is the state of the binding that the request means.
[[nodiscard]] Order order_of(const table::ContactState& stored, const RegisterRequest& request);

// Of the second in which a contact is granted its time, a part has passed already. That one does not
// count, so that a contact lasts as long as it was granted, and up to a second longer: a phone that
// refreshes just in time keeps its binding, and the dialogs that hang on its id.
[[nodiscard]] inline std::uint32_t expiry_of(std::uint32_t granted_s, const Now& now) {
    return now.s + granted_s + 1;
}

[[nodiscard]] inline bool expired(const table::ContactState& state, const Now& now) {
    return state.expires_at_s <= now.s;
}

// What is left of the time granted; 0 only when it has expired.
[[nodiscard]] inline std::uint32_t left_s(const table::ContactState& state, const Now& now) {
    return expired(state, now) ? 0 : std::max(state.expires_at_s - now.s - 1, 1U);
}

}  // namespace pinhole::registrar
