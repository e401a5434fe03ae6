// SPDX-License-Identifier: BSD-3-Clause
// From a request URI, an id or a flow to the contact it means. A suspect contact (table::kSuspect)
// can neither be called nor call. For an AOR: of the live contacts the best q, then a reachable one
// before an unknown before an unreachable, then the freshest. Of the flows of one instance (RFC
// 5626 §7) only one is looked at: the most reachable, then the freshest. Readers of the table only;
// any thread; the views given out are good until the caller's next quiescent state.
#pragma once

#include "dataplane/route/context.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/uri.h"
#include "dataplane/table/contact.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pinhole::route {

enum class LookupResult : std::uint8_t {
    kFound,
    kUnknown,      // no such subscriber, contact or flow here
    kUnavailable,  // the AOR is known, but has no live contact
    kContended,    // was being changed all the while: a retransmission will find it
};

// `uri` is ours and has a user. Where it names us by an address, the default domain is tried as
// well. A GRUU (RFC 5627 §6.1) means one instance of its AOR and no other: kUnavailable if that has
// no live contact, kUnknown if the GRUU is none of ours or no longer good.
[[nodiscard]] LookupResult lookup_aor(const sip::Uri& uri, const Context& context,
                                      table::ContactView& out);
// What orders the contacts of an AOR.
struct Standing {
    std::uint16_t q;
    std::uint8_t reach;  // more is better
    std::uint32_t refreshed_at_ms;
    [[nodiscard]] bool better_than(const Standing& other) const;
    // The same but for q: of two flows to one phone.
    [[nodiscard]] bool livelier_than(const Standing& other) const;
};
// No member has an initial value, here and in Standing: a list of them would be written for every
// call.
struct Callable {
    std::uint64_t packed_id;
    Standing standing;
    std::size_t index;  // in its record
    [[nodiscard]] table::ContactId id() const { return table::ContactId::from_packed(packed_id); }
};
struct Callables {
    std::array<Callable, table::kMaxContactsPerAor> list;
    std::size_t count = 0;
    bool contended = false;  // one could not be read
    bool ended = false;      // the GRUU names one, but not the registration that it has now

    [[nodiscard]] std::span<Callable> all() { return {list.data(), count}; }
};
// All that lookup_aor() would choose from, best first. kFound: at least one. kContended: one of
// them could not be read. `out` is a new one.
[[nodiscard]] LookupResult lookup_all(const sip::Uri& uri, const Context& context, Callables& out);
// The contact of that id, if lookup_aor() would choose it as its AOR's only one.
[[nodiscard]] LookupResult lookup_callable(table::ContactId id, const Context& context,
                                           table::ContactView& out);
// The contact of that id, if it still stands and has not expired.
[[nodiscard]] LookupResult lookup_id(table::ContactId id, const Context& context,
                                     table::ContactView& out);
// No NAT stands between if the Contact names the very address that the phone is reached at. Such a
// phone may send from another port than it listens at; through a NAT nothing of its own would come
// to us but by its flow. Nor is a contact behind a NAT, as far as it concerns us, if a Path leads
// to it.
[[nodiscard]] bool is_behind_nat(const table::ContactView& contact);
// Whether the sender of a request by this flow may be this contact. `by_via`: it is not the flow
// that the packet came by but the one that its Via claims (reply_target.h), which only a phone
// without NAT may have. A proxy on the contact's Path speaks for it from any port; so does the
// phone that was found at its Contact's port (table::kAtContact), for no NAT stands before it.
[[nodiscard]] bool may_be(const table::ContactView& contact, const net::Flow& flow, bool by_via);
struct Sender {
    table::ContactId contact;
    std::string_view aor;
};
// The live contact behind this flow; of several (a PBX) the one whose AOR the From names, because
// the others may go while that one stays; of those that a Path leads to, the From's alone. `by_via`
// as in may_be().
[[nodiscard]] LookupResult lookup_sender(const sip::NameAddr& from, const net::Flow& flow,
                                         bool by_via, const Context& context, Sender& out);

}  // namespace pinhole::route
