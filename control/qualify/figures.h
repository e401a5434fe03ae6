// SPDX-License-Identifier: BSD-3-Clause
// What the keeper counts: written by the control thread alone, read by whoever scrapes. Pure.
#pragma once

#include "control/qualify/gateways.h"
#include "control/qualify/histogram.h"
#include "dataplane/counters.h"
#include "dataplane/table/qualify_state.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace pinhole::qualify {

struct Figures {
    Counter sent;              // pings handed to a worker
    Counter answered;          // of them, those with a final response by the contact's flow
    Counter spared;            // put off because the contact had proved life by itself
    Counter repeated;          // of `sent`, those whose ping had got no answer soon
    Counter missed;            // of them, those without one within the timeout
    Counter expired;           // contacts gone after their expiry
    Counter removed;           // contacts gone because they were unreachable for too long
    Counter late;              // pings sent more than kLateMs after they were due
    Counter deferred;          // pings that had to wait, for the pace or for the worker's queue
    Counter queue_full;        // times that the worker's queue took no more
    Counter address_deferred;  // likewise, for the pace that one address is pinged at
    Counter rebinds;           // contacts that came back by another flow
    Counter trials_survived;   // canaries that waited and were answered
    Counter trials_lost;       // canaries whose mapping died of it
    Counter fallbacks;         // lessons that were given up because an ordinary phone's died
    Counter overdue;           // gauge: contacts whose ping waits at present
    Counter stale_pongs;       // for a contact that is gone or suspect, or by a ping of long ago
    Counter wrong_flow_pongs;  // of the answered, those from elsewhere than the contact's flow
    Counter repeated_pongs;    // an answer that had been counted already
    Counter probes;            // pings to a Contact's port, where nothing answered at the flow
    Counter suspects;          // gauge: contacts whose flow may be another phone's by now
    Histogram rtt;             // of `answered`
    Histogram lag;             // of `sent` but `repeated`: due until handed over
    std::array<Counter, static_cast<std::size_t>(table::Reach::kCount)> by_state;  // gauges

    // Gauges: contacts whose SIP is rewritten on the way, as in Gateway.
    std::array<Counter, Gateway::kAlgs> rewritten;

    static constexpr std::uint32_t kLateMs = 100;
};

}  // namespace pinhole::qualify
