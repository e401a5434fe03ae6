// SPDX-License-Identifier: BSD-3-Clause
// What the operator decides about registrations: the [registrar] section as the dataplane reads it.
// Immutable while workers hold it; a reload hands in another. Pure.
#pragma once

#include "dataplane/net/address.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace pinhole::registrar {

enum class TooBrief : std::uint8_t {
    kReject,  // 423 with Min-Expires (RFC 3261 §10.3 step 7)
    kRaise,   // the minimum is granted and answered
};

enum class FullAor : std::uint8_t {
    kReject,   // 403
    kReplace,  // the unreachable, then the oldest contact gives way
};

struct RegistrarPolicy {
    std::uint32_t default_expires_s = 3600;
    std::uint32_t min_expires_s = 60;
    std::uint32_t max_expires_s = 7200;
    std::uint8_t expires_spread_percent = 0;  // up to so much less is granted than was asked
    std::uint8_t max_contacts_per_aor = 10;   // at most table::kMaxContactsPerAor
    TooBrief too_brief = TooBrief::kReject;
    FullAor full_aor = FullAor::kReject;
    // Told in every 200: "<sip:edge.example.com;lr>, <...>" (RFC 3608). Empty: none.
    std::string service_route;
    // Told to who keeps its flow by RFC 5626 (Flow-Timer, §4.4) or RFC 6223: how often at most the
    // server expects a keepalive, in seconds. 0: nothing is told.
    std::uint32_t flow_timer_s = 0;
    bool gruu = true;  // RFC 5627
    // Proxies that may add a Path, and that one may lead to (RFC 3327); few, so a scan.
    std::vector<net::Address> path_peers;

    [[nodiscard]] bool is_path_peer(const net::Address& address) const {
        return std::find(path_peers.begin(), path_peers.end(), address) != path_peers.end();
    }
};

// An older CSeq of the same Call-ID within this long of the newer is a late packet; later it is a
// phone that has restarted (64 * T1, RFC 3261 §17.1.2.2: no retransmission lives longer).
inline constexpr std::uint32_t kLatePacketWindow_ms = 32'000;

}  // namespace pinhole::registrar
