// SPDX-License-Identifier: BSD-3-Clause
// What the owner of a shard does for others: it alone changes which contacts there are (RFC 3261
// §10.3, removals) and by which flow they are reached. The worker that owns the shard.
#pragma once

#include "dataplane/counters.h"
#include "dataplane/edge/command.h"
#include "dataplane/edge/round.h"
#include "dataplane/edge/shared.h"
#include "dataplane/registrar/register_request.h"

namespace pinhole::edge {

class Owner {
  public:
    Owner(const Shared& shared, CoreCounters& counters) : shared_(shared), counters_(counters) {}

    struct Applied {
        registrar::Verdict verdict = registrar::Verdict::kOk;
        bool arrives = false;  // the AOR had no contact at the request's flow before
    };
    // Carries out a REGISTER under its record's claim, whole or not at all.
    [[nodiscard]] Applied apply(const registrar::RegisterRequest& request, const Round& round);

    // Removes `command.id`, if it is still as the asker saw it; tells `command.done`.
    void remove(const Command& command, const Moment& now);

    // A phone has answered at the port that its Contact names and not at the one that it sends from
    // (nat/other_port.h): reaches it there from now on, if the Contact still names that address and
    // nobody else is reached there. A command that is lost costs nothing: the phone stays where it
    // was.
    void retarget(table::ContactId id);

  private:
    const Shared& shared_;
    CoreCounters& counters_;
};

}  // namespace pinhole::edge
