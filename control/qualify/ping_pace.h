// SPDX-License-Identifier: BSD-3-Clause
// Three things keep pings from leaving in bursts. PingLoad knows how many are planned for each tick
// to come, so that a new plan can take an emptier one. PingPace spreads a tick's pings over the
// tick, and holds what really leaves, after stalls and avalanches too, to 1.2 times the mean plus
// one burst of a worker in any 10 ms, wherever they begin. Pure; the control thread's own.
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

class PingPace {
  public:
    static constexpr std::uint32_t kSpanMs = 10;
    static constexpr std::uint32_t kBurst = 32;

    // Of a contact's interval its pings are apart on average: its window is 0.6 to 1.0, and the
    // emptier ticks are the later ones.
    static constexpr double kMeanInterval = 0.93;

    // How many may leave in any kSpanMs.
    static std::uint32_t cap(const PingPolicy& policy, std::uint32_t contacts) {
        return policy.pings()
                   ? cap_of(double{1e9} * contacts / (kMeanInterval * policy.interval_ms))
                   : 0;
    }
    // Pings in 10^9 ms to one contact of this interval.
    [[nodiscard]] static std::uint32_t rate_of(std::uint32_t interval_ms) {
        return static_cast<std::uint32_t>(1e9 / (kMeanInterval * std::max(interval_ms, 1u)));
    }
    // Of pings in 10^9 ms to all.
    static std::uint32_t cap_of(double rate) {
        return static_cast<std::uint32_t>(1.2 * kSpanMs * rate / 1e9) + kBurst;
    }

    // `cap` in any kSpanMs, and `budget` in any second; 0: as the cap allows.
    void set_limits(std::uint32_t cap, std::uint32_t budget) {
        cap_ = cap;
        has_budget_ = budget != 0;
        share_a_us_ = static_cast<double>(cap) / (1'000 * kSpanMs);
        if (has_budget_) {
            // A second may begin with what is saved of the last one.
            constexpr double kNotSaved = 0.99;
            share_a_us_ = std::min(share_a_us_, kNotSaved * budget / 1e6);
        }
    }
    // `us` of a monotonic clock.
    void set_now(std::uint64_t us) {
        const std::uint64_t cell = us / kCell_us;
        const std::uint64_t passed = std::min<std::uint64_t>(cell - cell_, kCells);
        for (std::uint64_t i = 1; i <= passed; ++i) {
            std::uint32_t& oldest = left_[(cell_ + i) % kCells];
            in_span_ -= oldest;
            oldest = 0;
        }
        // After a longer gap everything is zero, whichever cell the present falls on.
        cell_ = cell;
        share_ = std::min(share_ + share_a_us_ * static_cast<double>(us - us_),
                          share_a_us_ * kShare_us + 1);
        us_ = us;
    }
    // Of all that was sent, so many have not left yet. The others have, at any time since it was
    // last asked, and count as of now: whoever had to do it may have stood still.
    void set_waiting(std::uint32_t waiting) {
        const std::uint32_t left = waiting_ - std::min(waiting_, waiting);
        left_[cell_ % kCells] += left;
        waiting_ -= left;
    }
    // False: any more would break a limit.
    [[nodiscard]] bool may_send() const { return in_span_ < cap_ && !(has_budget_ && share_ < 1); }
    // True: what is due in this very tick can wait, or the tick would be over long before its time.
    [[nodiscard]] bool is_early() const { return share_ < 1; }
    void sent() {
        ++waiting_;
        ++in_span_;
        share_ -= 1;
    }

  private:
    static constexpr std::uint32_t kCell_us = 250;
    // What is handed over leaves up to a round of its worker later.
    static constexpr std::uint32_t kSlack_us = 500;
    static constexpr std::uint32_t kCells = (kSpanMs * 1'000 + kSlack_us) / kCell_us + 1;
    // Longer than the thread naps: room for pings is not lost meanwhile.
    static constexpr std::uint32_t kShare_us = 2'000;

    std::array<std::uint32_t, kCells> left_{};
    std::uint32_t waiting_ = 0;
    std::uint32_t in_span_ = 0;  // with those
    std::uint32_t cap_ = 0;
    bool has_budget_ = false;
    double share_a_us_ = 0;
    double share_ = 1;  // pings that the time passed has room for; less than none after a rush
    std::uint64_t us_ = 0;
    std::uint64_t cell_ = 0;
};

}  // namespace pinhole::qualify
