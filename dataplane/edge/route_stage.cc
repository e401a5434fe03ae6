// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/edge/route_stage.h"

#include "dataplane/net/stun.h"
#include "dataplane/route/answer.h"
#include "dataplane/route/ping.h"
#include "dataplane/route/response.h"
#include "dataplane/route/route.h"

namespace pinhole::edge {

// In a dialog a Route leads to a contact; without one, routing will look for the subscriber whom
// the core calls. The answer to a ping is held against its contact's flow.
void RouteStage::prepare(Job& job) {
    if (job.task == Task::kPong) {
        want_contact(job, job.pong.id.slot);
    } else if (job.error != sip::ParseError::kOk) {
        return;
    } else if (job.message.is_request) {
        if (job.peer.has_value() && !job.message.has(sip::HeaderId::kRoute)) {
            prepare_call(job);
        }
    } else if (const sip::Via* top = job.message.top_via()) {
        if (const auto slot = route::slot_named_by(top->branch)) {
            want_contact(job, *slot);
        }
    }
}

void RouteStage::prepare_call(Job& job) {
    char* const room = aor_texts_[aors_++].data();
    const sip::Uri* uri = job.message.uri();
    const auto aor = uri != nullptr ? sip::canonical_aor(*uri, room) : std::nullopt;
    if (aor.has_value()) {
        job.called = {uri->text, *aor, shared_.table.hash()(*aor)};
        job.wanted = {Wanted::Kind::kAor, job.called.hash};
        shared_.table.prefetch_bucket(job.called.hash);
    }
}

void RouteStage::want_contact(Job& job, std::uint32_t slot) const {
    job.wanted = {Wanted::Kind::kContact, slot};
    shared_.table.prefetch_slot(slot);
}

std::optional<DropReason> RouteStage::take_pong(const Job& job, PongNotice& out) {
    const route::Decision decision = route::decide_pong(job.pong, job.packet.flow, shared_.table);
    if (decision.kind != route::Kind::kPong) [[unlikely]] {
        return decision.reason;
    }
    out = notice_of(decision);
    return std::nullopt;
}

PongNotice RouteStage::notice_of(const route::Decision& decision) {
    counters_.pongs.add();
    if (!decision.flow_matches && !decision.is_probe) {
        counters_.wrong_target.add();
    }
    return {decision.contact, decision.rtt_us, decision.code,
            static_cast<std::uint8_t>(decision.flow_matches),
            static_cast<std::uint8_t>(decision.is_probe)};
}

// All that routing decides by, but for who has shown a password.
route::Context RouteStage::facts_of(const Job& job, const Round& round) const {
    const LiveSettings& settings = round.settings();
    return {.table = shared_.table,
            .qualify = shared_.qualify,
            .identity = round.around.identity,
            .peers = round.around.peers,
            .peer_health = shared_.peer_health,
            .emergency = round.around.emergency,
            .keys = round.around.keys,
            .pins = shared_.pins,
            .call_unreachable = settings.call_unreachable,
            .redirect = settings.redirect,
            .assert_identity = settings.assert_identity,
            .gruu = settings.registrar.gruu,
            .called = job.called,
            .now_us = round.now.us,
            .now_ms = round.now.ms,
            .now_s = round.now.s};
}

Outcome RouteStage::decide(Job& job, const Round& round, sip::Writer& out) {
    if (job.error == sip::ParseError::kNotSip) {
        if (const auto answered = answer_stun(job, out)) {
            return *answered;
        }
    }
    const route::Arrival arrival{job.packet.flow, job.peer.has_value(), job.peer.value_or(0)};
    route::Context facts = facts_of(job, round);
    route::Decision decision =
        job.error == sip::ParseError::kOk
            ? route::decide(job.message, arrival, facts, out)
            : route::decide_malformed(job.message, job.error, arrival, facts, out);
    std::array<char, sip::kMaxAor> room;
    if (decision.is_stranger) {
        if (const auto aor = prove_.claimed_aor(job, round, room)) {
            out.clear();
            const Outcome proof = prove_.prove_caller(job, round, *aor, facts.proven, out);
            if (!proof.goes_on()) {
                return proof;
            }
            out.clear();
            decision = route::decide(job.message, arrival, facts, out);
        }
    }
    if (decision.is_stranger) {
        if (decision.kind == route::Kind::kDrop) {
            return Outcome::drop(DropReason::kStranger);  // whatever kept it from being answered
        }
        counters_.drop(DropReason::kStranger);
    }
    if (decision.proves_life) {
        life_.note_dialog(job.packet.flow, round.now);
    }
    return outcome_of(decision, job);
}

// A keepalive of RFC 5626 §4.4.2: answered to where it came from, and taken for nothing more. It
// carries no secret, so it says nothing of any phone. None: it is no STUN.
std::optional<Outcome> RouteStage::answer_stun(const Job& job, sip::Writer& out) const {
    const net::Bytes datagram{reinterpret_cast<const std::uint8_t*>(job.packet.text.data()),
                              job.packet.text.size()};
    const net::StunKind kind = net::stun_kind(datagram);
    if (kind == net::StunKind::kNone) {
        return std::nullopt;
    }
    if (kind == net::StunKind::kOther) {
        return Outcome::drop(DropReason::kKeepalive);
    }
    std::array<std::uint8_t, net::kMaxStunAnswer> answer;
    const std::size_t size = net::write_stun_answer(datagram, job.packet.flow, answer);
    if (size > route::answer_limit(datagram.size(), job.packet.flow.is_v4())) [[unlikely]] {
        return Outcome::drop(DropReason::kAmplification);
    }
    counters_.stun_answers.add();
    out.text({reinterpret_cast<const char*>(answer.data()), size});
    return Outcome::send(job.packet.flow);
}

Outcome RouteStage::outcome_of(const route::Decision& decision, Job& job) {
    switch (decision.kind) {
        case route::Kind::kForward:
        case route::Kind::kReply:
            count(decision);
            return Outcome::send(decision.flow);
        case route::Kind::kPong:
            job.pong_notice = notice_of(decision);
            return {.kind = Outcome::Kind::kPong};
        case route::Kind::kPeerPong:
            job.peer_notice = {decision.peer_index, decision.code, decision.rtt_us};
            return {.kind = Outcome::Kind::kPeerPong};
        case route::Kind::kDrop:
            break;
    }
    return Outcome::drop(decision.reason);
}

void RouteStage::count(const route::Decision& decision) {
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

}  // namespace pinhole::edge
