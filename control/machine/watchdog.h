// SPDX-License-Identifier: BSD-3-Clause
// systemd's watchdog: pinhole calls it three times in the period that the unit gives (WatchdogSec),
// as long as pinhole is well. When it no longer is, or this loop hangs, systemd ends pinhole and
// starts it again. Pure: time is handed in.
#pragma once

#include <cstdint>

namespace pinhole::machine {

class Watchdog {
  public:
    // As sd_watchdog_enabled() gives it; 0: nobody listens.
    explicit Watchdog(std::uint64_t period_us) : every_ms_(period_us / 3000) {}

    // True if a call is due; the next is due a third of the period later.
    [[nodiscard]] bool due(std::uint64_t now_ms) {
        if (every_ms_ == 0 || now_ms < next_ms_) {
            return false;
        }
        next_ms_ = now_ms + every_ms_;
        return true;
    }

  private:
    std::uint64_t every_ms_;
    std::uint64_t next_ms_ = 0;
};

}  // namespace pinhole::machine
