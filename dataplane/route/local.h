// SPDX-License-Identifier: BSD-3-Clause
// What the edge answers itself (RFC 3261 §8.2): OPTIONS, keep-alives, methods and extensions that
// it does not do, and every refusal. Pure; any thread.
#pragma once

#include "dataplane/route/answer.h"
#include "dataplane/route/context.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/writer.h"

namespace pinhole::route {

// The answer as a decision. An ACK is dropped instead: it is never answered.
[[nodiscard]] Decision reply(const sip::Message& request, const Arrival& arrival,
                             const Context& context, const Answer& answer, sip::Writer& out);

// A request to the edge itself: its URI names us and no user.
[[nodiscard]] Decision answer_local(const sip::Message& request, const Arrival& arrival,
                                    const Context& context, sip::Writer& out);

// NOTIFY with Event: keep-alive: noise that some phones keep their pinholes open with.
[[nodiscard]] bool is_keepalive(const sip::Message& request);

// 420, with all that `demands` (Require, Proxy-Require) names in Unsupported: we do none of it.
[[nodiscard]] Decision refuse_extensions(const sip::Message& request, sip::HeaderId demands,
                                         const Arrival& arrival, const Context& context,
                                         sip::Writer& out);

}  // namespace pinhole::route
