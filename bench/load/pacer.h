// SPDX-License-Identifier: BSD-3-Clause
// When the next request leaves. Open loop: at a fixed rate, whatever the answers do. A request that
// was held up is sent late but counts from the moment it was due, so a stalled server cannot hide
// its latency by stalling the load. Closed loop: as soon as fewer than a window of requests are
// under way. With both, the window bounds what the rate asks for. Pure.
#pragma once

#include <cstdint>

namespace pinhole::load {

class Pacer {
  public:
    // `rate_per_s` 0: closed loop. `window` 0: no bound.
    Pacer(double rate_per_s, std::uint32_t window, std::uint64_t start_ns)
        : gap_ns_(rate_per_s > 0 ? 1e9 / rate_per_s : 0), window_(window), start_ns_(start_ns) {}

    // Whether a request may leave now, and the moment that its latency counts from.
    [[nodiscard]] bool may_send(std::uint64_t now_ns, std::uint64_t under_way,
                                std::uint64_t& from_ns) const {
        if (window_ != 0 && under_way >= window_) {
            return false;
        }
        if (gap_ns_ <= 0) {
            from_ns = now_ns;
            return true;
        }
        from_ns = start_ns_ + static_cast<std::uint64_t>(static_cast<double>(sent_) * gap_ns_);
        return from_ns <= now_ns;
    }
    void sent() { ++sent_; }

  private:
    double gap_ns_;
    std::uint32_t window_;
    std::uint64_t start_ns_;
    std::uint64_t sent_ = 0;
};

}  // namespace pinhole::load
