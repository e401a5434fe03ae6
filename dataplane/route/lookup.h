// SPDX-License-Identifier: BSD-3-Clause
// From a request URI to the contact that a call goes to: of the live ones the best q, then a
// reachable before an unknown before an unreachable, then the freshest. Readers of the table only;
// any thread.
#pragma once

#include "dataplane/route/context.h"
#include "dataplane/sip/uri.h"
#include "dataplane/table/contact.h"

#include <cstdint>

namespace pinhole::route {

enum class LookupResult : std::uint8_t {
    kFound,
    kUnknown,      // no such subscriber here: 404
    kUnavailable,  // known, but no live contact: 480
    kContended,    // its record was being changed all the while: 480 as well, for a retry will find
                   // it
};

// `uri` is ours and has a user. The views in `out` are good until the caller's next quiescent
// state.
[[nodiscard]] LookupResult lookup_aor(const sip::Uri& uri, const Context& context,
                                      table::ContactView& out);
// The contact of that id, if it still stands and has not expired.
[[nodiscard]] bool lookup_id(table::ContactId id, const Context& context, table::ContactView& out);
// Does a live contact have this flow? `out` is one of them.
[[nodiscard]] bool lookup_flow(const net::Flow& flow, const Context& context,
                               table::ContactId& out);

}  // namespace pinhole::route
