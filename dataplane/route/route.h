// SPDX-License-Identifier: BSD-3-Clause
// Everything that is not a REGISTER for us: calls in and out, dialogs, responses, answers to pings,
// our own answers. One message in, one decision out; stateless but for the pins (RFC 3261 §16.11).
// Pure; any thread.
#pragma once

#include "dataplane/route/context.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/writer.h"

namespace pinhole::route {

// A REGISTER whose request URI names us (RFC 3261 §10.2: a domain, no user): the registrar's, not
// for decide().
[[nodiscard]] bool is_for_registrar(const sip::Message& message, const sip::Identity& identity);

// The message has parsed without error. `out` is empty and not over the message's own datagram.
[[nodiscard]] Decision decide(const sip::Message& message, const Arrival& arrival,
                              const Context& context, sip::Writer& out);

// What could not be parsed: 400 with the reason, 505, 513, or a drop.
[[nodiscard]] Decision decide_malformed(const sip::Message& message, sip::ParseError error,
                                        const Arrival& arrival, const Context& context,
                                        sip::Writer& out);

}  // namespace pinhole::route
