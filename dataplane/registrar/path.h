// SPDX-License-Identifier: BSD-3-Clause
// Path (RFC 3327): the proxies that a REGISTER came through, and that want to be on the way back.
// Believed from the peers that the operator names and from nobody else: it says where calls go.
// Pure; any thread.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/registrar/policy.h"
#include "dataplane/registrar/verdict.h"
#include "dataplane/sip/message.h"

#include <span>
#include <string_view>

namespace pinhole::registrar {

struct Path {
    std::string_view
        route;       // all its values, as one Route header has them; empty: none is believed
    net::Flow flow;  // to the first of them
    bool keeps_flows = false;  // the proxy next to the phone finds it again (ob, RFC 5626 §5.1)
};

// `flow` is where the answer goes. `out.route` is written to `room`. Without a Path, or from a
// stranger, `out.route` is empty. A Path must lead to a path peer: what a phone has made up, and
// the peer let pass, leads nowhere. A first URI that names its host by a name can't be looked up
// here; the peer that sent the REGISTER has added it, and is the way.
[[nodiscard]] Verdict read_path(const sip::Message& message, const net::Flow& flow,
                                const RegistrarPolicy& policy, std::span<char> room, Path& out);

}  // namespace pinhole::registrar
