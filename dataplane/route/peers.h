// SPDX-License-Identifier: BSD-3-Clause
// The core peers: who may send calls in, and where phones' requests go. A phone's request is given
// a peer by rendezvous hashing on its Call-ID, so that all of one call meets one peer and a peer
// more or less, or one that dies, moves no call but its own. Immutable once made; any thread.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/route/peer_health.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pinhole::route {

struct Peer {
    net::Flow flow;          // how we reach it, whole
    std::uint32_t hash = 0;  // of its address and port: names it in tokens, the same over restarts
};

class Peers {
  public:
    Peers() = default;
    // A flow a peer, in the order of the configuration (Arrival::peer_index counts likewise).
    explicit Peers(std::span<const net::Flow> flows);

    [[nodiscard]] std::size_t size() const { return peers_.size(); }
    [[nodiscard]] const Peer& operator[](std::size_t i) const { return peers_[i]; }
    // Nullptr: none of that hash (any more).
    [[nodiscard]] const Peer* by_hash(std::uint32_t hash) const;
    // Its place in the configuration. `peer` is one of these.
    [[nodiscard]] std::size_t index_of(const Peer* peer) const {
        return static_cast<std::size_t>(peer - peers_.data());
    }
    // Among the usable ones. Nullptr: there is none.
    [[nodiscard]] const Peer* choose(std::string_view call_id, const PeerHealth& health) const;
    // Dead or alive, for what must be tried whatever the checks say. Nullptr: there is none at all.
    [[nodiscard]] const Peer* choose_any(std::string_view call_id) const;
    // The first peer with this address. The port that a peer sends from is not part of it.
    [[nodiscard]] std::optional<unsigned> index_of(const net::Address& address) const;

  private:
    template <class Usable>
    [[nodiscard]] const Peer* best(std::string_view call_id, Usable&& usable) const;

    std::vector<Peer> peers_;
};

}  // namespace pinhole::route
