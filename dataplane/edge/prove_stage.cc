// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/edge/prove_stage.h"

#include "dataplane/auth/challenge.h"
#include "dataplane/edge/small_answer.h"
#include "dataplane/route/reply_target.h"
#include "dataplane/sip/name_addr.h"

#include <algorithm>

namespace pinhole::edge {
namespace {

using auth::Attempt;

// Challenges of one millisecond differ: six bits of the worker, sixteen of a count.
std::uint64_t salt_of(unsigned worker, std::uint32_t count) {
    static_assert(kMaxWorkers <= 64);
    return std::uint64_t{worker} << 16 | (count & 0xffff);
}

// RFC 3261 §10.3: only what is refused before step 3 is refused without a proof.
bool must_prove(const Job& job) {
    return job.task == Task::kRegister && !job.registration->whose.aor.empty() &&
           job.verdict != registrar::Verdict::kBadExtension;
}

}  // namespace

ProveStage::ProveStage(const Shared& shared, admit::Limits& limits, unsigned worker,
                       CoreCounters& counters)
    : shared_(shared), limits_(limits), worker_(worker), counters_(counters) {
    if (shared.authentication != nullptr) {
        checker_.emplace(shared.authentication->policy, shared.authentication->windows);
    }
}

void ProveStage::read(std::span<Job* const> burst, const Round& round) {
    if (!checker_.has_value()) {
        return;
    }
    // Pairs with the service side's release store.
    subscribers_ = shared_.authentication->subscribers.load(std::memory_order_acquire);
    for (Job* const job : burst) {
        if (!must_prove(*job)) {
            continue;
        }
        const registrar::Whose& whose = job->registration->whose;
        read_one(*job, round, sip::HeaderId::kAuthorization, whose.aor, whose.aor_hash,
                 attempts_[count_]);
        // Of two guesses at one user's password the second is to know of the first.
        const auto begin = attempts_.begin();
        if (attempts_[count_].open &&
            std::any_of(begin, begin + count_, [&](const Attempt& earlier) {
                return earlier.open && earlier.user == attempts_[count_].user;
            })) [[unlikely]] {
            const Attempt repeated = attempts_[count_];
            settle(round);
            attempts_.front() = repeated;
        }
        limit_guesses(*job, round, attempts_[count_]);
        jobs_[count_++] = job;
    }
    checker_->prefetch({attempts_.data(), count_}, *subscribers_);
}

void ProveStage::settle(const Round& round) {
    if (count_ == 0) {
        return;
    }
    checker_->check({attempts_.data(), count_}, *subscribers_, round.now.s);
    for (std::size_t i = 0; i < count_; ++i) {
        jobs_[i]->proof = attempts_[i].result;
        note(*jobs_[i], round, attempts_[i]);
    }
    count_ = 0;
}

Outcome ProveStage::admit(const Job& job, const Round& round, sip::Writer& out) {
    return judge(job, round, *job.proof, 401, job.registration->whose.aor_hash, out);
}

std::optional<std::string_view> ProveStage::claimed_aor(
    const Job& job, const Round& round, std::array<char, sip::kMaxAor>& room) const {
    const sip::Method method = job.message.method;
    const sip::NameAddr* from = job.message.from_address();
    if (!checker_.has_value() || method == sip::Method::kAck || method == sip::Method::kCancel ||
        from == nullptr || !from->uri.is_sip() || !round.around.identity.is_ours(from->uri)) {
        return std::nullopt;
    }
    return sip::canonical_aor(from->uri, room.data());
}

Outcome ProveStage::prove_caller(const Job& job, const Round& round, std::string_view aor,
                                 route::Proven& out_proven, sip::Writer& out) {
    Attempt& attempt = attempts_.front();
    const std::uint64_t aor_hash = shared_.table.hash()(aor);
    read_one(job, round, sip::HeaderId::kProxyAuthorization, aor, aor_hash, attempt);
    limit_guesses(job, round, attempt);
    checker_->check({&attempt, 1}, *subscribers_, round.now.s);
    note(job, round, attempt);
    out_proven = {aor, attempt.header_index};
    return judge(job, round, attempt.result, 407, aor_hash, out);
}

void ProveStage::read_one(const Job& job, const Round& round, sip::HeaderId header,
                          std::string_view aor, std::uint64_t aor_hash, Attempt& out) {
    const auth::Question question{
        .message = &job.message, .header = header, .aor = aor, .aor_hash = aor_hash};
    checker_->read(question, *subscribers_, round.around.identity, round.around.keys, round.now.s,
                   out);
    if (out.open) {
        const table::KeyedHash& hash = shared_.table.hash();
        out.question.request = hash(job.packet.text) ^ hash(job.packet.flow);
    }
}

// Credentials of a source that has guessed wrong too often are not looked at, lest it go on
// guessing.
void ProveStage::limit_guesses(const Job& job, const Round& round, Attempt& attempt) const {
    if (attempt.open && !limits_.may_guess(job.packet.flow, attempt.user.low, round.now) &&
        !is_exempt(job, round, attempt)) [[unlikely]] {
        attempt.open = false;
        attempt.result = AuthResult::kGuessed;
    }
}

// A phone at the flow that its AOR is registered by doesn't guess, whatever its neighbours do. A
// proxy of ours is exempt too, for all phones behind it come from its address: counting their
// guesses is the proxy's own affair.
bool ProveStage::is_exempt(const Job& job, const Round& round, const Attempt& attempt) const {
    if (round.settings().registrar.is_path_peer(job.packet.flow.theirs)) {
        return true;
    }
    const table::Record* record =
        attempt.owns ? shared_.table.find(attempt.question.aor_hash, attempt.question.aor)
                     : nullptr;
    const net::Flow flow = route::answer_flow(job.message, job.packet.flow);
    table::ContactState state;
    for (std::size_t i = 0; record != nullptr && i < record->contact_count(); ++i) {
        if (record->read_state(i, state) && state.flow == flow &&
            state.expires_at_s > round.now.s) {
            return true;
        }
    }
    return false;
}

void ProveStage::note(const Job& job, const Round& round, const Attempt& attempt) {
    counters_.auth[static_cast<std::size_t>(attempt.result)].add();
    if (auth::is_good(attempt.result) && attempt.uri_differs) {
        counters_.auth_uri_differs.add();
    }
    if ((attempt.result == AuthResult::kWrong || attempt.result == AuthResult::kUnknownUser) &&
        !is_exempt(job, round, attempt)) {
        limits_.guessed_wrong(job.packet.flow, attempt.user.low, round.now);
    }
}

Outcome ProveStage::judge(const Job& job, const Round& round, AuthResult proof,
                          unsigned challenge_code, std::uint64_t aor_hash, sip::Writer& out) {
    if (auth::is_good(proof)) [[likely]] {
        return {};
    }
    if (auth::is_challenged(proof)) {
        return challenge(job, round, challenge_code, aor_hash, auth::is_stale(proof), out);
    }
    if (proof == AuthResult::kForbidden) {
        return small_answer(job, round, {.code = 403}, DropReason::kMalformed, counters_, out);
    }
    return Outcome::drop(proof == AuthResult::kGuessed ? DropReason::kGuessing
                                                       : DropReason::kContended);
}

// As many algorithms as fit into what may be answered to a stranger.
Outcome ProveStage::challenge(const Job& job, const Round& round, unsigned code,
                              std::uint64_t aor_hash, bool stale, sip::Writer& out) {
    const auth::DigestPolicy& policy = shared_.authentication->policy;
    const sip::HeaderId header =
        code == 401 ? sip::HeaderId::kWwwAuthenticate : sip::HeaderId::kProxyAuthenticate;
    const auth::Stamp stamp =
        auth::Stamp::of(round.now.s, static_cast<std::uint32_t>(round.now.ms % 1000),
                        salt_of(worker_, challenges_++));
    const auth::NonceText nonce = policy.nonces.make(round.around.keys, aor_hash, stamp);
    std::array<char, auth::kMaxChallenges> room;
    for (std::size_t most = auth::kAlgorithms; most > 0; --most) {
        sip::Writer headers(room.data(), room.size());
        most = auth::write_challenges(header, policy, *subscribers_, nonce.view(), stale, most,
                                      headers);
        const route::Answer wanted{
            .code = code, .headers = headers.view(), .required_bytes = headers.size()};
        if (const auto answered = try_small_answer(job, round, wanted, counters_, out)) {
            return *answered;
        }
    }
    return Outcome::drop(DropReason::kAmplification);
}

}  // namespace pinhole::edge
