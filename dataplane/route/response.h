// SPDX-License-Identifier: BSD-3-Clause
// Responses (RFC 3261 §16.7 as §16.11 leaves it): answers to our pings and checks, and answers to
// what we forwarded, which go back by the flow that our own branch carries, and nowhere else. Pure;
// any thread.
#pragma once

#include "dataplane/route/context.h"
#include "dataplane/route/ping.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/writer.h"

namespace pinhole::route {

// The answer to a ping, held against its contact.
[[nodiscard]] Decision decide_pong(const Pong& pong, const net::Flow& flow,
                                   const table::BindingTable& table);

[[nodiscard]] Decision decide_response(const sip::Message& response, const Arrival& arrival,
                                       const Context& context, sip::Writer& out);

}  // namespace pinhole::route
