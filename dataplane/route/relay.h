// SPDX-License-Identifier: BSD-3-Clause
// What the two directions of a request have in common: a request as it has been looked into, and
// the last step, the checks of RFC 3261 §16.3 and the writing. Internal to this folder. Pure; any
// thread.
#pragma once

#include "dataplane/route/context.h"
#include "dataplane/route/forward.h"
#include "dataplane/route/route_set.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/uri.h"
#include "dataplane/sip/writer.h"

#include <optional>

namespace pinhole::route {

struct Request {
    const sip::Message& message;
    const Arrival& arrival;
    const Context& context;
    TopVia top;
    bool uri_is_ours = false;
    RouteSet routes;

    // All of these could be read.
    [[nodiscard]] const sip::Uri& uri() const { return *message.uri(); }
    [[nodiscard]] const sip::NameAddr& from() const { return *message.from_address(); }
    [[nodiscard]] const sip::NameAddr& to() const { return *message.to_address(); }

    // It asks for the edge itself, by no dialog.
    [[nodiscard]] bool is_for_edge() const {
        return routes.state == TokenState::kNone && uri_is_ours && uri().user.empty();
    }
};

// Max-Forwards and Proxy-Require checked, forwarded to plan.to. The plan's routes are filled in
// here.
[[nodiscard]] Decision relay(const Request& request, ForwardPlan plan, sip::Writer& out);

// A refusal, or the drop that an ACK gets instead.
[[nodiscard]] Decision refuse(const Request& request, unsigned code, sip::Writer& out);

// The same for what leads to no contact: a CANCEL gets 481 whatever `code` says.
[[nodiscard]] Decision nowhere(const Request& request, unsigned code, sip::Writer& out);

// To a core peer that asks for an AOR of ours: 302 with an edge URI for each contact that may be
// called, or the refusal that a proxy would give.
[[nodiscard]] Decision redirect(const Request& request, sip::Writer& out);
// The contact that the request URI, an edge URI of ours, was made for. None: it is no such URI, or
// not one for this Call-ID.
[[nodiscard]] std::optional<table::ContactId> edge_uri_target(const Request& request);

// From a core peer.
[[nodiscard]] Decision decide_inward(const Request& request, sip::Writer& out);
// From anybody else.
[[nodiscard]] Decision decide_outward(const Request& request, sip::Writer& out);

}  // namespace pinhole::route
