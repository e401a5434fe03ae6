// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/sip_stage.h"

#include "dataplane/route/ping.h"
#include "dataplane/route/reply_target.h"
#include "dataplane/route/response.h"
#include "dataplane/route/route.h"

#include <algorithm>

namespace pinhole::io {
namespace {

using registrar::Verdict;

// How long a REGISTER may have been on its way from its arrival to its owner: its contact bears the
// time of its arrival.
constexpr std::int32_t kOnItsWay_ms = 2000;

// Of what is no request, nothing is asked of us: responses carry MACs, and noise gets no answer.
bool asks(const sip::Message& message, sip::ParseError error) {
    return error == sip::ParseError::kOk
               ? message.is_request
               : error != sip::ParseError::kKeepalive && error != sip::ParseError::kNotSip &&
                     error != sip::ParseError::kTooLong;
}

}  // namespace

SipStage::SipStage(const Shared& shared, const edge::LiveSettings& live, Mesh& mesh,
                   unsigned worker, Transmit& transmit, Post& post, CoreCounters& counters)
    : shared_(shared),
      mesh_(mesh),
      worker_(worker),
      transmit_(transmit),
      post_(post),
      counters_(counters),
      edition_(live.edition),
      limits_(live.limits, shared.limit_sources, mesh.workers(), shared.table.hash()),
      allowances_(limits_.addresses().count()),
      contexts_(std::make_unique<Context[]>(kContexts)),
      overload_(shared.refuse_when_overloaded) {
    free_.reserve(kContexts);
    for (std::uint32_t i = kContexts; i-- > 0;) {
        free_.push_back(i);
    }
    if (shared.authentication != nullptr) {
        checker_.emplace(shared.authentication->policy, shared.authentication->windows);
    }
}

SipStage::~SipStage() {
    for (unsigned i = 0; i < kContexts; ++i) {
        rte_pktmbuf_free(contexts_[i].mbuf);  // null is nothing to it
    }
}

void SipStage::remember(const admit::SourceName& address, float phones, const Moment& now) {
    limits_.remember(address, phones, now);
}

void SipStage::take(rte_mbuf* mbuf, const net::Datagram& datagram, net::PortIndex port) {
    if (free_.empty() || burst_count_ == kBurst) [[unlikely]] {
        rte_pktmbuf_free(mbuf);
        counters_.drop(DropReason::kHandoffFull);
        return;
    }
    Context& context = contexts_[free_.back()];
    free_.pop_back();
    context.mbuf = mbuf;
    context.flow = datagram.flow(port);
    context.text = datagram.text();
    context.refusal = Refusal::kNone;
    burst_[burst_count_++] = &context;
}

void SipStage::use(const edge::Surroundings& around, const Moment& now) {
    around_ = &around;
    now_ = now;
    if (live().edition != edition_) [[unlikely]] {
        edition_ = live().edition;
        limits_.use(live().limits);
    }
}

void SipStage::run(const edge::Surroundings& around, const Moment& now) {
    use(around, now);
    // Pairs with the service side's release store.
    rules_ =
        shared_.screening == nullptr ? nullptr : shared_.screening->load(std::memory_order_acquire);
    if (overload_.presses()) [[unlikely]] {
        rank_burst();
    }
    for (unsigned i = 0; i < burst_count_; ++i) {
        parse(*burst_[i]);
    }
    unsigned kept = 0;
    for (unsigned i = 0; i < burst_count_; ++i) {
        if (let_in(*burst_[i])) {
            burst_[kept++] = burst_[i];
        } else {
            release(*burst_[i]);
        }
    }
    burst_count_ = kept;
    Proofs proofs;
    read_attempts(proofs);
    fetch_records();
    settle(proofs);
    fetch_states();
    for (unsigned i = 0; i < burst_count_; ++i) {
        if (decide(*burst_[i]) == Outcome::kFinished) {
            release(*burst_[i]);
        }
    }
    burst_count_ = 0;
}

// For all of the burst in tight loops: each may be a walk of the page tables and a miss, and only what
// is close together in the program is under way at the same time. Between records and states digests
// are made: where a request comes alone, nothing else hides how long its record takes.
void SipStage::fetch_records() const {
    for (unsigned i = 0; i < burst_count_; ++i) {
        const Context& context = *burst_[i];
        if (context.wants == Context::Wants::kAor) {
            shared_.table.prefetch_record(context.wanted);
        } else if (context.wants == Context::Wants::kContact) {
            shared_.table.prefetch_slot_record(static_cast<std::uint32_t>(context.wanted));
        }
    }
}

void SipStage::fetch_states() const {
    for (unsigned i = 0; i < burst_count_; ++i) {
        if (burst_[i]->wants == Context::Wants::kAor) {
            shared_.qualify.prefetch_any(shared_.table.likely_slot(burst_[i]->wanted));
        }
    }
}

// A core peer is known by its address and by where it speaks: on an access port it is a stranger
// with a forged one.
std::optional<unsigned> SipStage::peer_of(const Context& context) const {
    return around_->ports[context.flow.port].role == edge::Role::kAccess
               ? std::nullopt
               : around_->peers.index_of(context.flow.theirs);
}

void SipStage::parse(Context& context) {
    context.for_registrar = false;
    context.wants = Context::Wants::kNothing;
    context.called = {};
    context.proof = AuthResult::kGood;
    context.proven = false;
    context.pong.reset();
    if (context.refusal == Refusal::kSilent) {
        return;
    }
    context.peer = peer_of(context);
    if (route::may_be_pong(context.text)) {
        context.pong = route::read_pong(context.text, around_->keys, now_.us);
        if (context.pong.has_value()) {
            want_contact(context, context.pong->id.slot);
            return;
        }
    }
    context.error = sip::parse(context.text, context.message);
    if (context.error == sip::ParseError::kOk && context.message.is_request) {
        counters_.requests[static_cast<std::size_t>(context.message.method)].add();
    }
    if (context.refusal != Refusal::kNone) {
        return;
    }
    context.screened = is_screened(context) ? screen(context) : screen::Verdict{};
    if (context.error != sip::ParseError::kOk || !context.screened.passes()) {
        return;
    }
    if (context.message.is_request) {
        context.for_registrar = route::is_for_registrar(context.message, around_->identity);
        if (context.for_registrar) {
            prepare_register(context);
        } else if (context.peer.has_value() && !context.message.has(sip::HeaderId::kRoute)) {
            prepare_call(context);
        }
    } else {
        prepare_response(context);
    }
}

// A core peer is trusted, and who else speaks at its ports is dropped anyway. A response passes by
// the MAC in its Via or not at all. What is no SIP, but no keepalive either, rules for "any" see.
bool SipStage::is_screened(const Context& context) const {
    if (rules_ == nullptr || context.peer.has_value() ||
        around_->ports[context.flow.port].role == edge::Role::kCore) {
        return false;
    }
    return context.error == sip::ParseError::kOk ? context.message.is_request
                                                 : context.error != sip::ParseError::kKeepalive;
}

screen::Verdict SipStage::screen(const Context& context) {
    const sip::Message* message =
        context.error == sip::ParseError::kOk ? &context.message : nullptr;
    const auto key = [&] {
        return shared_.table.hash()(context.flow) ^ shared_.table.hash()(message->call_id());
    };
    const screen::Matches matches = rules_->match(context.text, message, worker_);
    const bool held =
        message != nullptr && !tarpit_.is_empty(now_.ms) && tarpit_.holds(key(), now_.ms);
    if (matches.none() && !held) [[likely]] {
        return {};
    }
    // Calls for help pass, whatever else they look like.
    if (message != nullptr && is_emergency(*message)) {
        return {};
    }
    const screen::Verdict verdict = rules_->judge(matches, worker_);
    if (verdict.action == screen::Action::kTarpit && message != nullptr) {
        tarpit_.hold(key(), now_.ms);
    }
    return held && verdict.passes() ? screen::Verdict{screen::Action::kTarpit} : verdict;
}

// What its rule says, within what any stranger's request may cost us: an answer is no larger than
// 1.5 times the request, and an ACK gets none.
void SipStage::turn_away(Context& context) {
    if (context.screened.action == screen::Action::kReject) {
        answer_or_drop(context, {.code = context.screened.code}, DropReason::kScreened);
    } else {
        drop(context, context.screened.action == screen::Action::kTarpit ? DropReason::kTarpit
                                                                         : DropReason::kScreened);
    }
}

// `otherwise`: where it can't be answered.
void SipStage::answer_or_drop(Context& context, const route::Answer& what, DropReason otherwise) {
    if (!context.message.answerable() || context.message.top_via() == nullptr) {
        drop(context, otherwise);
        return;
    }
    if (answer(context, what) == route::AnswerResult::kAmplifies) {
        drop(context, DropReason::kAmplification);
    }
}

// To who has proved nothing. What amplifies is not sent, and the packet is still there.
route::AnswerResult SipStage::answer(Context& context, const route::Answer& what) {
    sip::Writer out(out_text_.data(), out_text_.size());
    const route::AnswerResult result =
        route::write_answer(context.message, context.flow, around_->keys, what, false, out);
    if (result == route::AnswerResult::kDoesNotFit) [[unlikely]] {
        drop(context, DropReason::kTooLarge);
    } else if (result == route::AnswerResult::kWritten) {
        counters_.responses[what.code].add();
        transmit_.datagram(route::answer_flow(context.message, context.flow), out.view(),
                           context.mbuf, *around_);
        context.mbuf = nullptr;
    }
    return result;
}

// Routing will look for the subscriber whom the core calls. In a dialog a Route leads to a contact.
void SipStage::prepare_call(Context& context) {
    const sip::Uri* uri = context.message.uri();
    const auto aor =
        uri != nullptr ? sip::canonical_aor(*uri, context.request.aor_text.data()) : std::nullopt;
    if (aor.has_value()) {
        context.called = {uri->text, *aor, shared_.table.hash()(*aor)};
        want_aor(context, context.called.hash);
    }
}

// The answer to a ping is held against its contact's flow.
void SipStage::prepare_response(Context& context) {
    const sip::Via* top = context.message.top_via();
    if (top == nullptr) {
        return;
    }
    if (const auto slot = route::slot_named_by(top->branch)) {
        want_contact(context, *slot);
    }
}

void SipStage::want_contact(Context& context, std::uint32_t slot) {
    context.wants = Context::Wants::kContact;
    context.wanted = slot;
    shared_.table.prefetch_slot(slot);
}

void SipStage::want_aor(Context& context, std::uint64_t aor_hash) {
    context.wants = Context::Wants::kAor;
    context.wanted = aor_hash;
    shared_.table.prefetch_bucket(aor_hash);
}

// False: it is done with.
bool SipStage::let_in(Context& context) {
    if (context.refusal != Refusal::kNone) [[unlikely]] {
        refuse(context);
        return false;
    }
    if (!context.peer.has_value() && around_->ports[context.flow.port].role == edge::Role::kCore) {
        drop(context, DropReason::kStranger);
        return false;
    }
    if (context.pong.has_value()) {
        return true;
    }
    if (!admit(context)) {
        return false;
    }
    if (!context.screened.passes()) [[unlikely]] {
        turn_away(context);
        return false;
    }
    return true;
}

SipStage::Outcome SipStage::decide(Context& context) {
    if (context.pong.has_value()) {
        carry_out(context, route::decide_pong(*context.pong, context.flow, shared_.table), {});
        return Outcome::kFinished;
    }
    if (!context.for_registrar) {
        if (context.error != sip::ParseError::kNotSip || !answer_stun(context)) {
            route_message(context);
        }
        return Outcome::kFinished;
    }
    if (!admits(context, context.proof, 401, context.request.aor_hash)) {
        return Outcome::kFinished;
    }
    return register_contacts(context);
}

// False: dropped, its sender asks for too much. An answer would only serve a forger.
bool SipStage::admit(Context& context) {
    if (context.peer.has_value() || !asks(context.message, context.error) ||
        live().registrar.is_path_peer(context.flow.theirs)) {
        return true;
    }
    const admit::Limited limited = limits_.admit(context.flow, now_);
    if (limited == admit::Limited::kNo ||
        (context.error == sip::ParseError::kOk && is_emergency(context.message))) {
        return true;
    }
    drop(context,
         limited == admit::Limited::kByFlow ? DropReason::kFlowLimit : DropReason::kAddressLimit);
    return false;
}

bool SipStage::is_emergency(const sip::Message& message) const {
    return message.uri() != nullptr &&
           around_->emergency.is_call(message, *message.uri(), around_->identity);
}

void SipStage::serve(const edge::Command& command, const edge::Surroundings& around,
                     const Moment& now) {
    use(around, now);
    switch (command.kind) {
        case edge::CommandKind::kRegister: {
            edge::Command answer = command;
            answer.kind = edge::CommandKind::kRegistered;
            answer.verdict = apply(*command.request, answer.arrives);
            post_.send(command.from, answer);
            counters_.handoffs_served.add();
            break;
        }
        case edge::CommandKind::kRegistered: {
            Context& context = contexts_[command.context];
            context.verdict = command.verdict;
            note_change(context, command.arrives);
            answer_register(context, find(context.request));
            release(context);
            break;
        }
        case edge::CommandKind::kRetarget:
            retarget(command.id);
            break;
        case edge::CommandKind::kExpire:
        case edge::CommandKind::kRemoveUnreachable:
        case edge::CommandKind::kRemove:
            remove(command);
            break;
    }
}

void SipStage::remove(const edge::Command& command) {
    const auto still = [&](const table::ContactView& contact) {
        switch (command.kind) {
            case edge::CommandKind::kExpire:
                return contact.state.expires_at_s <= now_.s;
            case edge::CommandKind::kRemoveUnreachable:
                // A REGISTER since the control thread looked is newer than what it knew, one that
                // was on its way then too. It asks again.
                return static_cast<std::int32_t>(command.since_ms - contact.state.refreshed_at_ms) >
                       kOnItsWay_ms;
            default:
                return true;
        }
    };
    const table::ChangeResult result = shared_.table.remove_owner(command.id, still);
    if (command.done != nullptr) {
        const std::uint32_t said = result == table::ChangeResult::kOk        ? 1
                                   : result == table::ChangeResult::kNothing ? 2
                                                                             : 3;
        // Pairs with the asker's acquire load.
        command.done->store(said, std::memory_order_release);
    }
}

void SipStage::drop(Context& context, DropReason reason) {
    rte_pktmbuf_free(context.mbuf);
    context.mbuf = nullptr;
    counters_.drop(reason);
}

void SipStage::release(Context& context) {
    rte_pktmbuf_free(context.mbuf);
    context.mbuf = nullptr;
    free_.push_back(static_cast<std::uint32_t>(&context - contexts_.get()));
}

}  // namespace pinhole::io
