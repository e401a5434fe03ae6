// SPDX-License-Identifier: BSD-3-Clause
// Port reuse: an AOR has come to a flow, and the phone that was reached there before may have lost
// it (nat/takeover.h). Looked at by the worker that received the REGISTER, after its owner has
// carried it out; never for a refresh. Making a contact suspect changes its state and no structure,
// so this worker does it itself, under the record's claim, whoever owns it: there is no command
// that could be lost or fill a ring. At most nat::kMaxHolders contacts are read. One worker.
#pragma once

#include "dataplane/counters.h"
#include "dataplane/edge/job.h"
#include "dataplane/edge/shared.h"
#include "dataplane/moment.h"

namespace pinhole::edge {

class Displacement {
  public:
    Displacement(const Shared& shared, unsigned worker, CoreCounters& counters)
        : shared_(shared), worker_(worker), counters_(counters) {}

    // The job's AOR has just come to the flow that it registers by.
    void look(const Job& job, const Moment& now);

  private:
    void suspect(const table::ContactView& seen);

    const Shared& shared_;
    const unsigned worker_;
    CoreCounters& counters_;
};

}  // namespace pinhole::edge
