// SPDX-License-Identifier: BSD-3-Clause
// A histogram of durations with fixed buckets: one writer (the control thread), any reader, no
// lock. Pure.
#pragma once

#include "dataplane/counters.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace pinhole::qualify {

class Histogram {
  public:
    // Upper bounds, in microseconds, each included in its bucket. One more bucket holds what
    // exceeds the last.
    static constexpr std::array<std::uint64_t, 14> kBoundsUs{
        1'000,   2'000,   5'000,     10'000,    20'000,    50'000,     100'000,
        200'000, 500'000, 1'000'000, 2'000'000, 5'000'000, 10'000'000, 30'000'000};
    static constexpr std::size_t kBuckets = kBoundsUs.size() + 1;

    void record(std::uint64_t us) {
        std::size_t i = 0;
        while (i < kBoundsUs.size() && us > kBoundsUs[i]) {
            ++i;
        }
        buckets_[i].add();
        sum_us_.add(us);
    }

    // Not cumulative: Prometheus wants running sums of these. bucket(kBoundsUs.size()) is +Inf's
    // own.
    [[nodiscard]] std::uint64_t bucket(std::size_t i) const { return buckets_[i].get(); }
    [[nodiscard]] std::uint64_t sum_us() const { return sum_us_.get(); }
    // Of the buckets, so that a scrape's count and its +Inf bucket agree if both are made from one
    // pass.
    [[nodiscard]] std::uint64_t count() const {
        std::uint64_t n = 0;
        for (const Counter& b : buckets_) {
            n += b.get();
        }
        return n;
    }

  private:
    std::array<Counter, kBuckets> buckets_;
    Counter sum_us_;
};

}  // namespace pinhole::qualify
