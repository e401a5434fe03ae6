// SPDX-License-Identifier: BSD-3-Clause
// What is no REGISTER of ours: sent on, answered, or taken as the answer to a ping.
#include "dataplane/io/sip_stage.h"
#include "dataplane/net/stun.h"
#include "dataplane/route/answer.h"
#include "dataplane/route/route.h"
#include "dataplane/sip/writer.h"

#include <array>

namespace pinhole::io {

// A keepalive of RFC 5626 §4.4.2: answered to where it came from, and taken for nothing more. It
// carries no secret, so it says nothing of any phone. False: it is no STUN.
bool SipStage::answer_stun(Context& context) {
    const net::Bytes datagram{reinterpret_cast<const std::uint8_t*>(context.text.data()),
                              context.text.size()};
    const net::StunKind kind = net::stun_kind(datagram);
    if (kind == net::StunKind::kNone) {
        return false;
    }
    if (kind == net::StunKind::kOther) {
        drop(context, DropReason::kKeepalive);
        return true;
    }
    std::array<std::uint8_t, net::kMaxStunAnswer> answer;
    const std::size_t size = net::write_stun_answer(datagram, context.flow, answer);
    if (size > route::answer_limit(datagram.size(), context.flow.is_v4())) [[unlikely]] {
        drop(context, DropReason::kAmplification);
        return true;
    }
    counters_.stun_answers.add();
    transmit_.datagram(context.flow, {reinterpret_cast<const char*>(answer.data()), size},
                       context.mbuf, *around_);
    context.mbuf = nullptr;
    return true;
}

void SipStage::route_message(Context& context) {
    const route::Arrival arrival{context.flow, context.peer.has_value(), context.peer.value_or(0)};
    route::Context facts{.table = shared_.table,
                         .qualify = shared_.qualify,
                         .identity = around_->identity,
                         .peers = around_->peers,
                         .peer_health = shared_.peer_health,
                         .emergency = around_->emergency,
                         .keys = around_->keys,
                         .pins = shared_.pins,
                         .call_unreachable = live().call_unreachable,
                         .redirect = live().redirect,
                         .assert_identity = live().assert_identity,
                         .gruu = live().registrar.gruu,
                         .called = context.called,
                         .now_us = now_.us,
                         .now_ms = now_.ms,
                         .now_s = now_.s};
    sip::Writer out(out_text_.data(), out_text_.size());
    route::Decision decision =
        context.error == sip::ParseError::kOk
            ? route::decide(context.message, arrival, facts, out)
            : route::decide_malformed(context.message, context.error, arrival, facts, out);
    std::array<char, sip::kMaxAor> room;
    std::string_view aor;
    if (decision.is_stranger && may_prove(context, room, aor)) {
        if (!prove_caller(context, aor, facts.proven)) {
            return;
        }
        out.clear();
        decision = route::decide(context.message, arrival, facts, out);
    }
    if (decision.is_stranger) {
        counters_.drop(DropReason::kStranger);
    }
    if (decision.proves_life) {
        note_proof(context.flow);
    }
    carry_out(context, decision, out.view());
}

void SipStage::carry_out(Context& context, const route::Decision& decision, std::string_view out) {
    switch (decision.kind) {
        case route::Kind::kForward:
        case route::Kind::kReply:
            count(decision);
            transmit_.datagram(decision.flow, out, context.mbuf, *around_);
            context.mbuf = nullptr;
            break;
        case route::Kind::kPong:
            take_pong(decision);
            break;
        case route::Kind::kPeerPong:
            take_peer_pong(decision);
            break;
        case route::Kind::kDrop:
            drop(context, decision.reason);
            break;
    }
}

void SipStage::count(const route::Decision& decision) {
    if (decision.no_peer) {
        counters_.no_peer.add();
    }
    if (decision.kind == route::Kind::kReply) {
        counters_.responses[decision.code <= kMaxResponseCode ? decision.code : 0].add();
        return;
    }
    if (decision.is_call_in) {
        counters_.calls_in.add();
    }
    if (decision.is_call_out) {
        counters_.calls_out.add();
    }
    if (decision.is_response) {
        counters_.responses_forwarded.add();
    }
    if (decision.is_emergency) {
        counters_.emergency(decision.is_unregistered ? EmergencySender::kUnregistered
                                                     : EmergencySender::kRegistered);
    }
}

void SipStage::take_pong(const route::Decision& decision) {
    counters_.pongs.add();
    if (!decision.flow_matches && !decision.is_probe) {
        counters_.wrong_target.add();
    }
    const edge::PongNotice notice{decision.contact, decision.rtt_us, decision.code,
                                  static_cast<std::uint8_t>(decision.flow_matches),
                                  static_cast<std::uint8_t>(decision.is_probe)};
    if (mesh_.pongs(worker_).put(&notice, 1) == 0) [[unlikely]] {
        counters_.drop(DropReason::kHandoffFull);  // the next ping asks again
    }
}

void SipStage::take_peer_pong(const route::Decision& decision) {
    const edge::PeerPongNotice notice{decision.peer_index, decision.code, decision.rtt_us};
    if (mesh_.peer_pongs(worker_).put(&notice, 1) == 0) [[unlikely]] {
        counters_.drop(DropReason::kHandoffFull);  // the next check asks again
    }
}

}  // namespace pinhole::io
