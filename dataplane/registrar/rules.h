// SPDX-License-Identifier: BSD-3-Clause
// RFC 3261 §10.3 steps 6 and 7: what a REGISTER does to the contacts of its AOR, whole or not at
// all. A plan is made over what is there, under the record's claim, and carried out by the table;
// nothing has changed when it refuses. Pure.
#pragma once

#include "dataplane/registrar/match.h"
#include "dataplane/registrar/register_request.h"
#include "dataplane/table/edit.h"

namespace pinhole::registrar {

// Who of the contacts no longer answers its pings; `full_aor = "replace"` lets those go first.
struct Reachability {
    bool (*unreachable)(const void* context, table::ContactId id) = nullptr;
    const void* context = nullptr;
    [[nodiscard]] bool operator()(table::ContactId id) const {
        return unreachable != nullptr && unreachable(context, id);
    }
};

// The owner's: fills `edit`. Anything but kOk: refuse, and change nothing.
[[nodiscard]] Verdict plan(const table::Current& current, const RegisterRequest& request,
                           const RegistrarPolicy& policy, const Reachability& reachability,
                           table::Edit& edit);

enum class InPlace : std::uint8_t {
    kDone,        // refreshed, or a retransmission: answer
    kNeedsOwner,  // a contact comes, goes, moves or changes its text
    kOutOfOrder,  // refuse, nothing changed
};

// The record's contacts that a request has named, a bit each.
struct Named {
    std::uint32_t all = 0;
    std::uint32_t by_call =
        0;  // of them, newer under the Call-ID that they had: no stranger's doing
};

// Any worker's: `claimed` is held by table::refresh_any(). Nothing is updated unless everything can
// be done here. `named` is filled in for kDone.
[[nodiscard]] InPlace refresh(table::ClaimedRecord& claimed, const RegisterRequest& request,
                              Named& named);

// Without a claim: could refresh() do it, as far as texts that never change can tell?
[[nodiscard]] bool may_refresh(const table::Record& record, const RegisterRequest& request);

// The state that a stored contact has after the request.
[[nodiscard]] table::ContactState state_after(const RequestedContact& asked,
                                              const RegisterRequest& request);

}  // namespace pinhole::registrar
