// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/response.h"

#include "dataplane/route/branch.h"
#include "dataplane/route/forward.h"
#include "dataplane/route/peer_check.h"
#include "dataplane/route/ping.h"
#include "dataplane/sip/elements.h"
#include "dataplane/sip/reply.h"
#include "dataplane/table/binding_table.h"

namespace pinhole::route {
namespace {

// Only the peer itself can tell that it lives, and only where peers may speak.
Decision decide_peer_pong(const sip::Message& response, const TopVia& top, const Arrival& arrival,
                          const Context& context) {
    if (response.status < 200) {
        return Decision::drop(DropReason::kKeepalive);
    }
    const auto pong = parse_peer_pong(response, top.via.branch, context.keys, context.now_us);
    if (!pong) {
        return Decision::drop(DropReason::kBadResponse);
    }
    const Peer* peer = context.peers.by_hash(pong->peer);
    if (peer == nullptr || !arrival.from_core_peer || peer->flow.theirs != arrival.flow.theirs) {
        return Decision::drop(DropReason::kWrongSender);
    }
    Decision decision;
    decision.kind = Kind::kPeerPong;
    decision.peer_index = static_cast<std::uint16_t>(context.peers.index_of(peer));
    decision.rtt_us = pong->rtt_us;
    decision.code = pong->code;
    decision.flow = arrival.flow;
    return decision;
}

// The Via below ours must be the one that our branch was derived from: whoever was sent a request
// can't answer another.
bool answers_its_request(const sip::Message& response, const Branch& branch) {
    sip::Elements vias(response, sip::HeaderId::kVia);
    std::string_view element;
    sip::Via client;
    return vias.next(element) && vias.next(element) && sip::parse_via(element, client) &&
           transaction_hash(response, client) == branch.transaction;
}

}  // namespace

Decision decide_pong(const Pong& pong, const net::Flow& flow, const table::BindingTable& table) {
    table::ContactView contact;
    Decision decision;
    decision.kind = Kind::kPong;
    decision.contact = pong.id;
    decision.rtt_us = pong.rtt_us;
    decision.code = pong.code;
    decision.flow = flow;
    const table::SlotRead read = table.read(pong.id, contact);
    if (read == table::SlotRead::kGone) {
        return Decision::drop(
            DropReason::kBadResponse);  // its contact went while it was on its way
    }
    decision.is_probe = pong.probe;
    if (pong.probe && contact.state.flow.theirs != flow.theirs) {
        return Decision::drop(DropReason::kWrongSender);
    }
    decision.flow_matches = read == table::SlotRead::kContended || contact.state.flow == flow;
    return decision;
}

Decision decide_response(const sip::Message& response, const Arrival& arrival,
                         const Context& context, sip::Writer& out) {
    TopVia top;
    if (!read_top_via(response, top)) {
        return Decision::drop(DropReason::kBadResponse);
    }
    if (is_ping_branch(top.via.branch)) {
        if (response.status < 200) {
            return Decision::drop(DropReason::kKeepalive);  // neither life nor an attack
        }
        const auto pong = parse_pong(response, top.via.branch, context.keys, context.now_us);
        return pong ? decide_pong(*pong, arrival.flow, context.table)
                    : Decision::drop(DropReason::kBadResponse);
    }
    if (is_check_branch(top.via.branch)) {
        return decide_peer_pong(response, top, arrival, context);
    }
    // The branch alone tells that the Via is ours: gateways rewrite its host and port, but can't
    // make a MAC.
    const auto branch = read_branch(context.keys, top.via.branch);
    if (!branch) {
        return Decision::drop(DropReason::kBadResponse);
    }
    if (!came_from_destination(*branch, arrival.flow)) {
        return Decision::drop(DropReason::kWrongSender);
    }
    if (!answers_its_request(response, *branch)) {
        return Decision::drop(DropReason::kBadResponse);
    }
    // §16.7 step 6: one phone out of service is not the edge out of service.
    const ResponsePlan plan{
        .status = response.status == 503 && branch->to_phone ? 500u : 0u,
        .reason = sip::reason_phrase(500),
        .drop_claims = branch->to_phone && context.assert_identity,
    };
    if (!write_response(response, top, plan, out)) {
        return Decision::drop(DropReason::kTooLarge);
    }
    Decision decision;
    decision.kind = Kind::kForward;
    decision.is_response = true;
    // Where the port doesn't matter, this flow may be a neighbour's.
    decision.proves_life = branch->to_phone && branch->port_matters;
    decision.flow = branch->return_flow;
    return decision;
}

}  // namespace pinhole::route
