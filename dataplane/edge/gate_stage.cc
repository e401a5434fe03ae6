// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/edge/gate_stage.h"

#include "dataplane/edge/small_answer.h"
#include "dataplane/route/ping.h"
#include "dataplane/route/route.h"

namespace pinhole::edge {
namespace {

// Only requests ask for something: responses carry MACs, and noise gets no answer.
bool asks(const sip::Message& message, sip::ParseError error) {
    return error == sip::ParseError::kOk
               ? message.is_request
               : error != sip::ParseError::kKeepalive && error != sip::ParseError::kNotSip &&
                     error != sip::ParseError::kTooLong;
}

}  // namespace

Outcome GateStage::admit(Job& job, const Round& round, sip::Writer& out) {
    job.task = Task::kRoute;
    job.wanted = {};
    job.proof.reset();
    if (job.refusal == Refusal::kSilent) {
        return Outcome::drop(DropReason::kOverload);
    }
    job.peer = round.peer_at(job.packet.flow);
    const bool pong = is_pong(job, round);
    if (!pong) {
        job.called = {};
        parse(job);
    }
    if (job.refusal != Refusal::kNone) [[unlikely]] {
        return rank_.refuse(job, round, out);
    }
    if (!job.peer.has_value() && round.is_core_port(job.packet.flow)) {
        return Outcome::drop(DropReason::kStranger);
    }
    if (pong) {
        job.task = Task::kPong;
        return {};
    }
    const screen::Verdict verdict = is_screened(job) ? screen(job, round) : screen::Verdict{};
    if (const admit::Limited limited = limit(job, round); limited != admit::Limited::kNo) {
        // An answer would only serve a forger.
        return Outcome::drop(limited == admit::Limited::kByFlow ? DropReason::kFlowLimit
                                                                : DropReason::kAddressLimit);
    }
    if (!verdict.passes()) [[unlikely]] {
        return turn_away(job, round, verdict, out);
    }
    if (job.error == sip::ParseError::kOk && job.message.is_request &&
        route::is_for_registrar(job.message, round.around.identity)) {
        job.task = Task::kRegister;
    }
    return {};
}

bool GateStage::is_pong(Job& job, const Round& round) const {
    if (!route::may_be_pong(job.packet.text)) {
        return false;
    }
    const auto pong = route::read_pong(job.packet.text, round.around.keys, round.now.us);
    if (pong.has_value()) {
        job.pong = *pong;
    }
    return pong.has_value();
}

void GateStage::parse(Job& job) {
    job.error = sip::parse(job.packet.text, job.message);
    if (job.error == sip::ParseError::kOk && job.message.is_request) {
        counters_.requests[static_cast<std::size_t>(job.message.method)].add();
    }
}

// A core peer is trusted. A response passes by the MAC in its Via or not at all. Rules for "any"
// also see what is no SIP, unless it is a keepalive.
bool GateStage::is_screened(const Job& job) const {
    if (rules_ == nullptr || job.peer.has_value()) {
        return false;
    }
    return job.error == sip::ParseError::kOk ? job.message.is_request
                                             : job.error != sip::ParseError::kKeepalive;
}

screen::Verdict GateStage::screen(const Job& job, const Round& round) {
    const sip::Message* message = job.error == sip::ParseError::kOk ? &job.message : nullptr;
    const auto key = [&] {
        const table::KeyedHash& hash = shared_.table.hash();
        return hash(job.packet.flow) ^ hash(message->call_id());
    };
    const screen::Matches matches = rules_->match(job.packet.text, message, worker_);
    const bool held =
        message != nullptr && !tarpit_.is_empty(round.now.ms) && tarpit_.holds(key(), round.now.ms);
    if (matches.none() && !held) [[likely]] {
        return {};
    }
    // Calls for help pass, whatever else they look like.
    if (message != nullptr && round.is_emergency(*message)) {
        return {};
    }
    const screen::Verdict verdict = rules_->judge(matches, worker_);
    if (verdict.action == screen::Action::kTarpit && message != nullptr) {
        tarpit_.hold(key(), round.now.ms);
    }
    return held && verdict.passes() ? screen::Verdict{screen::Action::kTarpit} : verdict;
}

// As the rule says, within what any stranger's request may cost us; an ACK gets no answer.
Outcome GateStage::turn_away(const Job& job, const Round& round, const screen::Verdict& verdict,
                             sip::Writer& out) const {
    if (verdict.action == screen::Action::kReject) {
        return small_answer(job, round, {.code = verdict.code}, DropReason::kScreened, counters_,
                            out);
    }
    return Outcome::drop(verdict.action == screen::Action::kTarpit ? DropReason::kTarpit
                                                                   : DropReason::kScreened);
}

// Whether the sender asks for too much.
admit::Limited GateStage::limit(const Job& job, const Round& round) {
    if (job.peer.has_value() || !asks(job.message, job.error) ||
        round.settings().registrar.is_path_peer(job.packet.flow.theirs)) {
        return admit::Limited::kNo;
    }
    const admit::Limited limited = limits_.admit(job.packet.flow, round.now);
    const bool passes = limited == admit::Limited::kNo ||
                        (job.error == sip::ParseError::kOk && round.is_emergency(job.message));
    return passes ? admit::Limited::kNo : limited;
}

}  // namespace pinhole::edge
