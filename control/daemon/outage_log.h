// SPDX-License-Identifier: BSD-3-Clause
// Tells the operator of access outages: one line when the phones of a gateway or prefix fall silent
// together, one when the first of them lives again. The service thread alone.
#pragma once

#include "control/qualify/gateways.h"

namespace pinhole::daemon {

// All that the control thread has put there since the last call.
void log_outages(qualify::Gateways& gateways);

}  // namespace pinhole::daemon
