// SPDX-License-Identifier: BSD-3-Clause
// All that is no REGISTER for the registrar: sent on, answered, or taken as the answer to a ping.
// One worker.
#pragma once

#include "dataplane/edge/capacity.h"
#include "dataplane/edge/job.h"
#include "dataplane/edge/life.h"
#include "dataplane/edge/outcome.h"
#include "dataplane/edge/prove_stage.h"
#include "dataplane/edge/round.h"
#include "dataplane/edge/shared.h"
#include "dataplane/sip/writer.h"

#include <array>
#include <cstddef>
#include <optional>

namespace pinhole::edge {

class RouteStage {
  public:
    // `prove` asks callers for passwords.
    RouteStage(const Shared& shared, ProveStage& prove, CoreCounters& counters)
        : shared_(shared), prove_(prove), counters_(counters), life_(shared) {}

    // Before the jobs of a burst are prepared.
    void begin() { aors_ = 0; }
    // Finds out what the decision will look up, and fetches it.
    void prepare(Job& job);
    [[nodiscard]] Outcome decide(Job& job, const Round& round, sip::Writer& out);
    // The answer to a ping, known by its MAC. None: the control thread is to hear `out`. Else it
    // says nothing of a contact, and why.
    [[nodiscard]] std::optional<DropReason> take_pong(const Job& job, PongNotice& out);

  private:
    void prepare_call(Job& job);
    void want_contact(Job& job, std::uint32_t slot) const;
    [[nodiscard]] route::Context facts_of(const Job& job, const Round& round) const;
    [[nodiscard]] std::optional<Outcome> answer_stun(const Job& job, sip::Writer& out) const;
    [[nodiscard]] Outcome outcome_of(const route::Decision& decision, Job& job);
    [[nodiscard]] PongNotice notice_of(const route::Decision& decision);
    void count(const route::Decision& decision);

    const Shared& shared_;
    ProveStage& prove_;
    CoreCounters& counters_;
    ProofsOfLife life_;

    // The AORs that core peers call, of the burst in hand: what Job::called points into.
    std::array<std::array<char, sip::kMaxAor>, kMaxBurst> aor_texts_;
    std::size_t aors_ = 0;
};

}  // namespace pinhole::edge
