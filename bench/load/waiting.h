// SPDX-License-Identifier: BSD-3-Clause
// Questions in the order they were put, to find those that nobody answered. All wait equally long,
// so the oldest stands in front. Pure.
#pragma once

#include "bench/load/messages.h"

#include <cstdint>
#include <deque>

namespace pinhole::load {

class Waiting {
  public:
    explicit Waiting(std::uint64_t timeout_ns) : timeout_ns_(timeout_ns) {}

    void add(const Ticket& ticket, std::uint64_t now_ns) { queue_.push_back({ticket, now_ns}); }

    // Removes from the front the questions that `open(ticket)` says are answered, and gives those
    // that have been open for too long to `lost(ticket)`.
    template <class Open, class Lost>
    void sweep(std::uint64_t now_ns, Open&& open, Lost&& lost) {
        while (!queue_.empty()) {
            const Entry front = queue_.front();
            const bool is_open = open(front.ticket);
            if (is_open && now_ns - front.asked_ns < timeout_ns_) {
                return;
            }
            queue_.pop_front();
            if (is_open) {
                lost(front.ticket);
            }
        }
    }

  private:
    struct Entry {
        Ticket ticket;
        std::uint64_t asked_ns;
    };
    std::uint64_t timeout_ns_;
    std::deque<Entry> queue_;
};

}  // namespace pinhole::load
