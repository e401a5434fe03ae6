// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/edge/rank_stage.h"

#include "dataplane/edge/capacity.h"
#include "dataplane/edge/small_answer.h"

#include <array>

namespace pinhole::edge {
namespace {

bool calls_for_help(Job& job, const Round& round) {
    return sip::parse(job.packet.text, job.message) == sip::ParseError::kOk &&
           job.message.is_request && round.is_emergency(job.message);
}

}  // namespace

// Ranking a packet takes a look at its first bytes and at the flows that phones are registered by,
// in memory that is fetched for all of the burst together.
void RankStage::rank_burst(std::span<Job* const> burst, const Round& round) {
    std::array<std::uint64_t, kMaxBurst> hashes;
    overload_.begin_burst();
    for (std::size_t i = 0; i < burst.size(); ++i) {
        hashes[i] = shared_.table.hash()(burst[i]->packet.flow);
        shared_.table.prefetch_flow(hashes[i]);
    }
    for (std::size_t i = 0; i < burst.size(); ++i) {
        shared_.table.prefetch_flow_slot(hashes[i]);
    }
    for (std::size_t i = 0; i < burst.size(); ++i) {
        shared_.table.prefetch_flow_record(hashes[i]);
    }
    for (std::size_t i = 0; i < burst.size(); ++i) {
        rank(*burst[i], hashes[i], round);
    }
}

admit::Rank RankStage::rank_of(const Job& job, std::uint64_t flow_hash, admit::Glance glance,
                               const Round& round) const {
    if (round.peer_at(job.packet.flow).has_value() ||
        shared_.table.has_flow(job.packet.flow, flow_hash)) {
        return admit::Rank::kKnown;
    }
    if (glance != admit::Glance::kRegister) {
        return admit::Rank::kOther;
    }
    const bool asks_for_passwords = shared_.authentication != nullptr;
    return asks_for_passwords && !admit::has_credentials(job.packet.text) ? admit::Rank::kUnproven
                                                                          : admit::Rank::kNewcomer;
}

void RankStage::rank(Job& job, std::uint64_t flow_hash, const Round& round) {
    const admit::Glance glance = admit::glance(job.packet.text);
    // A port of the core's answers nobody else, not even with a refusal.
    if (glance == admit::Glance::kNoRequest || round.is_core_port(job.packet.flow)) {
        return;
    }
    const admit::Rank rank = rank_of(job, flow_hash, glance, round);
    if (!overload_.refuses(rank, flow_hash, round.now.s) ||
        (glance == admit::Glance::kCallable && calls_for_help(job, round))) {
        return;
    }
    job.refusal = overload_.answers() ? Refusal::kAnswered : Refusal::kSilent;
    counters_.refused[static_cast<std::size_t>(rank) - 1].add();
}

Outcome RankStage::refuse(const Job& job, const Round& round, sip::Writer& out) const {
    if (job.refusal == Refusal::kSilent || job.error != sip::ParseError::kOk) {
        return Outcome::drop(DropReason::kOverload);
    }
    // By flow and Call-ID: many phones may share either.
    const table::KeyedHash& hash = shared_.table.hash();
    const std::uint64_t who = hash(job.packet.flow) ^ hash(job.message.call_id());
    std::array<char, 32> line;
    sip::Writer header(line.data(), line.size());
    header.header("Retry-After", admit::retry_after_s(round.settings().retry_after_s, who));
    return small_answer(job, round,
                        {.code = 503, .headers = header.view(), .required_bytes = header.size()},
                        DropReason::kOverload, counters_, out);
}

}  // namespace pinhole::edge
