// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/sip_stage.h"

#include "dataplane/net/stun.h"
#include "dataplane/registrar/answer.h"
#include "dataplane/registrar/odd_contact.h"
#include "dataplane/route/gruu.h"
#include "dataplane/route/ping.h"
#include "dataplane/route/reply_target.h"
#include "dataplane/route/route.h"
#include "dataplane/route/tag.h"
#include "dataplane/sip/reply.h"

#include <algorithm>

namespace pinhole::io {
namespace {

using registrar::Verdict;

bool unreachable(const void* qualify, table::ContactId id) {
    return static_cast<const table::QualifyTable*>(qualify)->reach_any(id) ==
           table::Reach::kUnreachable;
}

// Of a change that the rules agreed to.
Verdict verdict_of(table::ChangeResult result, Verdict planned) {
    switch (result) {
        case table::ChangeResult::kOk:
        case table::ChangeResult::kNothing:
            return planned;
        case table::ChangeResult::kTableFull:
        case table::ChangeResult::kNoMemory:
            return Verdict::kTableFull;
        case table::ChangeResult::kTooLarge:
            return Verdict::kTextTooLong;
        case table::ChangeResult::kBusy:
        case table::ChangeResult::kContended:
            break;
    }
    return Verdict::kBusy;
}

struct GruuMaker {
    const route::Keys& keys;
    const table::KeyedHash& hash;
};
void write_gruus(const void* maker, const table::ContactView& contact, sip::Writer& out) {
    const auto& with = *static_cast<const GruuMaker*>(maker);
    route::write_gruus(with.keys, with.hash, contact, out);
}

// And up to twice that: the table is full until phones leave, which nobody knows.
constexpr std::uint32_t kTableFullRetry_s = 10;

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

// Does it leave no contact behind?
bool leaves(const registrar::RegisterRequest& request) {
    return request.star ||
           std::all_of(request.contacts.begin(), request.contacts.begin() + request.count,
                       [](const registrar::RequestedContact& c) { return c.expires_s == 0; });
}

registrar::Now registrar_now(const Moment& now) {
    return {now.s, static_cast<std::uint32_t>(now.ms)};
}

}  // namespace

SipStage::SipStage(const Shared& shared, const Conduct& conduct, Mesh& mesh, unsigned worker,
                   Transmit& transmit, Post& post, CoreCounters& counters)
    : shared_(shared),
      mesh_(mesh),
      worker_(worker),
      transmit_(transmit),
      post_(post),
      counters_(counters),
      edition_(conduct.edition),
      limits_(conduct.limits, shared.limit_sources, mesh.workers(), shared.table.hash()),
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

void SipStage::remember(const screen::SourceName& address, float phones, const Moment& now) {
    limits_.remember(address, phones, limit_time(now));
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

void SipStage::use(const Surroundings& around, const Moment& now) {
    around_ = &around;
    now_ = now;
    if (conduct().edition != edition_) [[unlikely]] {
        edition_ = conduct().edition;
        limits_.use(conduct().limits);
    }
}

void SipStage::run(const Surroundings& around, const Moment& now) {
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
    authenticate();
    fetch_wanted();
    for (unsigned i = 0; i < burst_count_; ++i) {
        if (decide(*burst_[i]) == Outcome::kFinished) {
            release(*burst_[i]);
        }
    }
    burst_count_ = 0;
}

// For all of the burst in tight loops: each may be a walk of the page tables and a miss, and only what
// is close together in the program is under way at the same time.
void SipStage::fetch_wanted() const {
    for (unsigned i = 0; i < burst_count_; ++i) {
        const Context& context = *burst_[i];
        if (context.wants == Context::Wants::kAor) {
            shared_.table.prefetch_record(context.wanted);
        } else if (context.wants == Context::Wants::kContact) {
            shared_.table.prefetch_slot_record(static_cast<std::uint32_t>(context.wanted));
        }
    }
    for (unsigned i = 0; i < burst_count_; ++i) {
        if (burst_[i]->wants == Context::Wants::kAor) {
            shared_.qualify.prefetch_any(shared_.table.likely_slot(burst_[i]->wanted));
        }
    }
}

// A core peer is known by its address and by where it speaks: on an access port it is a stranger
// with a forged one.
std::optional<unsigned> SipStage::peer_of(const Context& context) const {
    return around_->ports[context.flow.port].role == Role::kAccess
               ? std::nullopt
               : around_->peers.index_of(context.flow.theirs);
}

void SipStage::parse(Context& context) {
    context.for_registrar = false;
    context.wants = Context::Wants::kNothing;
    context.proof = AuthResult::kGood;
    context.proven = false;
    if (context.refusal == Refusal::kSilent) {
        return;
    }
    context.peer = peer_of(context);
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
        around_->ports[context.flow.port].role == Role::kCore) {
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

const table::Record* SipStage::find(const registrar::RegisterRequest& request) const {
    return shared_.table.find(request.aor_hash, request.aor);
}

registrar::ReadContext SipStage::reading() const {
    return {conduct().registrar, around_->identity, shared_.table.hash(), registrar_now(now_)};
}

void SipStage::prepare_register(Context& context) {
    if (context.message.top_via() == nullptr) {
        context.for_registrar = false;  // no answer would find its way: routing drops it, counted
        return;
    }
    context.verdict =
        registrar::read_whose(context.message, route::answer_flow(context.message, context.flow),
                              reading(), context.request);
    if (context.verdict == Verdict::kOk) {
        want_aor(context, context.request.aor_hash);
    }
}

// Routing will look for the subscriber whom the core calls. In a dialog a Route leads to a contact.
void SipStage::prepare_call(Context& context) {
    std::array<char, sip::kMaxAor> room;
    const sip::Uri* uri = context.message.uri();
    const auto aor = uri != nullptr ? sip::canonical_aor(*uri, room.data()) : std::nullopt;
    if (aor.has_value()) {
        want_aor(context, shared_.table.hash()(*aor));
    }
}

// The answer to a ping is held against its contact's flow.
void SipStage::prepare_response(Context& context) {
    const sip::Via* top = context.message.top_via();
    if (top == nullptr) {
        return;
    }
    if (const auto slot = route::slot_named_by(top->branch)) {
        context.wants = Context::Wants::kContact;
        context.wanted = *slot;
        shared_.table.prefetch_slot(*slot);
    }
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
    if (!context.peer.has_value() && around_->ports[context.flow.port].role == Role::kCore) {
        drop(context, DropReason::kStranger);
        return false;
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
    if (!context.for_registrar) {
        if (context.error != sip::ParseError::kNotSip || !answer_stun(context)) {
            route_message(context);
        }
        return Outcome::kFinished;
    }
    if (!admits(context, context.proof, 401, context.request.aor)) {
        return Outcome::kFinished;
    }
    return register_contacts(context);
}

// False: dropped, its sender asks for too much. An answer would only serve a forger.
bool SipStage::admit(Context& context) {
    if (context.peer.has_value() || !asks(context.message, context.error) ||
        conduct().registrar.is_path_peer(context.flow.theirs)) {
        return true;
    }
    const screen::Limited limited = limits_.admit(context.flow, limit_time(now_));
    if (limited == screen::Limited::kNo ||
        (context.error == sip::ParseError::kOk && is_emergency(context.message))) {
        return true;
    }
    drop(context,
         limited == screen::Limited::kByFlow ? DropReason::kFlowLimit : DropReason::kAddressLimit);
    return false;
}

bool SipStage::is_emergency(const sip::Message& message) const {
    return message.uri() != nullptr &&
           around_->emergency.is_call(message, *message.uri(), around_->identity);
}

// The owner has changed what the REGISTER asked for: phones have come to its source or left it.
void SipStage::note_change(const Context& context, bool arrives) {
    const registrar::RegisterRequest& request = context.request;
    if (context.verdict != Verdict::kOk) {
        return;
    }
    if (leaves(request)) {
        limits_.left(context.flow, limit_time(now_));
        return;
    }
    limits_.registered(context.flow, request.contacts[0].expires_s, true, limit_time(now_));
    for (std::size_t i = 0; i < request.count; ++i) {
        if (const auto odd = registrar::odd_contact(request.contacts[i].uri, around_->identity)) {
            counters_.odd_contacts[static_cast<std::size_t>(*odd)].add();
        }
    }
    if (arrives) {
        look_for_displaced(context);
    }
}

SipStage::Outcome SipStage::register_contacts(Context& context) {
    registrar::RegisterRequest& request = context.request;
    const table::Record* record = nullptr;
    if (context.verdict == Verdict::kOk) {
        record = find(request);
        context.verdict = registrar::read_contacts(context.message, reading(), record, request);
    }
    const bool is_fetch = request.count == 0 && !request.star;
    if (context.verdict != Verdict::kOk || is_fetch) {
        answer_register(context, record);
        return Outcome::kFinished;
    }
    Outcome outcome = Outcome::kFinished;
    if (record != nullptr && registrar::may_refresh(*record, request) &&
        refresh_in_place(context, *record, outcome)) {
        return outcome;
    }
    return ask_owner(context);
}

// False: it is the owner's after all.
bool SipStage::refresh_in_place(Context& context, const table::Record& record, Outcome& outcome) {
    registrar::InPlace done = registrar::InPlace::kNeedsOwner;
    registrar::Named named;
    const table::RefreshResult result = shared_.table.refresh_any(
        record,
        [&](table::ClaimedRecord& claimed) {
            done = registrar::refresh(claimed, context.request, named);
        },
        shared_.table.log_of(worker_));
    if (result == table::RefreshResult::kDead ||
        (result == table::RefreshResult::kOk && done == registrar::InPlace::kNeedsOwner)) {
        return false;
    }
    outcome = Outcome::kFinished;
    if (result == table::RefreshResult::kContended) [[unlikely]] {
        drop(context, DropReason::kContended);  // its retransmission will find the record free
        return true;
    }
    if (done == registrar::InPlace::kDone) {
        counters_.refreshed_in_place.add();
        note_proof(context, record, named);
        limits_.registered(context.flow, context.request.contacts[0].expires_s, false,
                           limit_time(now_));
    } else {
        context.verdict = Verdict::kOutOfOrder;
    }
    answer_register(context, &record);
    return true;
}

// The worst of what its contacts show; where it only takes contacts away, nothing.
registrar::Alg SipStage::alg_of(const Context& context) {
    const registrar::RegisterRequest& request = context.request;
    registrar::Alg worst = registrar::Alg::kNone;
    for (std::size_t i = 0; i < request.count; ++i) {
        if (request.contacts[i].expires_s != 0) {
            worst = std::max(
                worst, registrar::alg_of(context.message, request.contacts[i].uri, context.flow));
        }
    }
    return worst;
}

SipStage::Outcome SipStage::ask_owner(Context& context) {
    context.request.alg = alg_of(context);
    const unsigned owner = shared_.table.shard_of(context.request.aor_hash);
    if (owner == worker_) {
        bool arrives = false;
        context.verdict = apply(context.request, arrives);
        note_change(context, arrives);
        answer_register(context, find(context.request));
        return Outcome::kFinished;
    }
    // What waits must leave room for a burst: an owner that is stuck costs what only it can do, not
    // the calls, refreshes and answers that this worker does alone.
    if (free_.size() < kBurst) [[unlikely]] {
        drop(context, DropReason::kHandoffFull);
        return Outcome::kFinished;
    }
    Command command;
    command.kind = CommandKind::kRegister;
    command.from = static_cast<std::uint16_t>(worker_);
    command.context = static_cast<std::uint32_t>(&context - contexts_.get());
    command.request = &context.request;
    post_.send(owner, command);
    counters_.handoffs.add();
    return Outcome::kWaits;
}

// The owner's: §10.3 under the record's claim, whole or not at all.
Verdict SipStage::apply(const registrar::RegisterRequest& request, bool& arrives) {
    Verdict planned = Verdict::kOk;
    const registrar::Reachability reachability{unreachable, &shared_.qualify};
    const auto changed = shared_.table.change_owner(
        request.aor_hash, request.aor, [&](const table::Current& current, table::Edit& edit) {
            planned = registrar::plan(current, request, conduct().registrar, reachability, edit);
            arrives = std::none_of(
                current.contacts.begin(), current.contacts.end(),
                [&](const table::ContactView& c) { return c.state.flow == request.flow; });
            if (planned == Verdict::kOk && conduct().draining && edit.adds()) [[unlikely]] {
                planned = Verdict::kDraining;
            }
            return planned == Verdict::kOk;
        });
    const Verdict verdict = verdict_of(changed.result, planned);
    if (verdict == Verdict::kTableFull) {
        counters_.table_full.add();
    }
    return verdict;
}

void SipStage::answer_register(Context& context, const table::Record* record) {
    const registrar::RegisterRequest& request = context.request;
    const route::TagText tag = route::make_tag(around_->keys, context.message);
    const net::Flow to = answer_flow(context);
    registrar::AnswerContext answer{route::reply_via(to, context.flow), tag.view(),
                                    registrar_now(now_), request.flow};
    const std::size_t limit = route::answer_limit(context.text.size(), context.flow.is_v4());
    sip::Writer out(out_text_.data(), out_text_.size());
    registrar::Answered answered;
    if (context.verdict == Verdict::kBusy) [[unlikely]] {
        drop(context, DropReason::kContended);  // its retransmission will find the record free
        return;
    }
    if (context.verdict == Verdict::kOk) {
        std::array<char, registrar::kMaxOkHeaders> lines;
        sip::Writer headers(lines.data(), lines.size());
        registrar::write_ok_headers(request, conduct().registrar, headers);
        answer.headers = headers.view();
        const GruuMaker gruus{around_->keys, shared_.table.hash()};
        if (request.gruu) {
            answer.gruus = {write_gruus, &gruus};
        }
        answer.via.keep_s = conduct().registrar.flow_timer_s;
        answered = registrar::write_ok(context.message, record, answer, out);
        // A list of many contacts outgrows a short request: whose address may be forged gets what fits.
        if (answered == registrar::Answered::kWritten && out.size() > limit && !context.proven &&
            request.path.empty() && !has_answered(record, request.flow)) {
            out.clear();
            answer.limit = limit;
            answered = registrar::write_ok(context.message, record, answer, out);
        }
    } else {
        answered = registrar::write_refusal(
            context.message, context.verdict, conduct().registrar,
            screen::retry_after_s(
                context.verdict == Verdict::kDraining ? conduct().retry_after_s : kTableFullRetry_s,
                request.aor_hash),
            answer, out);
    }
    if (answered != registrar::Answered::kWritten) [[unlikely]] {
        drop(context, answered == registrar::Answered::kContended ? DropReason::kContended
                                                                  : DropReason::kTooLarge);
        return;
    }
    if (context.verdict != Verdict::kOk && out.size() > limit) {
        drop(context, DropReason::kAmplification);
        return;
    }
    counters_.responses[registrar::status_of(context.verdict)].add();
    transmit_.datagram(to, out.view(), context.mbuf, *around_);
    context.mbuf = nullptr;
}

// What is stored, or, where a Path leads elsewhere, whom the top Via names.
net::Flow SipStage::answer_flow(const Context& context) {
    return context.request.path.empty() ? context.request.flow
                                        : route::answer_flow(context.message, context.flow);
}

// Whether a phone of the record has answered a ping by this flow: then nobody has forged it.
bool SipStage::has_answered(const table::Record* record, const net::Flow& flow) const {
    table::ContactState state;
    for (std::size_t i = 0; record != nullptr && i < record->contact_count(); ++i) {
        if (shared_.qualify.reach_any(record->fixed(i).id()) == table::Reach::kReachable &&
            record->read_state(i, state) && state.flow == flow) {
            return true;
        }
    }
    return false;
}

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
                         .call_unreachable = conduct().call_unreachable,
                         .redirect = conduct().redirect,
                         .assert_identity = conduct().assert_identity,
                         .gruu = conduct().registrar.gruu,
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
    switch (decision.kind) {
        case route::Kind::kForward:
        case route::Kind::kReply:
            count(decision);
            transmit_.datagram(decision.flow, out.view(), context.mbuf, *around_);
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
    const PongNotice notice{decision.contact, decision.rtt_us, decision.code,
                            static_cast<std::uint8_t>(decision.flow_matches),
                            static_cast<std::uint8_t>(decision.is_probe)};
    if (mesh_.pongs(worker_).put(&notice, 1) == 0) [[unlikely]] {
        counters_.drop(DropReason::kHandoffFull);  // the next ping asks again
    }
}

void SipStage::take_peer_pong(const route::Decision& decision) {
    const PeerPongNotice notice{decision.peer_index, decision.code, decision.rtt_us};
    if (mesh_.peer_pongs(worker_).put(&notice, 1) == 0) [[unlikely]] {
        counters_.drop(DropReason::kHandoffFull);  // the next check asks again
    }
}

void SipStage::serve(const Command& command, const Surroundings& around, const Moment& now) {
    use(around, now);
    switch (command.kind) {
        case CommandKind::kRegister: {
            Command answer = command;
            answer.kind = CommandKind::kRegistered;
            answer.verdict = apply(*command.request, answer.arrives);
            post_.send(command.from, answer);
            counters_.handoffs_served.add();
            break;
        }
        case CommandKind::kRegistered: {
            Context& context = contexts_[command.context];
            context.verdict = command.verdict;
            note_change(context, command.arrives);
            answer_register(context, find(context.request));
            release(context);
            break;
        }
        case CommandKind::kRetarget:
            retarget(command.id);
            break;
        case CommandKind::kExpire:
        case CommandKind::kRemoveUnreachable:
        case CommandKind::kRemove:
            remove(command);
            break;
    }
}

void SipStage::remove(const Command& command) {
    const auto still = [&](const table::ContactView& contact) {
        switch (command.kind) {
            case CommandKind::kExpire:
                return contact.state.expires_at_s <= now_.s;
            case CommandKind::kRemoveUnreachable:
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
