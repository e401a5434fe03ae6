// SPDX-License-Identifier: BSD-3-Clause
// The check of a core peer: an OPTIONS that asks whether it serves. Stateless like a phone's ping:
// the branch names the peer and the send time under a MAC of its own purpose, so that neither
// stands for the other. Pure: built by the control thread, read by any worker; time is handed in.
#pragma once

#include "dataplane/route/peers.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/writer.h"
#include "dataplane/tokens/keys.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace pinhole::route {

// The whole datagram. False: it did not fit.
[[nodiscard]] bool build_peer_check(const Peer& peer, const tokens::Keys& keys,
                                    std::uint64_t now_us, sip::Writer& out);

struct PeerPong {
    std::uint32_t peer = 0;  // Peer::hash
    std::uint32_t rtt_us = 0;
    std::uint16_t code = 0;
};

// Is it marked as the branch of a check (not verified)?
[[nodiscard]] bool is_check_branch(std::string_view branch);
// None: provisional, without a good MAC, or older than kMaxPongAge_us. Whether it came from that
// peer is the caller's to see. `branch` is the message's top Via's.
[[nodiscard]] std::optional<PeerPong> parse_peer_pong(const sip::Message& response,
                                                      std::string_view branch,
                                                      const tokens::Keys& keys,
                                                      std::uint64_t now_us);

}  // namespace pinhole::route
