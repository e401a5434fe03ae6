// SPDX-License-Identifier: BSD-3-Clause
// The core peers: who may send calls in, and where phones' requests go. A phone's request is given
// a peer by rendezvous hashing on its Call-ID, so that all of one call meets one peer and a peer
// more or less moves no call but its own. Immutable once made; any thread.
#pragma once

#include "dataplane/net/flow.h"

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
    // Nullptr: there is none at all.
    [[nodiscard]] const Peer* choose(std::string_view call_id) const;
    // The first peer with this address. The port that a peer sends from is not part of it.
    [[nodiscard]] std::optional<unsigned> index_of(const net::Address& address) const;

  private:
    std::vector<Peer> peers_;
};

}  // namespace pinhole::route
