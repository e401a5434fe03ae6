// SPDX-License-Identifier: BSD-3-Clause
// Requests, in and out (RFC 3261 §16.3 to §16.6 as §16.11 leaves them to a stateless proxy). In:
// from a core peer to an AOR of ours or by a token. Out: from a registered flow or by a token, to a
// core peer. Anybody else is a stranger, and nothing is relayed for strangers. Pure; any thread.
#pragma once

#include "dataplane/route/context.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/writer.h"

namespace pinhole::route {

[[nodiscard]] Decision decide_request(const sip::Message& request, const Arrival& arrival,
                                      const Context& context, sip::Writer& out);

}  // namespace pinhole::route
