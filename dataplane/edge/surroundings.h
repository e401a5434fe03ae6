// SPDX-License-Identifier: BSD-3-Clause
// What a worker knows of the world around it: the forwarding table, which addresses and ports are
// ours, who the core peers are, which keys are in use, what the operator wants. One immutable
// snapshot, made by the service thread whenever the kernel's view or the keys change, and published
// by one pointer; a worker loads it once a round and forgets it before its next quiescent state.
#pragma once

#include "dataplane/edge/live_settings.h"
#include "dataplane/net/address.h"
#include "dataplane/net/fib.h"
#include "dataplane/route/emergency.h"
#include "dataplane/route/peers.h"
#include "dataplane/sip/identity.h"
#include "dataplane/tokens/keys.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace pinhole::edge {

// Who may speak at a port ([[port]] role).
enum class Role : std::uint8_t { kAccess, kCore, kBoth };

// One logical port as packets meet it.
struct PortView {
    std::vector<net::Endpoint> endpoints;  // ours: few, so a scan
    Role role = Role::kBoth;

    [[nodiscard]] bool receives(const net::Address& address, std::uint16_t udp_port) const {
        return std::find(endpoints.begin(), endpoints.end(), net::Endpoint{address, udp_port}) !=
               endpoints.end();
    }
    // Of a fragment the port is not known yet.
    [[nodiscard]] bool owns(const net::Address& address) const {
        return std::any_of(endpoints.begin(), endpoints.end(),
                           [&](const net::Endpoint& e) { return e.address == address; });
    }
};

struct Surroundings {
    net::Fib fib;
    sip::Identity identity;
    route::Peers peers;
    route::Emergency emergency;
    std::vector<PortView> ports;  // by net::PortIndex
    tokens::Keys keys;
    std::shared_ptr<const LiveSettings> settings;  // never null once published
};

// Published by the service thread; who loads it is registered with the QSBR, which tells when the
// old one may go.
using SurroundingsPointer = std::atomic<const Surroundings*>;

}  // namespace pinhole::edge
