// SPDX-License-Identifier: BSD-3-Clause
// Whom a worker refuses that has more to do than it can: decided for a burst before it is parsed.
#include "dataplane/io/sip_stage.h"
#include "dataplane/sip/writer.h"

#include <array>

namespace pinhole::io {

// Before anything else is done for a packet: whose it is takes a look at its first bytes and at the
// flows that phones are registered by, in memory that is fetched for all of the burst together.
void SipStage::rank_burst() {
    overload_.begin_burst();
    for (unsigned i = 0; i < burst_count_; ++i) {
        burst_[i]->flow_hash = shared_.table.hash()(burst_[i]->flow);
        shared_.table.prefetch_flow(burst_[i]->flow_hash);
    }
    for (unsigned i = 0; i < burst_count_; ++i) {
        shared_.table.prefetch_flow_slot(burst_[i]->flow_hash);
    }
    for (unsigned i = 0; i < burst_count_; ++i) {
        shared_.table.prefetch_flow_record(burst_[i]->flow_hash);
    }
    for (unsigned i = 0; i < burst_count_; ++i) {
        rank(*burst_[i]);
    }
}

admit::Rank SipStage::rank_of(const Context& context, admit::Glance glance) const {
    if (peer_of(context).has_value() || shared_.table.has_flow(context.flow, context.flow_hash)) {
        return admit::Rank::kKnown;
    }
    if (glance != admit::Glance::kRegister) {
        return admit::Rank::kOther;
    }
    return checker_.has_value() && !admit::has_credentials(context.text) ? admit::Rank::kUnproven
                                                                         : admit::Rank::kNewcomer;
}

bool SipStage::calls_for_help(Context& context) const {
    return sip::parse(context.text, context.message) == sip::ParseError::kOk &&
           context.message.is_request && is_emergency(context.message);
}

void SipStage::rank(Context& context) {
    const admit::Glance glance = admit::glance(context.text);
    // A port of the core's answers nobody else, not even so.
    if (glance == admit::Glance::kNoRequest ||
        around_->ports[context.flow.port].role == edge::Role::kCore) {
        return;
    }
    const admit::Rank rank = rank_of(context, glance);
    if (!overload_.refuses(rank, context.flow_hash, now_.s) ||
        (glance == admit::Glance::kCallable && calls_for_help(context))) {
        return;
    }
    context.refusal = overload_.answers() ? Refusal::kAnswered : Refusal::kSilent;
    counters_.refused[static_cast<std::size_t>(rank) - 1].add();
}

void SipStage::refuse(Context& context) {
    if (context.refusal == Refusal::kSilent || context.error != sip::ParseError::kOk) {
        drop(context, DropReason::kOverload);
        return;
    }
    // By flow and Call-ID: many phones may share either.
    const std::uint64_t who = context.flow_hash ^ shared_.table.hash()(context.message.call_id());
    std::array<char, 32> line;
    sip::Writer header(line.data(), line.size());
    header.header("Retry-After", admit::retry_after_s(live().retry_after_s, who));
    answer_or_drop(context,
                   {.code = 503, .headers = header.view(), .required_bytes = header.size()},
                   DropReason::kOverload);
}

}  // namespace pinhole::io
