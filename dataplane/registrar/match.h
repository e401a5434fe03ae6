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

// How surely the binding is meant: the phone that moved to where another with its Contact has been
// is known by its Call-ID.
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

// A contact that was found at its Contact's port (table::kAtContact) registers again from the same
// address, the port that it sends from told anew: is it still to be reached where it was found?
[[nodiscard]] bool stays_at_contact(const table::ContactState& stored, const net::Flow& came_by);

enum class Order : std::uint8_t {
    kNewer,           // to be carried out
    kRetransmission,  // the same request again: the same answer, no change
    kLate,            // an older packet overtaken: 500
};
// `stored` is the state of the binding that the request means.
[[nodiscard]] Order order_of(const table::ContactState& stored, const RegisterRequest& request);

// Of the second in which a contact is granted its time, a part has passed already. That one does
// not count, so that a contact lasts as long as it was granted, and up to a second longer: a phone
// that refreshes just in time keeps its binding, and the dialogs that hang on its id.
[[nodiscard]] inline std::uint32_t expiry_of(std::uint32_t granted_s, const Moment& now) {
    return now.s + granted_s + 1;
}

[[nodiscard]] inline bool expired(const table::ContactState& state, const Moment& now) {
    return state.expires_at_s <= now.s;
}

// What is left of the time granted; 0 only when it has expired.
[[nodiscard]] inline std::uint32_t left_s(const table::ContactState& state, const Moment& now) {
    return expired(state, now) ? 0 : std::max(state.expires_at_s - now.s - 1, 1U);
}

}  // namespace pinhole::registrar
