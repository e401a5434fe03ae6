// SPDX-License-Identifier: BSD-3-Clause
// What the operator may change while packets flow, as workers need it: one immutable set, part of
// the surroundings. Whatever a worker judges within a round it judges by the same one.
#pragma once

#include "dataplane/admit/rate_limits.h"
#include "dataplane/registrar/policy.h"

#include <cstdint>

namespace pinhole::edge {

struct LiveSettings {
    std::uint32_t edition = 1;  // another for each set; never 0
    registrar::RegistrarPolicy registrar;
    admit::LimitPolicy limits{.enabled = false};
    std::uint32_t retry_after_s = 60;  // [overload], and up to twice that
    bool call_unreachable = false;     // [qualify] call_unreachable = "try"
    bool redirect = false;             // [core] mode = "redirect"
    bool assert_identity = false;      // [core] assert_identity
    bool draining = false;             // no new bindings: 503
};

}  // namespace pinhole::edge
