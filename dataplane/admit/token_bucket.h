// SPDX-License-Identifier: BSD-3-Clause
// A token bucket in 8 bytes that needs no clock and no timer: what is missing from it, and when
// that was so. A bucket of all zeros is full, so memory fresh from the kernel is a table of full
// buckets. Pure; one thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pinhole::admit {

// How fast a bucket fills and how much it holds, in tokens. None of either: it gives nothing.
struct Rate {
    std::uint32_t per_minute = 0;
    std::uint32_t burst = 0;
};

class TokenBucket {
  public:
    // A token is 60,000 units, so that a minute's tokens are a millisecond's units.
    static constexpr std::uint32_t kUnits = 60'000;
    // What fits; larger bursts are taken for this.
    static constexpr std::uint32_t kMaxBurst = 70'000;

    // Takes a token if there is one. `now_ms` may wrap; between two calls less than 49 days pass,
    // or the bucket fills a little late.
    bool take(const Rate& rate, std::uint32_t now_ms) {
        refill(rate, now_ms);
        const std::uint32_t held = std::min(rate.burst, kMaxBurst) * kUnits;
        if (missing_ + kUnits > held) {
            return false;
        }
        missing_ += kUnits;
        return true;
    }
    // Is there one? Takes nothing.
    [[nodiscard]] bool has(const Rate& rate, std::uint32_t now_ms) const {
        TokenBucket copy = *this;
        return copy.take(rate, now_ms);
    }
    // The units that are missing at that moment: 0 is full, and tells nothing of its owner any
    // more.
    [[nodiscard]] std::uint32_t missing(const Rate& rate, std::uint32_t now_ms) const {
        const std::uint64_t back = std::uint64_t{now_ms - at_ms_} * rate.per_minute;
        return back >= missing_ ? 0 : missing_ - static_cast<std::uint32_t>(back);
    }

  private:
    void refill(const Rate& rate, std::uint32_t now_ms) {
        missing_ = missing(rate, now_ms);
        at_ms_ = now_ms;
    }

    std::uint32_t missing_ = 0;
    std::uint32_t at_ms_ = 0;
};
static_assert(sizeof(TokenBucket) == 8);
static_assert(std::uint64_t{TokenBucket::kMaxBurst} * TokenBucket::kUnits < 0xffff'ffff);

}  // namespace pinhole::admit
