// SPDX-License-Identifier: BSD-3-Clause
// What the control thread, which may not log, has to tell of outages: a ring that it writes and one
// other thread empties. Full: what is new is dropped and counted; the entries themselves still
// tell. Pure.
#pragma once

#include "dataplane/net/address.h"

#include <array>
#include <atomic>
#include <cstdint>

namespace pinhole::qualify {

struct OutageNotice {
    net::Address address;  // a gateway, or the first of a prefix
    bool is_prefix = false;
    bool began = false;  // else: it has ended
    std::uint32_t phones = 0;
    std::uint32_t since_s = 0;
    std::uint32_t at_s = 0;
};

class OutageNews {
  public:
    void put(const OutageNotice& notice) {
        const std::uint32_t written = written_.load(std::memory_order_relaxed);
        // Pairs with take(): a slot is free again when its reader has said so.
        if (written - taken_.load(std::memory_order_acquire) == ring_.size()) {
            dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            return;
        }
        ring_[written % ring_.size()] = notice;
        written_.store(written + 1, std::memory_order_release);
    }
    // The reader's. False: there is nothing.
    [[nodiscard]] bool take(OutageNotice& out) {
        const std::uint32_t taken = taken_.load(std::memory_order_relaxed);
        // Pairs with put().
        if (taken == written_.load(std::memory_order_acquire)) {
            return false;
        }
        out = ring_[taken % ring_.size()];
        taken_.store(taken + 1, std::memory_order_release);
        return true;
    }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  private:
    std::array<OutageNotice, 256> ring_{};
    std::atomic<std::uint32_t> written_{0};  // the control thread's
    std::atomic<std::uint32_t> taken_{0};    // the reader's
    std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace pinhole::qualify
