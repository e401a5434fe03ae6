// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/registrar/match.h"

#include "dataplane/sip/uri_compare.h"

#include <algorithm>

namespace pinhole::registrar {
namespace {

// One phone may name two Contacts of one instance in one request (IPv4 and IPv6, without reg-id):
// then the instance tells them apart no more.
bool instance_is_unique(const RequestedContact& asked, const RegisterRequest& request) {
    const auto* end = request.contacts.begin() + request.count;
    return std::count_if(request.contacts.begin(), end, [&](const RequestedContact& other) {
               return other.instance == asked.instance && other.reg_id == asked.reg_id;
           }) == 1;
}

}  // namespace

bool same_binding(const table::ContactView& stored, const RequestedContact& asked,
                  const RegisterRequest& request) {
    const table::StoredInstance instance = stored.params.instance();
    if (!asked.instance.empty() && !instance.empty()) {
        if (instance != asked.instance || stored.reg_id != asked.reg_id) {
            return false;
        }
        if (asked.reg_id != 0 || instance_is_unique(asked, request)) {
            return true;
        }
    }
    return sip::same_uri(stored.uri, asked.uri) &&
           (stored.state.call_id_hash == request.whose->call_id_hash ||
            (stored.state.flow.theirs == request.whose->flow.theirs &&
             stored.path == request.whose->path));
}

Likeness likeness_of(const table::ContactView& stored, const RequestedContact& asked,
                     const RegisterRequest& request) {
    if (!same_binding(stored, asked, request)) {
        return Likeness::kOther;
    }
    if (stored.state.call_id_hash != request.whose->call_id_hash) {
        return Likeness::kSame;
    }
    if (same_text(stored, asked, request)) {
        return Likeness::kSameText;
    }
    return sip::same_uri(stored.uri, asked.uri) ? Likeness::kSameCall : Likeness::kSame;
}

bool same_text(const table::ContactView& stored, const RequestedContact& asked,
               const RegisterRequest& request) {
    return stored.uri == asked.uri && stored.params == asked.params &&
           stored.path == request.whose->path;
}

Order order_of(const table::ContactState& stored, const RegisterRequest& request) {
    if (stored.call_id_hash != request.whose->call_id_hash || request.whose->cseq > stored.cseq) {
        return Order::kNewer;
    }
    if (stored.age_ms(request.whose->now.stamp_ms()) >= kLatePacketWindow_ms) {
        return Order::kNewer;  // restarted, counting anew under its old Call-ID
    }
    return request.whose->cseq == stored.cseq ? Order::kRetransmission : Order::kLate;
}

bool stays_at_contact(const table::ContactState& stored, const net::Flow& came_by) {
    net::Flow there = came_by;
    there.their_udp_port = stored.flow.their_udp_port;
    return (stored.flags & table::kAtContact) != 0 && there == stored.flow;
}

}  // namespace pinhole::registrar
