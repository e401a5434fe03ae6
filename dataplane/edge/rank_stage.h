// SPDX-License-Identifier: BSD-3-Clause
// Which packets an overloaded worker refuses (admit/overload.h): decided for a whole burst before
// any of it is parsed. One worker.
#pragma once

#include "dataplane/admit/overload.h"
#include "dataplane/edge/job.h"
#include "dataplane/edge/outcome.h"
#include "dataplane/edge/round.h"
#include "dataplane/edge/shared.h"
#include "dataplane/sip/writer.h"

#include <span>

namespace pinhole::edge {

class RankStage {
  public:
    RankStage(const Shared& shared, CoreCounters& counters)
        : shared_(shared), counters_(counters), overload_(shared.refuse_when_overloaded) {}

    // After a look at the receive queues: `backlog`, one of them held a full burst.
    void note_queues(bool backlog, const Moment& now) { overload_.note_queues(backlog, now.us); }

    // Sets `refusal` of those that are refused.
    void run(std::span<Job* const> burst, const Round& round) {
        if (overload_.presses()) [[unlikely]] {
            rank_burst(burst, round);
        }
    }

    // For a refused packet that the gate has parsed: a 503, or a drop.
    [[nodiscard]] Outcome refuse(const Job& job, const Round& round, sip::Writer& out) const;

  private:
    void rank_burst(std::span<Job* const> burst, const Round& round);
    void rank(Job& job, std::uint64_t flow_hash, const Round& round);
    [[nodiscard]] admit::Rank rank_of(const Job& job, std::uint64_t flow_hash, admit::Glance glance,
                                      const Round& round) const;

    const Shared& shared_;
    CoreCounters& counters_;
    admit::Overload overload_;
};

}  // namespace pinhole::edge
