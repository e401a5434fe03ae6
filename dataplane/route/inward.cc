// SPDX-License-Identifier: BSD-3-Clause
// From a core peer to a phone: by pin, by a Route's token, by an edge URI, or by AOR, in this
// order.
#include "dataplane/route/gruu.h"
#include "dataplane/route/lookup.h"
#include "dataplane/route/ping.h"
#include "dataplane/route/relay.h"

#include <string_view>

namespace pinhole::route {
namespace {

using sip::Method;

// Where its INVITE went; only what belongs to an INVITE asks.
bool find_pin(const Request& request, const PinKey& key, Pin& pin) {
    const Method method = request.message.method;
    return (method == Method::kInvite || method == Method::kAck || method == Method::kCancel) &&
           request.context.pins.find_any(key, request.context.now_ms, pin);
}

// If the INVITE went by a Path, or had too long a URI, the contact knows both, as long as it
// stands.
void set_pinned_texts(const Request& request, const Pin& pin, ForwardPlan& plan) {
    plan.request_uri = pin.uri_len != 0 ? pin.uri() : request.message.request_uri;
    table::ContactView contact;
    if ((pin.uri_in_table || pin.by_path) &&
        lookup_id(pin.contact, request.context, contact) == LookupResult::kFound) {
        if (pin.uri_in_table) {
            plan.request_uri = request_uri_of(contact.uri);
        }
        plan.path = contact.path;
    }
}

// A phone without a contact is known by where it is reached.
Token token_for(const Request& request, table::ContactId contact, const Destination& to) {
    const Peers& peers = request.context.peers;
    const unsigned index = request.arrival.peer_index;
    return {.contact = contact,
            .flow = contact.valid() ? net::Flow{} : to.flow,
            .port_matters = to.port_matters,
            .peer = index < peers.size() ? peers[index].hash : 0};
}

Decision to_pinned(const Request& request, const Pin& pin, sip::Writer& out) {
    ForwardPlan plan;
    set_pinned_texts(request, pin, plan);
    plan.path_if_no_route = request.routes.state != TokenState::kNone;
    plan.to = {.flow = pin.flow, .port_matters = pin.port_matters, .to_phone = true};
    const tokens::Keys& keys = request.context.keys;
    plan.key_id = keys.knows(pin.key_id) ? pin.key_id : keys.current_id();
    plan.token = token_for(request, pin.contact, plan.to);
    return relay(request, plan, out);
}

struct Way {
    std::string_view uri;   // the Contact; empty: the phone has none
    std::string_view path;  // RFC 3327; empty: none
};

// To where a phone was found, and there again with all that belongs to this INVITE. An initial
// request gets the Contact as request URI (RFC 3261 §16.5) and the Path as Route (RFC 3327 §5.4);
// in a dialog the core wrote what the phone gave it, and that stays.
Decision to_phone(const Request& request, const PinKey& key, table::ContactId contact,
                  const Destination& to, const Way& way, sip::Writer& out) {
    const std::string_view uri = way.uri;
    const bool replaces_uri = request.uri_is_ours && !uri.empty();
    ForwardPlan plan;
    plan.request_uri = replaces_uri ? uri : request.message.request_uri;
    plan.to = to;
    plan.path = way.path;
    plan.path_if_no_route = request.routes.state != TokenState::kNone;
    plan.key_id = request.context.keys.current_id();
    plan.token = token_for(request, contact, to);
    const Decision decision = relay(request, plan, out);
    if (decision.is_call_in) {
        Pin pin;
        pin.contact = contact;
        pin.flow = plan.to.flow;
        pin.key_id = plan.key_id;
        pin.port_matters = plan.to.port_matters;
        pin.by_path = !way.path.empty();
        if (replaces_uri) {
            pin.set_uri(plan.request_uri);
        }
        // A pin that can't be placed is done without: the request is looked up again.
        (void)request.context.pins.put_any(key, pin, request.context.now_ms);
    }
    return decision;
}

Decision to_contact(const Request& request, const PinKey& key, const table::ContactView& contact,
                    sip::Writer& out) {
    const Destination to{
        .flow = contact.state.flow, .port_matters = is_behind_nat(contact), .to_phone = true};
    return to_phone(request, key, contact.id, to, {request_uri_of(contact.uri), contact.path}, out);
}

Decision by_aor(const Request& request, const PinKey& key, sip::Writer& out);

Decision by_token(const Request& request, const PinKey& key, sip::Writer& out) {
    const RouteSet& routes = request.routes;
    table::ContactView contact;
    if (routes.state == TokenState::kBad || routes.token.direction == Direction::kToCore) {
        return nowhere(request, 430, out);
    }
    if (!routes.token.contact.valid()) {
        const Destination to{
            .flow = routes.token.flow, .port_matters = routes.token.port_matters, .to_phone = true};
        return to_phone(request, key, {}, to, {}, out);
    }
    switch (lookup_id(routes.token.contact, request.context, contact)) {
        case LookupResult::kFound:
            return to_contact(request, key, contact, out);
        case LookupResult::kContended:
            return Decision::drop(DropReason::kContended);
        default:
            // A dialog whose phone has given a GRUU for its Contact outlives the flow.
            return request.context.gruu && request.uri_is_ours && is_gruu(request.uri())
                       ? by_aor(request, key, out)
                       : nowhere(request, 430, out);
    }
}

// The contact that we redirected the core to. Gone or unreachable it is no flow that failed but a
// phone that is away.
Decision by_edge_uri(const Request& request, const PinKey& key, table::ContactId target,
                     sip::Writer& out) {
    table::ContactView contact;
    switch (lookup_callable(target, request.context, contact)) {
        case LookupResult::kFound:
            return to_contact(request, key, contact, out);
        case LookupResult::kContended:
            return Decision::drop(DropReason::kContended);
        default:
            return nowhere(request, 480, out);
    }
}

Decision by_aor(const Request& request, const PinKey& key, sip::Writer& out) {
    if (request.uri().scheme != sip::Scheme::kSip) {
        return nowhere(request, 416, out);
    }
    if (!request.uri_is_ours) {
        return nowhere(request, 404, out);
    }
    if (request.context.redirect && request.to().tag.empty()) {
        return redirect(request, out);
    }
    table::ContactView contact;
    switch (lookup_aor(request.uri(), request.context, contact)) {
        case LookupResult::kFound:
            return to_contact(request, key, contact, out);
        case LookupResult::kContended:
            return Decision::drop(DropReason::kContended);
        case LookupResult::kUnavailable:
            return nowhere(request, 480, out);
        case LookupResult::kUnknown:
            break;
    }
    return nowhere(request, 404, out);
}

}  // namespace

Decision decide_inward(const Request& request, sip::Writer& out) {
    const PinKey key =
        PinKey::of(request.arrival.flow, transaction_hash(request.message, request.top.via));
    Pin pin;
    if (find_pin(request, key, pin)) {
        return to_pinned(request, pin, out);
    }
    if (request.routes.state != TokenState::kNone) {
        return by_token(request, key, out);
    }
    const auto target = edge_uri_target(request);
    return target ? by_edge_uri(request, key, *target, out) : by_aor(request, key, out);
}

}  // namespace pinhole::route
