// SPDX-License-Identifier: BSD-3-Clause
// What happened a second over the last ten minutes, all cores together: a ring of fixed size that
// the service thread writes and the servers' threads read. Time and counts are handed in.
#pragma once

#include "control/api/system.h"

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

namespace pinhole::api {

class RateHistory {
  public:
    static constexpr std::size_t kPoints = 300;
    static constexpr std::uint64_t kEvery_ms = 2'000;

    [[nodiscard]] bool due(std::uint64_t now_ms) const { return now_ms >= next_ms_; }
    // Adds the sums of this moment. When a call comes late, what has passed meanwhile is spread
    // over the points that were missed. The writer alone.
    void add(std::uint64_t now_ms, const std::vector<CoreStatus>& cores);
    // Any thread.
    [[nodiscard]] Rates read() const;

  private:
    using Sums = std::array<std::uint64_t, kRateNames.size()>;
    using Point = std::array<float, kRateNames.size()>;

    static Sums sums_of(const std::vector<CoreStatus>& cores);
    void push(const Point& point);

    std::uint64_t next_ms_ = 0;
    std::uint64_t last_ms_ = 0;
    Sums last_{};

    mutable std::mutex mutex_;  // over what follows
    std::array<Point, kPoints> ring_{};
    std::size_t next_ = 0;
    std::size_t count_ = 0;
};

}  // namespace pinhole::api
