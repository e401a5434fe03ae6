// SPDX-License-Identifier: BSD-3-Clause
// Where an answer goes: to where the packet came from, `rport` asked for or not (RFC 3581). One
// exception: no rport, and a top Via that names the very address the packet came from with another
// port. Then no NAT stands between, and the client listens there (RFC 3261 §18.2.2). The flow that
// comes out is also what a registrar stores as the binding's. Pure; any thread.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/reply.h"
#include "dataplane/sip/via.h"

namespace pinhole::route {

[[nodiscard]] net::Flow answer_flow(const sip::Via& top, const net::Flow& arrival);
// The same for the message's top Via; without a readable one, the arrival itself.
[[nodiscard]] net::Flow answer_flow(const sip::Message& request, const net::Flow& arrival);
// What the top Via of that answer has to tell.
[[nodiscard]] sip::ReplyVia reply_via(const net::Flow& answer, const net::Flow& arrival);

}  // namespace pinhole::route
