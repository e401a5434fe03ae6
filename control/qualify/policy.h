// SPDX-License-Identifier: BSD-3-Clause
// The [qualify] keys as the keeper takes them, and the windows that follow from them. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pinhole::qualify {

struct PingPolicy {
    std::uint32_t interval_ms = 25'000;         // 0: no pings, only expiry
    std::uint32_t timeout_ms = 3'000;           // at most half the interval is taken
    std::uint32_t max_missed = 3;               // 1..255
    std::uint32_t remove_after_s = 600;         // 0: an unreachable contact stays till it expires
    std::uint32_t max_pings_per_s = 0;          // 0: as many as the contacts need
    std::uint32_t max_address_pings_per_s = 0;  // to one address (IPv6: /64); 0: likewise
    bool learn = false;                         // how long each gateway's mappings last ...
    std::uint32_t max_interval_ms = 600'000;    // ... up to this

    [[nodiscard]] bool pings() const { return interval_ms != 0; }
};

// A span of time after some event, both ends included.
struct Window {
    std::uint32_t from_ms;
    std::uint32_t to_ms;
};

// First ping of a new or moved contact: 3 to 20 s after it. A Linux gateway gives a flow 30 s until
// traffic has passed both ways past its first 2 s, and 120 s after that, so a sooner ping would
// have to be repeated and a later one might find the mapping gone; and registrations at one moment
// are not to be pings at one moment.
[[nodiscard]] constexpr Window first_window(const PingPolicy& p) {
    const std::uint32_t to = std::min<std::uint32_t>(20'000, p.interval_ms / 5 * 4);
    return {to / 20 * 3, to};
}
// After a ping, or after the contact has proved life by itself: 0.6 to 1.0 of the interval.
[[nodiscard]] constexpr Window steady_window(const PingPolicy& p) {
    return {p.interval_ms / 5 * 3, p.interval_ms};
}
[[nodiscard]] constexpr std::uint32_t effective_timeout_ms(const PingPolicy& p) {
    return std::min(p.timeout_ms, p.interval_ms / 2);
}
// After a ping that a phone known to answer has missed: a lost ping has not refreshed the mapping,
// which may have little time left. So three times as soon as the ping is given up. Then after 0.4
// to 0.6 of the interval.
inline constexpr std::uint8_t kQuickRetries = 3;
[[nodiscard]] constexpr Window retry_window(const PingPolicy& p, std::uint8_t missed) {
    const std::uint32_t timeout_ms = effective_timeout_ms(p);
    return missed <= kQuickRetries
               ? Window{timeout_ms, timeout_ms + std::min<std::uint32_t>(p.interval_ms / 25, 1'000)}
               : Window{p.interval_ms / 5 * 2, p.interval_ms / 5 * 3};
}

}  // namespace pinhole::qualify
