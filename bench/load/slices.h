// SPDX-License-Identifier: BSD-3-Clause
// The 99th percentile of each tenth of a second. On a host that takes a core away for milliseconds
// once a second, one percentile of the whole run shows little but those moments. The median of the
// slices' percentiles shows what a question meets between them. One writer, which also reads. Pure.
#pragma once

#include "bench/load/latency_histogram.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pinhole::load {

class Slices {
  public:
    static constexpr std::uint64_t kSlice_ns = 100'000'000;
    // A slice with fewer answers has no 99th percentile to speak of, and is left out.
    static constexpr std::uint64_t kFewest = 1'000;
    // An hour; what comes later is not kept.
    static constexpr std::size_t kMost = 36'000;

    // Of an answer at `now_ns`, which never goes back.
    void record(std::uint64_t now_ns, std::uint64_t ns) {
        if (now_ns >= end_ns_) {
            close();
            end_ns_ = now_ns + kSlice_ns;
        }
        present_.record(ns);
    }

    // In ns, of the slices that are over, in order.
    [[nodiscard]] const std::vector<std::uint64_t>& p99s() const { return p99s_; }
    // 0 if there are none; of an even number the lower one of the middle.
    [[nodiscard]] std::uint64_t median_p99() const {
        if (p99s_.empty()) {
            return 0;
        }
        std::vector<std::uint64_t> sorted = p99s_;
        const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
        std::nth_element(sorted.begin(), middle, sorted.end());
        return *middle;
    }

  private:
    void close() {
        if (present_.count() >= kFewest && p99s_.size() < kMost) {
            p99s_.push_back(present_.percentile(99));
        }
        present_.clear();
    }

    LatencyHistogram present_;
    std::uint64_t end_ns_ = 0;
    std::vector<std::uint64_t> p99s_;
};

}  // namespace pinhole::load
