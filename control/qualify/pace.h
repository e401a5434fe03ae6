// SPDX-License-Identifier: BSD-3-Clause
// Two things keep pings from leaving in bursts. PingLoad knows how many are planned for each tick
// to come, so that a new plan can take an emptier one. Pace holds what really leaves, after stalls
// and avalanches too, to 1.2 times the mean plus one burst of a worker in any 10 ms, wherever they
// begin. Pure; the control thread's own.
#pragma once

#include "control/qualify/policy.h"
#include "control/wheel/wheel.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pinhole::qualify {

// Pings planned by tick, in a ring longer than the interval. Past kMaxTicks (11 minutes) laps share
// a count, which makes the choice among ticks less sharp and nothing else.
class PingLoad {
  public:
    using Tick = wheel::Tick;

    explicit PingLoad(std::uint32_t interval_ticks)
        : counts_(std::bit_ceil(std::clamp(2 * interval_ticks, kMinTicks, kMaxTicks))) {}

    [[nodiscard]] std::uint32_t get(Tick tick) const { return counts_[index(tick)]; }
    void add(Tick tick) { ++counts_[index(tick)]; }
    void remove(Tick tick) { --counts_[index(tick)]; }
    [[nodiscard]] std::uint32_t ticks() const { return static_cast<std::uint32_t>(counts_.size()); }

  private:
    static constexpr std::uint32_t kMinTicks = 1u << 10;
    static constexpr std::uint32_t kMaxTicks = 1u << 16;
    [[nodiscard]] std::size_t index(Tick tick) const { return tick & (counts_.size() - 1); }

    std::vector<std::uint32_t> counts_;
};

class Pace {
  public:
    static constexpr std::uint32_t kSpanMs = 10;
    static constexpr std::uint32_t kBurst = 32;

    // How many may leave in any kSpanMs. A contact is pinged every 0.9 intervals on average
    // (its window is 0.6 to 1.0, and the emptier ticks are the later ones).
    static std::uint32_t cap(const Policy& policy, std::uint32_t contacts) {
        if (!policy.pings()) {
            return 0;
        }
        return cap_of(policy, double{1e9} * contacts / (0.9 * policy.interval_ms));
    }
    // Pings in 10^9 ms to one contact of this interval.
    [[nodiscard]] static std::uint32_t rate_of(std::uint32_t interval_ms) {
        return static_cast<std::uint32_t>(1e9 / (0.9 * std::max(interval_ms, 1u)));
    }
    // Of pings in 10^9 ms to all.
    static std::uint32_t cap_of(const Policy& policy, double rate) {
        const double mean = kSpanMs * rate / 1e9;
        const auto most = static_cast<std::uint32_t>(1.2 * mean) + kBurst;
        constexpr std::uint32_t kSpansPerSecond = 1'000 / kSpanMs;
        return policy.max_pings_per_s == 0
                   ? most
                   : std::clamp(policy.max_pings_per_s / kSpansPerSecond, 1u, most);
    }

    void set_now(std::uint64_t now_ms, std::uint32_t cap) {
        const std::uint64_t passed = std::min<std::uint64_t>(now_ms - now_ms_, kSpanMs);
        for (std::uint64_t i = 1; i <= passed; ++i) {
            std::uint32_t& oldest = sent_[(now_ms_ + i) % kSpanMs];
            in_span_ -= oldest;
            oldest = 0;
        }
        // After a longer gap everything is zero, whichever cell now_ms falls on.
        now_ms_ = now_ms;
        cap_ = cap;
    }
    [[nodiscard]] bool may_send() const { return in_span_ < cap_; }
    [[nodiscard]] std::uint32_t cap() const { return cap_; }
    void sent() {
        ++sent_[now_ms_ % kSpanMs];
        ++in_span_;
    }

  private:
    std::array<std::uint32_t, kSpanMs> sent_{};  // by millisecond
    std::uint32_t in_span_ = 0;
    std::uint32_t cap_ = 0;
    std::uint64_t now_ms_ = 0;
};

}  // namespace pinhole::qualify
