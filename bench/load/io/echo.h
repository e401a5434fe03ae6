// SPDX-License-Identifier: BSD-3-Clause
// The far end of `pinhole-load echo`: sends every datagram back as it is, and says that every
// address is its own. It shows the least that a registrar on the same port and core could take.
// Started by the main thread, turned by one lcore until it is stopped.
#pragma once

#include "bench/load/io/cable.h"

#include <atomic>

namespace pinhole::load {

class Echo {
  public:
    explicit Echo(Cable& cable) : cable_(cable) {}

    // For rte_eal_remote_launch().
    static int run(void* echo) {
        static_cast<Echo*>(echo)->turn();
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
