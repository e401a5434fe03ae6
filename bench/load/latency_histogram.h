// SPDX-License-Identifier: BSD-3-Clause
// Durations in log-linear buckets, like an HDR histogram: every power of two is divided into 128
// equal parts, so that a value of any size is known to within 0.8 %, in 30 KB. One writer; any
// reader, which sees recent figures. Pure.
#pragma once

#include "dataplane/counters.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pinhole::load {

class LatencyHistogram {
  public:
    // Values up to 2^36 ns (68 s); what is more counts as that.
    static constexpr unsigned kMaxBits = 36;
    static constexpr unsigned kPartBits = 7;
    static constexpr std::uint64_t kParts = std::uint64_t{1} << kPartBits;
    static constexpr std::uint64_t kMax = (std::uint64_t{1} << kMaxBits) - 1;

    void record(std::uint64_t ns) {
        ns = ns > kMax ? kMax : ns;
        buckets_[bucket_of(ns)].add();
        if (ns > max_.get()) {
            max_.add(ns - max_.get());
        }
    }

    // The writer's.
    void clear() {
        for (Counter& bucket : buckets_) {
            bucket.add(-bucket.get());
        }
        max_.add(-max_.get());
    }

    // Below 2 * kParts a bucket a value; above, the leading kPartBits + 1 bits name the bucket.
    [[nodiscard]] static std::size_t bucket_of(std::uint64_t ns) {
        const int shift = std::bit_width(ns | kParts) - static_cast<int>(kPartBits) - 1;
        return static_cast<std::size_t>(shift) * kParts + (ns >> shift);
    }
    // The largest value that falls into a bucket.
    [[nodiscard]] static std::uint64_t upper_bound(std::size_t bucket) {
        if (bucket < 2 * kParts) {
            return bucket;
        }
        const std::uint64_t shift = bucket / kParts - 1;
        return ((bucket % kParts + kParts + 1) << shift) - 1;
    }

    [[nodiscard]] std::uint64_t count() const {
        std::uint64_t n = 0;
        for (const Counter& bucket : buckets_) {
            n += bucket.get();
        }
        return n;
    }
    [[nodiscard]] std::uint64_t max() const { return max_.get(); }
    // The value that `percent` of those recorded do not exceed; 0 if there are none.
    [[nodiscard]] std::uint64_t percentile(double percent) const {
        const std::uint64_t all = count();
        if (all == 0) {
            return 0;
        }
        // The rank, rounded up: of 1,000 values the 99.9th percentile is the 999th.
        const double exact = percent / 100 * static_cast<double>(all);
        auto rank = static_cast<std::uint64_t>(exact);
        rank += static_cast<double>(rank) < exact || rank == 0 ? 1 : 0;
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i) {
            seen += buckets_[i].get();
            if (seen >= rank) {
                return upper_bound(i) < max() ? upper_bound(i) : max();
            }
        }
        return max();
    }

  private:
    static constexpr std::size_t kBuckets = (kMaxBits - kPartBits + 1) * kParts;

    std::vector<Counter> buckets_{kBuckets};
    Counter max_;
};

}  // namespace pinhole::load
