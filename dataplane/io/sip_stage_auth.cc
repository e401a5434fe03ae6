// SPDX-License-Identifier: BSD-3-Clause
// Who sends a REGISTER, and who calls from a flow that is not registered: asked over the burst,
// before any binding is looked at. Nothing is kept of a request that has not shown a password.
#include "dataplane/auth/challenge.h"
#include "dataplane/io/sip_stage.h"
#include "dataplane/route/answer.h"
#include "dataplane/route/reply_target.h"
#include "dataplane/sip/name_addr.h"

#include <algorithm>

namespace pinhole::io {
namespace {

using auth::Attempt;

// Challenges of one millisecond differ: six bits of the worker, sixteen of a count.
std::uint64_t salt_of(unsigned worker, std::uint32_t count) {
    static_assert(kMaxWorkers <= 64);
    return std::uint64_t{worker} << 16 | (count & 0xffff);
}

}  // namespace

// RFC 3261 §10.3: only what is refused before step 3 is refused to whomever.
bool SipStage::must_prove(const Context& context) {
    return context.for_registrar && !context.request.aor.empty() &&
           context.verdict != registrar::Verdict::kBadExtension;
}

void SipStage::read_attempts(Proofs& proofs) {
    if (!checker_.has_value()) {
        return;
    }
    // Pairs with the service side's release store.
    subscribers_ = shared_.authentication->subscribers.load(std::memory_order_acquire);
    for (unsigned i = 0; i < burst_count_; ++i) {
        Context& context = *burst_[i];
        if (!must_prove(context)) {
            continue;
        }
        const std::size_t at = proofs.count;
        read_attempt(context, sip::HeaderId::kAuthorization, context.request.aor,
                     context.request.aor_hash, attempts_[at]);
        // Of two guesses at one user's password the second is to know of the first.
        const auto begin = attempts_.begin();
        if (attempts_[at].open &&
            std::any_of(begin, begin + proofs.count, [&](const Attempt& earlier) {
                return earlier.open && earlier.user == attempts_[at].user;
            })) [[unlikely]] {
            settle(proofs);
            attempts_.front() = attempts_[at];
        }
        limit_guesses(context, attempts_[proofs.count]);
        proofs.contexts[proofs.count++] = &context;
    }
    checker_->prefetch({attempts_.data(), proofs.count}, *subscribers_);
}

void SipStage::read_attempt(const Context& context, sip::HeaderId header, std::string_view aor,
                            std::uint64_t aor_hash, Attempt& out) {
    const auth::Question question{
        .message = &context.message, .header = header, .aor = aor, .aor_hash = aor_hash};
    checker_->read(question, *subscribers_, around_->identity, around_->keys, now_.s, out);
    if (out.open) {
        const table::KeyedHash& hash = shared_.table.hash();
        out.question.request = hash(context.text) ^ hash(context.flow);
    }
}

// Who has guessed wrong too often is not looked at, lest he go on.
void SipStage::limit_guesses(const Context& context, Attempt& attempt) const {
    if (attempt.open && !limits_.may_guess(context.flow, attempt.user.low, now_) &&
        !is_exempt(context, attempt)) [[unlikely]] {
        attempt.open = false;
        attempt.result = AuthResult::kGuessed;
    }
}

// A phone at the flow that its AOR is registered by is nobody who guesses, whatever its neighbours do.
// Nor is a proxy of ours, for all phones behind it come from its address: to count there who guesses
// is its own affair.
bool SipStage::is_exempt(const Context& context, const Attempt& attempt) const {
    if (live().registrar.is_path_peer(context.flow.theirs)) {
        return true;
    }
    const table::Record* record =
        attempt.owns ? shared_.table.find(attempt.question.aor_hash, attempt.question.aor)
                     : nullptr;
    const net::Flow flow = route::answer_flow(context.message, context.flow);
    table::ContactState state;
    for (std::size_t i = 0; record != nullptr && i < record->contact_count(); ++i) {
        if (record->read_state(i, state) && state.flow == flow && state.expires_at_s > now_.s) {
            return true;
        }
    }
    return false;
}

void SipStage::settle(Proofs& proofs) {
    if (proofs.count == 0) {
        return;
    }
    checker_->check({attempts_.data(), proofs.count}, *subscribers_, now_.s);
    for (std::size_t i = 0; i < proofs.count; ++i) {
        proofs.contexts[i]->proof = attempts_[i].result;
        proofs.contexts[i]->proven = attempts_[i].result == AuthResult::kGood;
        note_attempt(*proofs.contexts[i], attempts_[i]);
    }
    proofs.count = 0;
}

void SipStage::note_attempt(const Context& context, const Attempt& attempt) {
    counters_.auth[static_cast<std::size_t>(attempt.result)].add();
    if (auth::is_good(attempt.result) && attempt.uri_differs) {
        counters_.auth_uri_differs.add();
    }
    if ((attempt.result == AuthResult::kWrong || attempt.result == AuthResult::kUnknownUser) &&
        !is_exempt(context, attempt)) {
        limits_.guessed_wrong(context.flow, attempt.user.low, now_);
    }
}

// False: it is answered, or dropped.
bool SipStage::admits(Context& context, AuthResult proof, unsigned code, std::uint64_t aor_hash) {
    if (auth::is_good(proof)) [[likely]] {
        return true;
    }
    if (auth::is_challenged(proof)) {
        challenge(context, code, aor_hash, auth::is_stale(proof));
    } else if (proof == AuthResult::kForbidden) {
        answer_or_drop(context, {.code = 403}, DropReason::kMalformed);
    } else {
        drop(context,
             proof == AuthResult::kGuessed ? DropReason::kGuessing : DropReason::kContended);
    }
    return false;
}

// As many algorithms as fit into what may be answered to a stranger.
void SipStage::challenge(Context& context, unsigned code, std::uint64_t aor_hash, bool stale) {
    const auth::DigestPolicy& policy = shared_.authentication->policy;
    const sip::HeaderId header =
        code == 401 ? sip::HeaderId::kWwwAuthenticate : sip::HeaderId::kProxyAuthenticate;
    const auth::Stamp stamp = auth::Stamp::of(now_.s, static_cast<std::uint32_t>(now_.ms % 1000),
                                              salt_of(worker_, challenges_++));
    const auth::NonceText nonce = policy.nonces.make(around_->keys, aor_hash, stamp);
    std::array<char, auth::kMaxChallenges> room;
    for (std::size_t most = auth::kAlgorithms; most > 0; --most) {
        sip::Writer headers(room.data(), room.size());
        most = auth::write_challenges(header, policy, *subscribers_, nonce.view(), stale, most,
                                      headers);
        const route::Answer wanted{
            .code = code, .headers = headers.view(), .required_bytes = headers.size()};
        if (answer(context, wanted) != route::AnswerResult::kAmplifies) {
            return;
        }
    }
    drop(context, DropReason::kAmplification);
}

// A request out, refused for its flow: may it be asked for a password instead? From whoever says that
// he is one of ours, whether or not there is such a user.
bool SipStage::may_prove(const Context& context, std::array<char, sip::kMaxAor>& room,
                         std::string_view& aor) const {
    const sip::Method method = context.message.method;
    const sip::NameAddr* from = context.message.from_address();
    if (!checker_.has_value() || method == sip::Method::kAck || method == sip::Method::kCancel ||
        from == nullptr || !from->uri.is_sip() || !around_->identity.is_ours(from->uri)) {
        return false;
    }
    const auto canonical = sip::canonical_aor(from->uri, room.data());
    aor = canonical.value_or(std::string_view{});
    return canonical.has_value();
}

// False: it is answered, or dropped.
bool SipStage::prove_caller(Context& context, std::string_view aor, route::Proven& out) {
    Attempt& attempt = attempts_.front();
    const std::uint64_t aor_hash = shared_.table.hash()(aor);
    read_attempt(context, sip::HeaderId::kProxyAuthorization, aor, aor_hash, attempt);
    limit_guesses(context, attempt);
    checker_->check({&attempt, 1}, *subscribers_, now_.s);
    note_attempt(context, attempt);
    out = {aor, attempt.header_index};
    return admits(context, attempt.result, 407, aor_hash);
}

}  // namespace pinhole::io
