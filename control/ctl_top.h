// SPDX-License-Identifier: BSD-3-Clause
// The loop of `pinholectl top`: reads the sums, waits, reads them again, and shows what happened in
// between, until it is interrupted. Owns the clock and the terminal; the figures are api/top's.
#pragma once

#include "control/api/client.h"

namespace pinhole::ctl {

struct TopOptions {
    double interval_s = 2;
    bool once = false;
    bool json = false;
};

// The exit status: 0 when interrupted or after --once, 1 if the daemon gives no answer.
[[nodiscard]] int run_top(const api::Client& client, const TopOptions& options);

}  // namespace pinhole::ctl
