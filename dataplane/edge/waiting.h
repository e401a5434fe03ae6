// SPDX-License-Identifier: BSD-3-Clause
// Which jobs wait for an owner, and since when: so that no more wait than there is room for, and an
// owner that doesn't answer is noticed. One worker.
#pragma once

#include "dataplane/edge/capacity.h"

#include <array>
#include <cstdint>

namespace pinhole::edge {

class WaitingJobs {
  public:
    void begin(std::uint32_t job, std::uint64_t now_ms) {
        since_ms_[job] = now_ms;
        late_[job] = false;
        waits_[job] = true;
        ++count_;
    }
    void end(std::uint32_t job) {
        waits_[job] = false;
        --count_;
    }
    [[nodiscard]] bool waits(std::uint32_t job) const { return waits_[job]; }
    [[nodiscard]] unsigned count() const { return count_; }
    [[nodiscard]] bool has_room() const { return count_ < kMaxWaiting; }

    // How many have waited for `patience_ms` and were not told of before.
    unsigned take_late(std::uint64_t now_ms, std::uint64_t patience_ms) {
        unsigned late = 0;
        for (std::uint32_t job = 0; job < kMaxJobs; ++job) {
            if (waits_[job] && !late_[job] && now_ms - since_ms_[job] >= patience_ms) {
                late_[job] = true;
                ++late;
            }
        }
        return late;
    }

  private:
    std::array<std::uint64_t, kMaxJobs> since_ms_{};
    std::array<bool, kMaxJobs> waits_{};
    std::array<bool, kMaxJobs> late_{};
    unsigned count_ = 0;
};

}  // namespace pinhole::edge
