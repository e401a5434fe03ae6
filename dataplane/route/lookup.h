// SPDX-License-Identifier: BSD-3-Clause
// From a request URI, an id or a flow to the contact it means. For an AOR: of the live contacts the
// best q, then a reachable one before an unknown before an unreachable, then the freshest. Readers
// of the table only; any thread; the views given out are good until the caller's next quiescent
// state.
#pragma once

#include "dataplane/route/context.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/uri.h"
#include "dataplane/table/contact.h"

#include <cstdint>

namespace pinhole::route {

enum class LookupResult : std::uint8_t {
    kFound,
    kUnknown,      // no such subscriber, contact or flow here
    kUnavailable,  // the AOR is known, but has no live contact
    kContended,    // was being changed all the while: a retransmission will find it
};

// `uri` is ours and has a user. Where it names us by an address, the default domain is tried as
// well.
[[nodiscard]] LookupResult lookup_aor(const sip::Uri& uri, const Context& context,
                                      table::ContactView& out);
// The contact of that id, if it still stands and has not expired.
[[nodiscard]] LookupResult lookup_id(table::ContactId id, const Context& context,
                                     table::ContactView& out);
// No NAT stands between where the Contact names the very address that the phone is reached at. Such
// a phone may send from another port than it listens at; through a NAT nothing of its own would come
// to us but by its flow.
[[nodiscard]] bool is_behind_nat(const table::ContactView& contact);
// The live contact behind this flow; of several (a PBX) the one whose AOR the From names, because
// the others may go while that one stays. `by_via`: it is not the flow that the packet came by but
// the one that its Via claims (reply_target.h), which only a phone without NAT may have.
[[nodiscard]] LookupResult lookup_sender(const sip::Message& request, const net::Flow& flow,
                                         bool by_via, const Context& context,
                                         table::ContactId& out);

}  // namespace pinhole::route
