// SPDX-License-Identifier: BSD-3-Clause
// From a phone to a core peer: by a good token, from wherever the phone is by now, from a registered
// flow, or for help from anywhere. The request URI and the Routes behind ours are the core's to
// follow: whatever they say, the packet goes to a peer of ours.
#include "dataplane/route/local.h"
#include "dataplane/route/lookup.h"
#include "dataplane/route/relay.h"
#include "dataplane/route/reply_target.h"

namespace pinhole::route {
namespace {

using sip::Method;

// 503's Retry-After while there is no peer to send to.
constexpr std::string_view kRetryLater = "Retry-After: 30\r\n";

// RFC 3325 §9.1: these assert nobody.
bool asserts_identity(Method method) {
    return method != Method::kAck && method != Method::kCancel;
}

// Who a request is from: a contact of ours, or, calling for help, just a flow.
Token token_of(const Sender& sender, const Request& request, const net::Flow& flow) {
    return {.contact = sender.contact,
            .flow = sender.contact.valid() ? net::Flow{} : flow,
            .port_matters = flow == request.arrival.flow};
}

Decision to_core(const Request& request, const Peer* peer, const Sender& sender,
                 const net::Flow& flow, sip::Writer& out) {
    if (peer == nullptr) {
        return reply(request.message, request.arrival, request.context,
                     {.code = 503, .headers = kRetryLater}, out);
    }
    ForwardPlan plan;
    plan.request_uri = request.message.request_uri;
    plan.to = {.flow = peer->flow, .port_matters = false, .to_phone = false};
    plan.key_id = request.context.keys.current_id();
    plan.token = token_of(sender, request, flow);
    plan.token.peer = peer->hash;
    plan.drop_claims = request.context.assert_identity;
    if (plan.drop_claims && asserts_identity(request.message.method)) {
        plan.asserted = sender.aor;
    }
    return relay(request, plan, out);
}

// RFC 3261 §16.11's stateless choice: the token's peer while there is one of that name, else the
// Call-ID's.
const Peer* peer_for(const Request& request) {
    const Peers& peers = request.context.peers;
    if (request.routes.state == TokenState::kGood) {
        if (const Peer* peer = peers.by_hash(request.routes.token.peer); peer != nullptr) {
            return peer;
        }
    }
    return peers.choose(request.message.call_id());
}

// Of a request with a good token. Whoever has seen the dialog knows the token: only the flow that the
// contact is registered by vouches for its AOR.
Sender sender_by_token(const Request& request, const net::Flow& flow) {
    const table::ContactId id = request.routes.token.contact;
    table::ContactView contact;
    const bool vouched = request.context.assert_identity &&
                         lookup_id(id, request.context, contact) == LookupResult::kFound &&
                         contact.state.flow == flow &&
                         (flow == request.arrival.flow || !is_behind_nat(contact));
    return {id, vouched ? contact.aor : std::string_view{}};
}

Decision stranger(const Request& request, sip::Writer& out) {
    if (request.message.method == Method::kAck) {
        return Decision::drop(DropReason::kStranger);
    }
    Decision decision = refuse(request, request.message.method == Method::kCancel ? 481 : 403, out);
    decision.is_stranger = true;
    return decision;
}

// From a phone that is registered, or that calls for help.
Decision by_sender(const Request& request, const net::Flow& flow, sip::Writer& out) {
    const Context& context = request.context;
    const sip::Message& message = request.message;
    const bool emergency = context.emergency.is_call(message, request.uri, context.identity);
    Sender sender;
    const bool by_via = flow != request.arrival.flow;
    const LookupResult known = lookup_sender(message, flow, by_via, context, sender);
    if (known != LookupResult::kFound && !(emergency && context.emergency.from_unregistered())) {
        return known == LookupResult::kContended ? Decision::drop(DropReason::kContended)
                                                 : stranger(request, out);
    }
    if (request.routes.state != TokenState::kNone && !emergency) {
        return nowhere(request, 430, out);  // RFC 5626 §5.3: the way of its dialog is no more
    }
    Decision decision =
        to_core(request, context.peers.choose(message.call_id()), sender, flow, out);
    // What begins something: neither its ACK nor its CANCEL.
    decision.is_emergency =
        emergency && decision.kind == Kind::kForward && asserts_identity(message.method);
    decision.is_unregistered = known != LookupResult::kFound;
    return decision;
}

}  // namespace

Decision decide_outward(const Request& request, sip::Writer& out) {
    if (request.uri_is_ours && is_keepalive(request.message)) {
        return answer_local(request.message, request.arrival, request.context, out);
    }
    const RouteSet& routes = request.routes;
    const net::Flow flow = answer_flow(request.top.via, request.arrival.flow);
    if (routes.state == TokenState::kGood && routes.token.direction != Direction::kToPhone) {
        return to_core(request, peer_for(request), sender_by_token(request, flow), flow, out);
    }
    return by_sender(request, flow, out);
}

}  // namespace pinhole::route
