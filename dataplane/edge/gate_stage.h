// SPDX-License-Identifier: BSD-3-Clause
// The gate: what a packet is, and whether it comes in. Answers to pings are known by their MAC; all
// else is parsed, held against the operator's screening rules and against what its sender may ask
// for (admit/rate_limits.h). One worker.
#pragma once

#include "dataplane/admit/rate_limits.h"
#include "dataplane/admit/tarpit.h"
#include "dataplane/edge/job.h"
#include "dataplane/edge/outcome.h"
#include "dataplane/edge/rank_stage.h"
#include "dataplane/edge/round.h"
#include "dataplane/edge/shared.h"
#include "dataplane/screen/rule_set.h"
#include "dataplane/sip/writer.h"

namespace pinhole::edge {

class GateStage {
  public:
    // `rank` answers what it has refused; `limits` are also what guesses at passwords count
    // against.
    GateStage(const Shared& shared, const RankStage& rank, admit::Limits& limits, unsigned worker,
              CoreCounters& counters)
        : shared_(shared), rank_(rank), limits_(limits), worker_(worker), counters_(counters) {}

    // Takes up the rules in force, for the round.
    void begin() {
        // Pairs with the service side's release store.
        rules_ = shared_.screening == nullptr ? nullptr
                                              : shared_.screening->load(std::memory_order_acquire);
    }

    // Reads the packet and tells which stage decides about it (`task`), or turns it away.
    [[nodiscard]] Outcome admit(Job& job, const Round& round, sip::Writer& out);

  private:
    [[nodiscard]] bool is_pong(Job& job, const Round& round) const;
    void parse(Job& job);
    [[nodiscard]] bool is_screened(const Job& job) const;
    [[nodiscard]] screen::Verdict screen(const Job& job, const Round& round);
    [[nodiscard]] Outcome turn_away(const Job& job, const Round& round,
                                    const screen::Verdict& verdict, sip::Writer& out) const;
    [[nodiscard]] admit::Limited limit(const Job& job, const Round& round);

    const Shared& shared_;
    const RankStage& rank_;
    admit::Limits& limits_;
    const unsigned worker_;
    CoreCounters& counters_;
    const screen::RuleSet* rules_ = nullptr;  // of the round in hand; null: none
    admit::Tarpit tarpit_;
};

}  // namespace pinhole::edge
