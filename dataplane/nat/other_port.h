// SPDX-License-Identifier: BSD-3-Clause
// Phones that send from one port and listen at another: nothing answers at the flow, and the
// Contact names the very address that the packets come from, with another port. That port is asked
// once, and if the phone answers there, it is reached there from then on (table::kAtContact).
// Nothing is ever sent to another address that a Contact names. Pure; any thread.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/table/contact.h"

#include <optional>

namespace pinhole::nat {

// Where else the contact may be reached: its flow with the port of its Contact. None: the Contact
// names another address, or a name, or the flow's own port, or a Path leads there.
[[nodiscard]] std::optional<net::Flow> other_port(const table::ContactView& contact);

}  // namespace pinhole::nat
