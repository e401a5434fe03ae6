// SPDX-License-Identifier: BSD-3-Clause
// What proves to a worker that a contact lives, so that the control thread need not ping it: only
// what bears a secret of the contact's and comes by its own flow. Bytes that anybody could have
// sent from a forged address put nothing off. A proof is a store and no event. One worker.
#pragma once

#include "dataplane/edge/job.h"
#include "dataplane/edge/shared.h"
#include "dataplane/moment.h"
#include "dataplane/registrar/rules.h"

namespace pinhole::edge {

class ProofsOfLife {
  public:
    explicit ProofsOfLife(const Shared& shared) : shared_(shared) {}

    // A REGISTER has refreshed these contacts of the record.
    void note_refresh(const Job& job, const table::Record& record, const registrar::Named& named,
                      const Moment& now);
    // A request in a dialog came by this flow.
    void note_dialog(const net::Flow& flow, const Moment& now);

  private:
    void note(table::ContactId id, table::Proof proof, const Moment& now);

    const Shared& shared_;
};

}  // namespace pinhole::edge
