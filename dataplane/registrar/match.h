// SPDX-License-Identifier: BSD-3-Clause
// Which binding a Contact means, and what its CSeq says of it: the two questions that RFC 3261
// §10.3 step 7 puts to each contact of a request. Pure; any thread.
#pragma once

#include "dataplane/registrar/register_request.h"
#include "dataplane/table/contact.h"

#include <cstdint>

namespace pinhole::registrar {

// The instance and reg-id where there is one (RFC 5626 §6.1); else Contact URI and Call-ID. The
// same Contact under a new Call-ID is the same phone restarted if it comes from the same public
// address, and another phone if not: home and office are both 100@192.168.1.10:5060.
[[nodiscard]] bool same_binding(const table::ContactView& stored, const RequestedContact& asked,
                                const RegisterRequest& request);

// The same text too: then a refresh has nothing to change but the state.
[[nodiscard]] bool same_text(const table::ContactView& stored, const RequestedContact& asked);

enum class Order : std::uint8_t {
    kNewer,           // to be carried out
    kRetransmission,  // the same request again: the same answer, no change
    kLate,            // an older packet overtaken: 500
};
// `stored` is the state of the binding that the request means.
[[nodiscard]] Order order_of(const table::ContactState& stored, const RegisterRequest& request);

[[nodiscard]] inline bool expired(const table::ContactState& state, const Now& now) {
    return state.expires_at_s <= now.s;
}

}  // namespace pinhole::registrar
