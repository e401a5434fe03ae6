// SPDX-License-Identifier: BSD-3-Clause
// From a phone to a core peer: by a good token, from wherever the phone is by now, from a
// registered flow, or for help from anywhere. The core follows the request URI and the Routes
// behind ours: whatever they say, the packet goes to a peer of ours.
#include "dataplane/route/local.h"
#include "dataplane/route/lookup.h"
#include "dataplane/route/relay.h"
#include "dataplane/route/reply_target.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>

namespace pinhole::route {
namespace {

using sip::Method;

// 503 while there is no peer to send to. Retry-After is 5 to 19 s by Call-ID: who was refused
// together doesn't come back together.
Decision no_peer(const Request& request, sip::Writer& out) {
    const std::string_view call_id = request.message.call_id();
    std::array<char, 32> room;
    sip::Writer header(room.data(), room.size());
    header.header("Retry-After", 5 + XXH3_64bits(call_id.data(), call_id.size()) % 15);
    Decision decision = reply(request.message, request.arrival, request.context,
                              {.code = 503, .headers = header.view()}, out);
    decision.no_peer = decision.kind == Kind::kReply;
    return decision;
}

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

Decision to_core(const Request& request, const Peer* peer, std::uint8_t key_id,
                 const Sender& sender, const net::Flow& flow, sip::Writer& out) {
    if (peer == nullptr) {
        return no_peer(request, out);
    }
    ForwardPlan plan;
    plan.request_uri = request.message.request_uri;
    plan.to = {.flow = peer->flow, .port_matters = false, .to_phone = false};
    plan.key_id = key_id;
    plan.token = token_of(sender, request, flow);
    plan.token.peer = peer->hash;
    plan.drop_claims = request.context.assert_identity;
    plan.spent_header = request.context.proven.credentials;
    if (plan.drop_claims && asserts_identity(request.message.method)) {
        plan.asserted = sender.aor;
    }
    return relay(request, plan, out);
}

// RFC 3261 §16.11's stateless choice: a peer that lives, by the Call-ID. A call for help is tried
// at a dead one rather than not at all.
const Peer* choose_peer(const Request& request, bool emergency) {
    const Context& context = request.context;
    const std::string_view call_id = request.message.call_id();
    const Peer* peer = context.peers.choose(call_id, context.peer_health);
    return peer == nullptr && emergency ? context.peers.choose_any(call_id) : peer;
}

// The token's peer while there is one of that name, dead or alive: the dialog is there.
const Peer* peer_of_dialog(const Request& request) {
    const Peer* peer = request.context.peers.by_hash(request.routes.token.peer);
    return peer != nullptr ? peer : choose_peer(request, false);
}

// The sender of a request with a good token. Anybody who has seen the dialog knows the token: only
// the flow that the contact is registered by vouches for its AOR.
Sender sender_by_token(const Request& request, const net::Flow& flow) {
    const table::ContactId id = request.routes.token.contact;
    table::ContactView contact;
    const bool vouched = request.context.assert_identity &&
                         lookup_id(id, request.context, contact) == LookupResult::kFound &&
                         may_be(contact, flow, flow != request.arrival.flow);
    return {id, vouched ? contact.aor : std::string_view{}};
}

// Does the token's contact stand at the very flow that the packet came by?
bool came_by_own_flow(const Request& request) {
    table::ContactView contact;
    return lookup_id(request.routes.token.contact, request.context, contact) ==
               LookupResult::kFound &&
           contact.path.empty() && contact.state.flow == request.arrival.flow;
}

Decision stranger(const Request& request, sip::Writer& out) {
    if (request.message.method == Method::kAck) {
        return Decision::drop(DropReason::kStranger);
    }
    Decision decision = refuse(request, request.message.method == Method::kCancel ? 481 : 403, out);
    decision.is_stranger = true;
    return decision;
}

PinKey pin_key(const Request& request) {
    return PinKey::of(request.arrival.flow, transaction_hash(request.message, request.top.via));
}

// Where the request that this one belongs to, or repeats, went.
bool find_pin(const Request& request, Pin& out) {
    return request.context.pins.find_any(pin_key(request), request.context.now_ms, out);
}

// A request of no dialog. One that belongs to a transaction that has been here goes to the same
// peer, dead or alive, with the same branch. With one peer there is no choice, so only an INVITE is
// remembered then, for its branch. A sender that is neither registered nor has shown a password
// can't fill the table: anyone can be such a sender.
Decision beside_dialogs(const Request& request, const Sender& sender, const net::Flow& flow,
                        bool emergency, sip::Writer& out) {
    const Context& context = request.context;
    const Method method = request.message.method;
    const bool is_invite = method == Method::kInvite;
    const bool begins = asserts_identity(method);
    const bool known = sender.contact.valid() || !sender.aor.empty();
    Pin pin;
    if ((known || !begins) && find_pin(request, pin)) {
        if (const Peer* peer = context.peers.by_hash(pin.peer); peer != nullptr) {
            const tokens::Keys& keys = context.keys;
            const std::uint8_t key_id = keys.knows(pin.key_id) ? pin.key_id : keys.current_id();
            return to_core(request, peer, key_id, sender, flow, out);
        }
    }
    const Peer* peer = choose_peer(request, emergency);
    pin.key_id = context.keys.current_id();
    const Decision decision = to_core(request, peer, pin.key_id, sender, flow, out);
    if (decision.kind == Kind::kForward && known &&
        (is_invite || (begins && context.peers.size() > 1))) {
        pin.contact = sender.contact;
        pin.peer = peer->hash;
        // A pin that can't be placed is done without: the peer is chosen again.
        (void)context.pins.put_any(
            pin_key(request), pin, context.now_ms,
            is_invite ? PinTable::kLifetime_ms : PinTable::kShortLifetime_ms);
    }
    return decision;
}

// Not by its flow, but it has shown its password; or it is the ACK or the CANCEL of a request that
// has, neither of which can be asked for one (RFC 3261 §22.1).
bool is_proven(const Request& request, Sender& sender) {
    Pin pin;
    sender = {{}, request.context.proven.aor};
    return !sender.aor.empty() ||
           (!asserts_identity(request.message.method) && find_pin(request, pin));
}

// From a phone that is registered, that has shown its password, or that calls for help.
Decision by_sender(const Request& request, const net::Flow& flow, sip::Writer& out) {
    const Context& context = request.context;
    const sip::Message& message = request.message;
    const bool emergency = context.emergency.is_call(message, request.uri(), context.identity);
    Sender sender;
    const bool by_via = flow != request.arrival.flow;
    const LookupResult known = lookup_sender(request.from(), flow, by_via, context, sender);
    if (known != LookupResult::kFound && !(emergency && context.emergency.from_unregistered()) &&
        !is_proven(request, sender)) {
        return known == LookupResult::kContended ? Decision::drop(DropReason::kContended)
                                                 : stranger(request, out);
    }
    if (request.routes.state != TokenState::kNone && !emergency) {
        return nowhere(request, 430, out);  // RFC 5626 §5.3: the way of its dialog is no more
    }
    Decision decision = beside_dialogs(request, sender, flow, emergency, out);
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
        Decision decision =
            to_core(request, peer_of_dialog(request), request.context.keys.current_id(),
                    sender_by_token(request, flow), flow, out);
        decision.proves_life = decision.kind == Kind::kForward && came_by_own_flow(request);
        return decision;
    }
    return by_sender(request, flow, out);
}

}  // namespace pinhole::route
