// SPDX-License-Identifier: BSD-3-Clause
// What all edges of a process share and none of them owns. References; set at start.
#pragma once

#include "dataplane/auth/nonce_windows.h"
#include "dataplane/auth/policy.h"
#include "dataplane/auth/subscribers.h"
#include "dataplane/route/peer_health.h"
#include "dataplane/route/pin_table.h"
#include "dataplane/screen/rule_set.h"
#include "dataplane/table/binding_table.h"
#include "dataplane/table/qualify_state.h"

#include <cstddef>

namespace pinhole::edge {

// Of [auth] mode = "digest".
struct Authentication {
    const auth::DigestPolicy& policy;
    auth::NonceWindows& windows;
    const auth::SubscribersPointer& subscribers;  // never null
};

struct Shared {
    table::BindingTable& table;
    table::QualifyTable& qualify;  // read, but for proofs of life
    const route::PeerHealth& peer_health;
    route::PinTable& pins;
    unsigned workers = 1;
    std::size_t limit_sources = 1024;
    const screen::RuleSetPointer* screening = nullptr;  // null: nothing is screened
    bool refuse_when_overloaded = false;                // [overload] enabled
    const Authentication* authentication = nullptr;     // null: nobody is asked for a password
};

}  // namespace pinhole::edge
