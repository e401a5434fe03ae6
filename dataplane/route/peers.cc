// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/peers.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace pinhole::route {

Peers::Peers(std::span<const net::Flow> flows) {
    peers_.reserve(flows.size());
    for (const net::Flow& flow : flows) {
        const auto hash = static_cast<std::uint32_t>(XXH3_64bits_withSeed(
            flow.theirs.bytes.data(), flow.theirs.bytes.size(), flow.their_udp_port));
        peers_.push_back({flow, hash});
    }
}

const Peer* Peers::by_hash(std::uint32_t hash) const {
    const auto at = std::find_if(peers_.begin(), peers_.end(),
                                 [hash](const Peer& peer) { return peer.hash == hash; });
    return at == peers_.end() ? nullptr : &*at;
}

// `bool usable(std::size_t)` of a peer's place.
template <class Usable>
const Peer* Peers::best(std::string_view call_id, Usable&& usable) const {
    const Peer* best = nullptr;
    std::uint64_t best_score = 0;
    for (const Peer& peer : peers_) {
        if (!usable(index_of(&peer))) {
            continue;
        }
        const std::uint64_t score = XXH3_64bits_withSeed(call_id.data(), call_id.size(), peer.hash);
        if (best == nullptr || score > best_score) {
            best = &peer;
            best_score = score;
        }
    }
    return best;
}

const Peer* Peers::choose(std::string_view call_id, const PeerHealth& health) const {
    return best(call_id, [&](std::size_t peer) { return health.usable_any(peer); });
}

const Peer* Peers::choose_any(std::string_view call_id) const {
    return best(call_id, [](std::size_t) { return true; });
}

std::optional<unsigned> Peers::index_of(const net::Address& address) const {
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        if (peers_[i].flow.theirs == address) {
            return static_cast<unsigned>(i);
        }
    }
    return std::nullopt;
}

}  // namespace pinhole::route
