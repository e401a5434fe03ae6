// SPDX-License-Identifier: BSD-3-Clause
// Wakes a thread that sleeps in poll() when others have put something into a ring for it. Ringing
// costs an atomic exchange, and a system call only if the sleeper has said that it waits: one for
// each sleep, however many threads ring.
#pragma once

#include "dataplane/io/result.h"

#include <atomic>
#include <utility>

namespace pinhole::io {

class Doorbell {
  public:
    static Result<Doorbell> create();
    ~Doorbell();
    Doorbell(Doorbell&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), awaited_(other.awaited_.load()) {}
    Doorbell& operator=(Doorbell&&) = delete;

    // The sleeper's. It calls this, looks into its rings for the last time, then polls fd() for
    // input; after that it calls rise(), whatever has woken it. Of this exchange and ring()'s one
    // is the later: either the sleeper sees what the other thread put before, or that thread sees
    // that the sleeper waits.
    void await() { awaited_.exchange(true, std::memory_order_acq_rel); }
    void rise();
    [[nodiscard]] int fd() const { return fd_; }

    // Anybody's, after something was put into a ring.
    void ring() {
        if (awaited_.exchange(false, std::memory_order_acq_rel)) {
            wake();
        }
    }

  private:
    explicit Doorbell(int fd) : fd_(fd) {}
    void wake() const;

    int fd_;
    // On a line of its own: all who ring write it.
    alignas(64) std::atomic<bool> awaited_{false};
};

}  // namespace pinhole::io
