// SPDX-License-Identifier: BSD-3-Clause
// The far end of `pinhole-load echo`: sends every datagram back as it is, and says that every
// address is its own. It shows the least that a registrar on the same port and core could take.
// Started by the main thread, turned by one lcore until it is stopped.
#pragma once

#include "bench/load/io/cable.h"

#include <atomic>

namespace pinhole::load {

class Mirror {
  public:
    explicit Mirror(Cable& cable) : cable_(cable) {}

    // For rte_eal_remote_launch().
    static int run(void* mirror) {
        static_cast<Mirror*>(mirror)->turn();
        return 0;
    }
    // Any thread.
    void stop() { stop_.store(true, std::memory_order_relaxed); }

  private:
    void turn();
    bool take(std::span<std::uint8_t> frame);

    Cable& cable_;
    std::atomic<bool> stop_{false};
};

}  // namespace pinhole::load
