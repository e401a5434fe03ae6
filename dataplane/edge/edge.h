// SPDX-License-Identifier: BSD-3-Clause
// The edge: what becomes of a burst of SIP datagrams, stage by stage. Every stage handles the whole
// burst before the next begins, so that memory is fetched a stage ahead. A REGISTER that changes
// nothing but a contact's state is done in place; what changes structure goes to the shard's owner
// as a command, its packet waiting here for the answer. Pure: time, tables and the way out are
// handed in. One worker an edge; edges share what is in Shared.
//
// A template over its way out, so that no packet costs a virtual call. io instantiates it once
// (io/worker_edge.cc), and the tests once (tests/unit/edge/).
#pragma once

#include "dataplane/admit/allowance_copy.h"
#include "dataplane/edge/capacity.h"
#include "dataplane/edge/gate_stage.h"
#include "dataplane/edge/owner.h"
#include "dataplane/edge/pool.h"
#include "dataplane/edge/prove_stage.h"
#include "dataplane/edge/rank_stage.h"
#include "dataplane/edge/register_stage.h"
#include "dataplane/edge/route_stage.h"
#include "dataplane/edge/sink.h"
#include "dataplane/edge/waiting.h"

#include <array>
#include <span>

namespace pinhole::edge {

template <Sink S>
class Edge {
  public:
    // Owners that don't answer for so long are counted as late.
    static constexpr std::uint64_t kLateOwner_ms = 1'000;

    // `settings` are those of the beginning.
    Edge(const Shared& shared, const LiveSettings& settings, unsigned worker, S& sink,
         CoreCounters& counters);
    // Hands back the packets that still wait.
    ~Edge();
    Edge(const Edge&) = delete;
    Edge& operator=(const Edge&) = delete;

    // --- packets ---
    // Adds a packet to the burst, or drops it where too many wait. At most kMaxBurst between two
    // calls of run().
    void take(Handle handle, std::string_view text, const net::Flow& flow);
    // Works on the burst.
    void run(const Round& round);
    // After a look at the receive queues: `backlog`, one of them held a full burst.
    void note_queues(bool backlog, const Moment& now) { rank_.note_queues(backlog, now); }

    // --- other threads ---
    // A command for this worker, or the answer to one of its own.
    void serve(const Command& command, const Round& round);
    // A timer that was asked for is due.
    void expire(const Timer& timer, const Moment& now);

    // --- what is known of the phones behind addresses, from an earlier run and for a later one ---
    void remember(const admit::SourceName& address, float phones, const Moment& now) {
        limits_.remember(address, phones, now);
    }
    void copy_allowances(const Moment& now) { allowances_.step_worker(limits_.addresses(), now.s); }
    [[nodiscard]] admit::AllowanceCopy& allowances() { return allowances_; }

  private:
    [[nodiscard]] std::span<Job* const> burst() const { return {burst_.data(), burst_count_}; }
    void use(const Round& round);
    void admit_burst(const Round& round);
    void prepare(Job& job, const Round& round);
    void fetch_records() const;
    void fetch_states() const;
    [[nodiscard]] Outcome decide(Job& job, const Round& round);
    void take_pong(Job& job);
    void carry_out(Job& job, const Outcome& outcome);
    void hand_over(Job& job, const PongNotice& pong);
    void wait_for(Job& job, unsigned owner);
    void end(Job& job);

    const Shared& shared_;
    const unsigned worker_;
    S& sink_;
    CoreCounters& counters_;
    std::uint32_t edition_;  // of the settings that limits_ knows
    admit::Limits limits_;
    admit::AllowanceCopy allowances_;
    Pool<Job> jobs_{kMaxJobs};
    WaitingJobs waiting_;
    std::array<Job*, kMaxBurst> burst_{};
    std::size_t burst_count_ = 0;
    std::uint64_t now_ms_ = 0;  // of the round in hand
    bool timer_is_set_ = false;

    RankStage rank_;
    GateStage gate_;
    ProveStage prove_;
    Owner owner_;
    RegisterStage register_;
    RouteStage route_;

    std::array<char, kMaxMessageBytes> out_text_;
    sip::Writer out_{out_text_.data(), out_text_.size()};
};

template <Sink S>
Edge<S>::Edge(const Shared& shared, const LiveSettings& settings, unsigned worker, S& sink,
              CoreCounters& counters)
    : shared_(shared),
      worker_(worker),
      sink_(sink),
      counters_(counters),
      edition_(settings.edition),
      limits_(settings.limits, shared.limit_sources, shared.workers, shared.table.hash()),
      allowances_(limits_.addresses().count()),
      rank_(shared, counters),
      gate_(shared, rank_, limits_, worker, counters),
      prove_(shared, limits_, worker, counters),
      owner_(shared, counters),
      register_(shared, limits_, owner_, worker, counters),
      route_(shared, prove_, counters) {}

template <Sink S>
Edge<S>::~Edge() {
    for (Job* const job : burst()) {
        sink_.release(job->packet.handle);
    }
    for (std::uint32_t i = 0; i < kMaxJobs; ++i) {
        if (waiting_.waits(i)) {
            sink_.release(jobs_[i].packet.handle);
        }
    }
}

template <Sink S>
void Edge<S>::take(Handle handle, std::string_view text, const net::Flow& flow) {
    Job* const job = burst_count_ == kMaxBurst ? nullptr : jobs_.take();
    if (job == nullptr) [[unlikely]] {
        sink_.release(handle);
        counters_.drop(DropReason::kHandoffFull);
        return;
    }
    job->begin(handle, text, flow);
    burst_[burst_count_++] = job;
}

template <Sink S>
void Edge<S>::run(const Round& round) {
    use(round);
    rank_.run(burst(), round);
    admit_burst(round);
    prove_.read(burst(), round);
    fetch_records();
    prove_.settle(round);
    fetch_states();
    for (Job* const job : burst()) {
        if (job->task == Task::kPong) {
            take_pong(*job);
        } else {
            carry_out(*job, decide(*job, round));
        }
    }
    burst_count_ = 0;
}

// Whatever a round judges, it judges by the same settings.
template <Sink S>
void Edge<S>::use(const Round& round) {
    now_ms_ = round.now.ms;
    if (round.settings().edition != edition_) [[unlikely]] {
        edition_ = round.settings().edition;
        limits_.use(round.settings().limits);
    }
}

// What passes the gate stays in the burst.
template <Sink S>
void Edge<S>::admit_burst(const Round& round) {
    gate_.begin();
    route_.begin();
    std::size_t kept = 0;
    for (Job* const job : burst()) {
        const Outcome outcome = gate_.admit(*job, round, out_);
        if (outcome.goes_on()) {
            prepare(*job, round);
            burst_[kept++] = job;
        } else {
            carry_out(*job, outcome);
        }
    }
    burst_count_ = kept;
}

template <Sink S>
void Edge<S>::prepare(Job& job, const Round& round) {
    if (job.task == Task::kRegister) {
        register_.prepare(job, round);
    } else {
        route_.prepare(job);
    }
}

// For all of the burst in tight loops: each may be a walk of the page tables and a miss, and only
// what is close together in the program is under way at the same time. Between records and states
// digests are made: where a request comes alone, nothing else hides how long its record takes.
template <Sink S>
void Edge<S>::fetch_records() const {
    for (const Job* const job : burst()) {
        if (job->wanted.kind == Wanted::Kind::kAor) {
            shared_.table.prefetch_record(job->wanted.key);
        } else if (job->wanted.kind == Wanted::Kind::kContact) {
            shared_.table.prefetch_slot_record(static_cast<std::uint32_t>(job->wanted.key));
        }
    }
}

template <Sink S>
void Edge<S>::fetch_states() const {
    for (const Job* const job : burst()) {
        if (job->wanted.kind == Wanted::Kind::kAor) {
            shared_.qualify.prefetch_any(shared_.table.likely_slot(job->wanted.key));
        }
    }
}

template <Sink S>
Outcome Edge<S>::decide(Job& job, const Round& round) {
    out_.clear();
    if (job.task != Task::kRegister) {
        return route_.decide(job, round, out_);
    }
    if (job.proof.has_value()) {
        if (const Outcome proof = prove_.admit(job, round, out_); !proof.goes_on()) {
            return proof;
        }
    }
    return register_.decide(job, round, waiting_.has_room(), out_);
}

// Not by way of decide(): what an Outcome costs is much beside what a pong does.
template <Sink S>
void Edge<S>::take_pong(Job& job) {
    PongNotice pong;
    if (const auto refused = route_.take_pong(job, pong)) [[unlikely]] {
        carry_out(job, Outcome::drop(*refused));
    } else {
        hand_over(job, pong);
    }
}

template <Sink S>
void Edge<S>::carry_out(Job& job, const Outcome& outcome) {
    switch (outcome.kind) {
        case Outcome::Kind::kSend:
            sink_.datagram(outcome.flow, out_.view(), job.packet.handle);
            job.packet.handle = {};
            break;
        case Outcome::Kind::kAskOwner:
            wait_for(job, outcome.owner);
            return;
        case Outcome::Kind::kPong:
            hand_over(job, job.pong_notice);
            return;
        case Outcome::Kind::kPeerPong:
            if (!sink_.peer_pong(job.peer_notice)) [[unlikely]] {
                counters_.drop(DropReason::kHandoffFull);  // the next check asks again
            }
            break;
        case Outcome::Kind::kDrop:
        case Outcome::Kind::kGoesOn:  // not after the last stage
            counters_.drop(outcome.reason);
            break;
    }
    end(job);
}

template <Sink S>
void Edge<S>::hand_over(Job& job, const PongNotice& pong) {
    if (!sink_.pong(pong)) [[unlikely]] {
        counters_.drop(DropReason::kHandoffFull);  // the next ping asks again
    }
    end(job);
}

template <Sink S>
void Edge<S>::wait_for(Job& job, unsigned owner) {
    waiting_.begin(jobs_.index_of(job), now_ms_);
    sink_.keep(job.packet.handle);
    Command command;
    command.kind = CommandKind::kRegister;
    command.from = static_cast<std::uint16_t>(worker_);
    command.job = jobs_.index_of(job);
    command.request = &job.registration->request;
    sink_.command(owner, command);
    counters_.handoffs.add();
    if (!timer_is_set_) {
        timer_is_set_ = true;
        sink_.set_timer({TimerKind::kOwners, now_ms_ + kLateOwner_ms});
    }
}

template <Sink S>
void Edge<S>::end(Job& job) {
    if (job.packet.handle.is_set()) {
        sink_.release(job.packet.handle);
        job.packet.handle = {};
    }
    register_.release(job);
    jobs_.give_back(job);
}

template <Sink S>
void Edge<S>::serve(const Command& command, const Round& round) {
    use(round);
    switch (command.kind) {
        case CommandKind::kRegister: {
            const Owner::Applied applied = owner_.apply(*command.request, round);
            Command answer = command;
            answer.kind = CommandKind::kRegistered;
            answer.verdict = applied.verdict;
            answer.arrives = applied.arrives;
            sink_.command(command.from, answer);
            counters_.handoffs_served.add();
            break;
        }
        case CommandKind::kRegistered: {
            Job& job = jobs_[command.job];
            waiting_.end(command.job);
            out_.clear();
            carry_out(job, register_.finish(job, {command.verdict, command.arrives}, round, out_));
            break;
        }
        case CommandKind::kRetarget:
            owner_.retarget(command.id);
            break;
        case CommandKind::kExpire:
        case CommandKind::kRemoveUnreachable:
        case CommandKind::kRemove:
            owner_.remove(command, round.now);
            break;
    }
}

// Owners answer within a round of theirs. One that doesn't is stuck, and what waits for it never
// ends: only the clock can tell.
template <Sink S>
void Edge<S>::expire(const Timer& /*timer*/, const Moment& now) {
    counters_.handoffs_late.add(waiting_.take_late(now.ms, kLateOwner_ms));
    timer_is_set_ = waiting_.count() != 0;
    if (timer_is_set_) {
        sink_.set_timer({TimerKind::kOwners, now.ms + kLateOwner_ms});
    }
}

}  // namespace pinhole::edge
