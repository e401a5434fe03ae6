// SPDX-License-Identifier: BSD-3-Clause
// The only clock of the dataplane: the TSC, scaled once at start and hung on the wall clock of that
// moment. All threads share one Clock, so that what one stamps another may compare; steps of the
// wall clock (NTP) move nothing.
#pragma once

#include "dataplane/moment.h"

#include <rte_cycles.h>

#include <cstdint>

namespace pinhole::io {

class Clock {
  public:
    // `epoch_s`: the wall clock's seconds at `start`, a reading of the TSC: now, or earlier for a
    // test whose time passes faster.
    explicit Clock(std::uint32_t epoch_s, std::uint64_t start = rte_rdtsc())
        : start_(start), hz_(rte_get_tsc_hz()), epoch_s_(epoch_s) {
        // 2^32 / (cycles a microsecond): a multiplication for each division.
        per_us_ = static_cast<double>(hz_) / 1e6;
        scale_ = static_cast<std::uint64_t>(4294967296.0 / per_us_);
    }

    [[nodiscard]] Moment at(std::uint64_t tsc) const {
        Moment m;
        const auto cycles = static_cast<unsigned __int128>(tsc - start_);
        m.us = static_cast<std::uint64_t>(cycles * scale_ >> 32);
        m.ms = m.us / 1000;
        m.s = epoch_s_ + static_cast<std::uint32_t>(m.us / 1'000'000);
        return m;
    }
    [[nodiscard]] Moment now() const { return at(rte_rdtsc()); }
    [[nodiscard]] std::uint64_t hz() const { return hz_; }

  private:
    std::uint64_t start_;
    std::uint64_t hz_;
    double per_us_ = 0;
    std::uint64_t scale_ = 0;
    std::uint32_t epoch_s_;
};

}  // namespace pinhole::io
