// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/request.h"

#include "dataplane/route/local.h"
#include "dataplane/route/relay.h"
#include "dataplane/route/tag.h"
#include "dataplane/sip/elements.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/params.h"

namespace pinhole::route {
namespace {

// RFC 3261 §16.3 step 1, for what dialogs and transactions are told apart by: who reads it after us
// must not read something else than we did. Empty: nothing is wrong. The top Via has been read.
std::string_view read_rest(Request& request) {
    const sip::Message& message = request.message;
    if (message.from_address() == nullptr) {
        return "Bad From";
    }
    if (message.to_address() == nullptr) {
        return "Bad To";
    }
    std::string_view rest = behind(message.value(request.top.header), request.top.via.text);
    std::string_view element;
    sip::Via via;
    while (sip::next_element(rest, element)) {
        if (!element.empty() && !sip::parse_via(element, via)) {
            return "Bad Via";
        }
    }
    return {};
}

}  // namespace

Decision refuse(const Request& request, unsigned code, sip::Writer& out) {
    return reply(request.message, request.arrival, request.context, {.code = code}, out);
}

Decision nowhere(const Request& request, unsigned code, sip::Writer& out) {
    return refuse(request, request.message.method == sip::Method::kCancel ? 481 : code, out);
}

Decision relay(const Request& request, ForwardPlan plan, sip::Writer& out) {
    const sip::Message& message = request.message;
    if (message.max_forwards == 0) {
        // RFC 3261 §16.3 step 3: an OPTIONS may be answered where it ends.
        return message.method == sip::Method::kOptions
                   ? answer_local(message, request.arrival, request.context, out)
                   : refuse(request, 483, out);
    }
    // §8.2.2.3: neither ACK nor CANCEL is held to what it requires.
    if (message.method != sip::Method::kAck && message.method != sip::Method::kCancel &&
        sip::lists_anything(message, sip::HeaderId::kProxyRequire)) {
        return refuse_extensions(message, sip::HeaderId::kProxyRequire, request.arrival,
                                 request.context, out);
    }
    plan.our_routes = request.routes.ours;
    plan.record_route = wants_record_route(message.method, request.to());
    if (!write_request(message, request.top, request.arrival.flow, plan, request.context.keys,
                       out)) {
        return Decision::drop(DropReason::kTooLarge);
    }
    Decision decision;
    decision.kind = Kind::kForward;
    decision.flow = plan.to.flow;
    decision.contact = plan.token.contact;
    decision.is_call_in = plan.to.to_phone && message.method == sip::Method::kInvite;
    decision.is_call_out = !plan.to.to_phone && message.method == sip::Method::kInvite;
    return decision;
}

Decision decide_request(const sip::Message& message, const Arrival& arrival, const Context& context,
                        sip::Writer& out) {
    if (is_ack_to_us(context.keys, message)) {
        return Decision::drop(DropReason::kAbsorbedAck);
    }
    Request request{.message = message, .arrival = arrival, .context = context};
    if (!read_top_via(message, request.top)) {
        return Decision::drop(DropReason::kMalformed);  // an answer would not find its way
    }
    // Headers have no place in a request URI, and must not be passed on (RFC 4475 §3.1.2.11).
    if (message.uri() == nullptr || !message.uri()->headers.empty()) {
        return reply(message, arrival, context, {.code = 400, .reason = "Bad Request-URI"}, out);
    }
    if (const std::string_view fault = read_rest(request); !fault.empty()) {
        return reply(message, arrival, context, {.code = 400, .reason = fault}, out);
    }
    request.uri_is_ours = context.identity.is_ours(request.uri());
    request.routes = read_routes(message, context.identity, context.keys);
    if (request.is_for_edge()) {
        return answer_local(message, arrival, context, out);
    }
    return arrival.from_core_peer ? decide_inward(request, out) : decide_outward(request, out);
}

}  // namespace pinhole::route
