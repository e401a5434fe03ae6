// SPDX-License-Identifier: BSD-3-Clause
// A REGISTER's steps: read, refreshed in place or given to the owner of its AOR, answered.
#include "dataplane/io/sip_stage.h"
#include "dataplane/nat/agent.h"
#include "dataplane/nat/alg.h"
#include "dataplane/registrar/answer.h"
#include "dataplane/registrar/odd_contact.h"
#include "dataplane/route/gruu.h"
#include "dataplane/route/reply_target.h"
#include "dataplane/route/tag.h"
#include "dataplane/sip/writer.h"

#include <algorithm>
#include <array>

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
    const tokens::Keys& keys;
    const table::KeyedHash& hash;
};

void write_gruus(const void* maker, const table::ContactView& contact, sip::Writer& out) {
    const auto& with = *static_cast<const GruuMaker*>(maker);
    route::write_gruus(with.keys, with.hash, contact, out);
}

// And up to twice that: the table is full until phones leave, which nobody knows.
constexpr std::uint32_t kTableFullRetry_s = 10;

// Does it leave no contact behind?
bool leaves(const registrar::RegisterRequest& request) {
    return request.star ||
           std::all_of(request.contacts.begin(), request.contacts.begin() + request.count,
                       [](const registrar::RequestedContact& c) { return c.expires_s == 0; });
}

}  // namespace

const table::Record* SipStage::find(const registrar::RegisterRequest& request) const {
    return shared_.table.find(request.aor_hash, request.aor);
}

registrar::ReadContext SipStage::reading() const {
    return {live().registrar, around_->identity, shared_.table.hash(), now_};
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

// The owner has changed what the REGISTER asked for: phones have come to its source or left it.
void SipStage::note_change(const Context& context, bool arrives) {
    const registrar::RegisterRequest& request = context.request;
    if (context.verdict != Verdict::kOk) {
        return;
    }
    if (leaves(request)) {
        limits_.left(context.flow, now_);
        return;
    }
    limits_.registered(context.flow, request.contacts[0].expires_s, true, now_);
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
        request.agent = nat::agent_of(context.message.first(sip::HeaderId::kUserAgent));
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
        limits_.registered(context.flow, context.request.contacts[0].expires_s, false, now_);
    } else {
        context.verdict = Verdict::kOutOfOrder;
    }
    answer_register(context, &record);
    return true;
}

// The worst of what its contacts show; where it only takes contacts away, nothing.
nat::Alg SipStage::alg_of(const Context& context) {
    const registrar::RegisterRequest& request = context.request;
    nat::Alg worst = nat::Alg::kNone;
    for (std::size_t i = 0; i < request.count; ++i) {
        if (request.contacts[i].expires_s != 0) {
            worst = std::max(worst,
                             nat::alg_of(context.message, request.contacts[i].uri, context.flow));
        }
    }
    return worst;
}

SipStage::Outcome SipStage::ask_owner(Context& context) {
    context.request.alg = static_cast<std::uint8_t>(alg_of(context));
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
    edge::Command command;
    command.kind = edge::CommandKind::kRegister;
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
            planned = registrar::plan(current, request, live().registrar, reachability, edit);
            arrives = std::none_of(
                current.contacts.begin(), current.contacts.end(),
                [&](const table::ContactView& c) { return c.state.flow == request.flow; });
            if (planned == Verdict::kOk && live().draining && edit.adds()) [[unlikely]] {
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
    registrar::AnswerContext answer{route::reply_via(to, context.flow), tag.view(), now_,
                                    request.flow};
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
        registrar::write_ok_headers(request, live().registrar, headers);
        answer.headers = headers.view();
        const GruuMaker gruus{around_->keys, shared_.table.hash()};
        if (request.gruu) {
            answer.gruus = {write_gruus, &gruus};
        }
        answer.via.keep_s = live().registrar.flow_timer_s;
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
            context.message, context.verdict, live().registrar,
            admit::retry_after_s(
                context.verdict == Verdict::kDraining ? live().retry_after_s : kTableFullRetry_s,
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

}  // namespace pinhole::io
