// SPDX-License-Identifier: BSD-3-Clause
// Which core peers live, as far as their checks tell. It stands beside the immutable Peers, because
// it outlives them: they are made anew whenever the kernel's view changes. Peers are numbered as in
// the configuration. Written by the control thread alone, read by any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pinhole::route {

enum class PeerState : std::uint8_t {
    kUnknown,  // not checked, or not long enough to say
    kUp,
    kDown,  // what can go elsewhere does
};

class PeerHealth {
  public:
    explicit PeerHealth(std::size_t peers) : states_(peers) {}

    [[nodiscard]] std::size_t size() const { return states_.size(); }
    // Relaxed: each state stands for itself, and a worker that sees it a moment late has done what
    // it would have done a moment ago.
    [[nodiscard]] PeerState state_any(std::size_t peer) const {
        return peer < states_.size() ? states_[peer].load(std::memory_order_relaxed)
                                     : PeerState::kUnknown;
    }
    // May a request be sent there that could go elsewhere? Nobody is refused on a suspicion.
    [[nodiscard]] bool usable_any(std::size_t peer) const {
        return state_any(peer) != PeerState::kDown;
    }
    void write_control(std::size_t peer, PeerState state) {
        states_[peer].store(state, std::memory_order_relaxed);
    }

  private:
    static_assert(std::atomic<PeerState>::is_always_lock_free);
    // All in a line or two: they are read with every request of a phone's and hardly ever written.
    std::vector<std::atomic<PeerState>> states_;
};

}  // namespace pinhole::route
