// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/rates.h"

#include <algorithm>

namespace pinhole::api {

RateHistory::Sums RateHistory::sums_of(const std::vector<CoreStatus>& cores) {
    Sums sums{};
    for (const CoreStatus& core : cores) {
        // As kRateNames has them.
        const Sums one{core.registers,  core.calls_in + core.calls_out,
                       core.rx_packets, core.tx_packets,
                       core.drops,      core.pings_sent,
                       core.pongs};
        for (std::size_t i = 0; i < sums.size(); ++i) {
            sums[i] += one[i];
        }
    }
    return sums;
}

void RateHistory::add(std::uint64_t now_ms, const std::vector<CoreStatus>& cores) {
    const Sums sums = sums_of(cores);
    if (next_ms_ != 0 && now_ms > last_ms_) {
        const std::uint64_t passed_ms = now_ms - last_ms_;
        Point point{};
        for (std::size_t i = 0; i < point.size(); ++i) {
            const std::uint64_t more = sums[i] > last_[i] ? sums[i] - last_[i] : 0;
            point[i] = static_cast<float>(static_cast<double>(more) * 1e3 /
                                          static_cast<double>(passed_ms));
        }
        const std::uint64_t points = (passed_ms + kEvery_ms / 2) / kEvery_ms;
        const std::lock_guard<std::mutex> lock(mutex_);
        for (std::uint64_t n = 0; n < std::clamp<std::uint64_t>(points, 1, kPoints); ++n) {
            push(point);
        }
    }
    last_ = sums;
    last_ms_ = now_ms;
    next_ms_ = now_ms + kEvery_ms;
}

void RateHistory::push(const Point& point) {
    ring_[next_] = point;
    next_ = (next_ + 1) % kPoints;
    count_ = std::min(count_ + 1, kPoints);
}

Rates RateHistory::read() const {
    Rates out;
    out.every_s = static_cast<double>(kEvery_ms) / 1e3;
    out.most = kPoints;
    const std::lock_guard<std::mutex> lock(mutex_);
    for (std::size_t rate = 0; rate < out.per_s.size(); ++rate) {
        for (std::size_t n = 0; n < count_; ++n) {
            out.per_s[rate].push_back(ring_[(next_ + kPoints - count_ + n) % kPoints][rate]);
        }
    }
    return out;
}

}  // namespace pinhole::api
