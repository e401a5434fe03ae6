// SPDX-License-Identifier: BSD-3-Clause
// Contacts that name this edge, the loopback or a multicast group: no phone has such an address.
// They are served like any other, since nothing is ever sent to a Contact's host, and counted.
// Pure; any thread.
#pragma once

#include "dataplane/counters.h"
#include "dataplane/sip/identity.h"

#include <optional>
#include <string_view>

namespace pinhole::registrar {

// `uri` as it was registered. None: it names a phone, for all that can be told.
[[nodiscard]] std::optional<OddContact> odd_contact(std::string_view uri,
                                                    const sip::Identity& identity);

}  // namespace pinhole::registrar
