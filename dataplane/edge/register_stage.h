// SPDX-License-Identifier: BSD-3-Clause
// A REGISTER's steps: read, refreshed in place or given to the owner of its AOR, answered. One
// worker.
#pragma once

#include "dataplane/admit/rate_limits.h"
#include "dataplane/edge/capacity.h"
#include "dataplane/edge/displacement.h"
#include "dataplane/edge/job.h"
#include "dataplane/edge/life.h"
#include "dataplane/edge/outcome.h"
#include "dataplane/edge/owner.h"
#include "dataplane/edge/pool.h"
#include "dataplane/edge/round.h"
#include "dataplane/edge/shared.h"
#include "dataplane/registrar/answer.h"
#include "dataplane/sip/writer.h"

#include <optional>

namespace pinhole::edge {

class RegisterStage {
  public:
    // `limits` are told which phones come and leave. `owner` is this worker's own.
    RegisterStage(const Shared& shared, admit::Limits& limits, Owner& owner, unsigned worker,
                  CoreCounters& counters);

    // Reads whose bindings the REGISTER is about, and fetches where they would be.
    void prepare(Job& job, const Round& round);
    // Carries out what this worker may, or asks the owner. `may_wait`: there is room for a job that
    // waits.
    [[nodiscard]] Outcome decide(Job& job, const Round& round, bool may_wait, sip::Writer& out);
    // The owner has answered.
    [[nodiscard]] Outcome finish(Job& job, const Owner::Applied& applied, const Round& round,
                                 sip::Writer& out);
    // The job is over.
    void release(Job& job) {
        if (job.registration != nullptr) {
            registrations_.give_back(*job.registration);
            job.registration = nullptr;
        }
    }

  private:
    [[nodiscard]] const table::Record* find(const registrar::Whose& whose) const;
    [[nodiscard]] registrar::ReadContext reading(const Round& round) const;
    void read_contacts(Job& job, const table::Record* record, const Round& round);
    [[nodiscard]] std::optional<Outcome> refresh_in_place(Job& job, const table::Record& record,
                                                          const Round& round, sip::Writer& out);
    void note_change(const Job& job, bool arrives, const Round& round);
    [[nodiscard]] Outcome answer(const Job& job, const table::Record* record, const Round& round,
                                 sip::Writer& out);
    [[nodiscard]] registrar::Answered write_ok(const Job& job, const table::Record* record,
                                               const Round& round, std::size_t limit,
                                               registrar::AnswerContext context, sip::Writer& out);
    [[nodiscard]] bool has_answered(const table::Record* record, const net::Flow& flow) const;

    const Shared& shared_;
    admit::Limits& limits_;
    Owner& owner_;
    const unsigned worker_;
    CoreCounters& counters_;
    ProofsOfLife life_;
    Displacement displacement_;
    Pool<Registration> registrations_{kMaxJobs};
};

}  // namespace pinhole::edge
