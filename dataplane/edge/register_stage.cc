// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/edge/register_stage.h"

#include "dataplane/admit/overload.h"
#include "dataplane/nat/agent.h"
#include "dataplane/nat/alg.h"
#include "dataplane/registrar/answer.h"
#include "dataplane/registrar/odd_contact.h"
#include "dataplane/route/answer.h"
#include "dataplane/route/gruu.h"
#include "dataplane/route/reply_target.h"
#include "dataplane/route/tag.h"

#include <algorithm>
#include <array>

namespace pinhole::edge {
namespace {

using registrar::Verdict;

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

// The worst of what its contacts show; where it only takes contacts away, nothing.
std::uint8_t alg_of(const Job& job) {
    const registrar::RegisterRequest& request = job.registration->request;
    nat::Alg worst = nat::Alg::kNone;
    for (std::size_t i = 0; i < request.count; ++i) {
        if (request.contacts[i].expires_s != 0) {
            worst =
                std::max(worst, nat::alg_of(job.message, request.contacts[i].uri, job.packet.flow));
        }
    }
    return static_cast<std::uint8_t>(worst);
}

// The answer goes to the flow that is stored. If a Path leads elsewhere, it goes where the top Via
// says.
net::Flow answer_flow(const Job& job) {
    const registrar::Whose& whose = job.registration->whose;
    return whose.path.empty() ? whose.flow : route::answer_flow(job.message, job.packet.flow);
}

}  // namespace

RegisterStage::RegisterStage(const Shared& shared, admit::Limits& limits, Owner& owner,
                             unsigned worker, CoreCounters& counters)
    : shared_(shared),
      limits_(limits),
      owner_(owner),
      worker_(worker),
      counters_(counters),
      life_(shared),
      displacement_(shared, worker, counters) {}

const table::Record* RegisterStage::find(const registrar::Whose& whose) const {
    return shared_.table.find(whose.aor_hash, whose.aor);
}

registrar::ReadContext RegisterStage::reading(const Round& round) const {
    return {round.settings().registrar, round.around.identity, shared_.table.hash(), round.now};
}

void RegisterStage::prepare(Job& job, const Round& round) {
    if (job.message.top_via() == nullptr) {
        job.task = Task::kRoute;  // no answer would find its way: routing drops it, counted
        return;
    }
    job.registration = registrations_.take();  // there are as many as jobs
    registrar::Whose& whose = job.registration->whose;
    job.verdict = registrar::read_whose(
        job.message, route::answer_flow(job.message, job.packet.flow), reading(round), whose);
    if (job.verdict == Verdict::kOk) {
        job.wanted = {Wanted::Kind::kAor, whose.aor_hash};
        shared_.table.prefetch_bucket(whose.aor_hash);
    }
}

Outcome RegisterStage::decide(Job& job, const Round& round, bool may_wait, sip::Writer& out) {
    const registrar::Whose& whose = job.registration->whose;
    registrar::RegisterRequest& request = job.registration->request;
    const table::Record* record = nullptr;
    if (job.verdict == Verdict::kOk) {
        record = find(whose);
        read_contacts(job, record, round);
    }
    if (job.verdict != Verdict::kOk || request.is_fetch()) {
        return answer(job, record, round, out);
    }
    if (record != nullptr && registrar::may_refresh(*record, request)) {
        if (const auto done = refresh_in_place(job, *record, round, out)) {
            return *done;
        }
    }
    request.alg = alg_of(job);
    const unsigned owner = shared_.table.shard_of(whose.aor_hash);
    if (owner == worker_) {
        return finish(job, owner_.apply(request, round), round, out);
    }
    // What waits must leave room for a burst: an owner that is stuck costs what only it can do, not
    // the calls, refreshes and answers that this worker does alone.
    if (!may_wait) [[unlikely]] {
        return Outcome::drop(DropReason::kHandoffFull);
    }
    return Outcome::ask_owner(owner);
}

void RegisterStage::read_contacts(Job& job, const table::Record* record, const Round& round) {
    registrar::RegisterRequest& request = job.registration->request;
    job.verdict = registrar::read_contacts(job.message, reading(round), record,
                                           job.registration->whose, request);
    request.agent = nat::agent_of(job.message.first(sip::HeaderId::kUserAgent));
}

// None: it is the owner's after all.
std::optional<Outcome> RegisterStage::refresh_in_place(Job& job, const table::Record& record,
                                                       const Round& round, sip::Writer& out) {
    const registrar::RegisterRequest& request = job.registration->request;
    registrar::InPlace done = registrar::InPlace::kNeedsOwner;
    registrar::Named named;
    const table::RefreshResult result = shared_.table.refresh_any(
        record,
        [&](table::ClaimedRecord& claimed) { done = registrar::refresh(claimed, request, named); },
        shared_.table.log_of(worker_));
    if (result == table::RefreshResult::kDead ||
        (result == table::RefreshResult::kOk && done == registrar::InPlace::kNeedsOwner)) {
        return std::nullopt;
    }
    if (result == table::RefreshResult::kContended) [[unlikely]] {
        return Outcome::drop(
            DropReason::kContended);  // its retransmission will find the record free
    }
    if (done == registrar::InPlace::kDone) {
        counters_.refreshed_in_place.add();
        life_.note_refresh(job, record, named, round.now);
        limits_.registered(job.packet.flow, request.contacts[0].expires_s, false, round.now);
    } else {
        job.verdict = Verdict::kOutOfOrder;
    }
    return answer(job, &record, round, out);
}

Outcome RegisterStage::finish(Job& job, const Owner::Applied& applied, const Round& round,
                              sip::Writer& out) {
    job.verdict = applied.verdict;
    note_change(job, applied.arrives, round);
    return answer(job, find(job.registration->whose), round, out);
}

// The owner has changed what the REGISTER asked for: phones have come to its source or left it.
void RegisterStage::note_change(const Job& job, bool arrives, const Round& round) {
    const registrar::RegisterRequest& request = job.registration->request;
    if (job.verdict != Verdict::kOk) {
        return;
    }
    if (leaves(request)) {
        limits_.left(job.packet.flow, round.now);
        return;
    }
    limits_.registered(job.packet.flow, request.contacts[0].expires_s, true, round.now);
    for (std::size_t i = 0; i < request.count; ++i) {
        if (const auto odd =
                registrar::odd_contact(request.contacts[i].uri, round.around.identity)) {
            counters_.odd_contacts[static_cast<std::size_t>(*odd)].add();
        }
    }
    if (arrives) {
        displacement_.look(job, round.now);
    }
}

// `record` is the AOR's as it stands now; of a refusal nothing is looked at.
Outcome RegisterStage::answer(const Job& job, const table::Record* record, const Round& round,
                              sip::Writer& out) {
    if (job.verdict == Verdict::kBusy) [[unlikely]] {
        return Outcome::drop(
            DropReason::kContended);  // its retransmission will find the record free
    }
    const registrar::Whose& whose = job.registration->whose;
    const LiveSettings& settings = round.settings();
    const route::TagText tag = route::make_tag(round.around.keys, job.message);
    const net::Flow to = answer_flow(job);
    registrar::AnswerContext context{route::reply_via(to, job.packet.flow), tag.view(), round.now,
                                     whose.flow};
    const std::size_t limit = route::answer_limit(job.packet.text.size(), job.packet.flow.is_v4());
    registrar::Answered answered;
    if (job.verdict == Verdict::kOk) {
        answered = write_ok(job, record, round, limit, context, out);
    } else {
        const std::uint32_t retry_s =
            job.verdict == Verdict::kDraining ? settings.retry_after_s : kTableFullRetry_s;
        answered =
            registrar::write_refusal(job.message, job.verdict, settings.registrar,
                                     admit::retry_after_s(retry_s, whose.aor_hash), context, out);
    }
    if (answered != registrar::Answered::kWritten) [[unlikely]] {
        return Outcome::drop(answered == registrar::Answered::kContended ? DropReason::kContended
                                                                         : DropReason::kTooLarge);
    }
    if (job.verdict != Verdict::kOk && out.size() > limit) {
        return Outcome::drop(DropReason::kAmplification);
    }
    counters_.responses[registrar::status_of(job.verdict)].add();
    return Outcome::send(to);
}

// A list of many contacts outgrows a short request: where the address may be forged, what fits.
registrar::Answered RegisterStage::write_ok(const Job& job, const table::Record* record,
                                            const Round& round, std::size_t limit,
                                            registrar::AnswerContext context, sip::Writer& out) {
    const registrar::RegisterRequest& request = job.registration->request;
    const registrar::Whose& whose = job.registration->whose;
    const registrar::RegistrarPolicy& policy = round.settings().registrar;
    std::array<char, registrar::kMaxOkHeaders> lines;
    sip::Writer headers(lines.data(), lines.size());
    registrar::write_ok_headers(request, policy, headers);
    context.headers = headers.view();
    const GruuMaker gruus{round.around.keys, shared_.table.hash()};
    if (request.gruu) {
        context.gruus = {write_gruus, &gruus};
    }
    context.via.keep_s = policy.flow_timer_s;
    registrar::Answered answered = registrar::write_ok(job.message, record, context, out);
    if (answered == registrar::Answered::kWritten && out.size() > limit && !job.is_proven() &&
        whose.path.empty() && !has_answered(record, whose.flow)) {
        out.clear();
        context.limit = limit;
        answered = registrar::write_ok(job.message, record, context, out);
    }
    return answered;
}

// Whether a phone of the record has answered a ping by this flow: then nobody has forged it.
bool RegisterStage::has_answered(const table::Record* record, const net::Flow& flow) const {
    table::ContactState state;
    for (std::size_t i = 0; record != nullptr && i < record->contact_count(); ++i) {
        if (shared_.qualify.reach_any(record->fixed(i).id()) == table::Reach::kReachable &&
            record->read_state(i, state) && state.flow == flow) {
            return true;
        }
    }
    return false;
}

}  // namespace pinhole::edge
