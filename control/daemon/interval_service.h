// SPDX-License-Identifier: BSD-3-Clause
// Keeps what was learned of gateways over restarts, in a file beside the journal: gives it back
// before the control thread runs, saves it soon after something was learned, and at the end. A file
// that can't be read or written costs a warning and that knowledge, never the service. The service
// thread alone.
#pragma once

#include "control/qualify/gateways.h"

#include <cstdint>
#include <string>

namespace pinhole::daemon {

class IntervalService {
  public:
    // An empty path: nothing is kept.
    explicit IntervalService(std::string file) : file_(std::move(file)) {}

    // Before the control thread runs; `now_s` is of its clock.
    void take_up(qualify::Gateways& gateways, std::uint32_t now_s);
    // Often; `now_ms` is monotonic, `lessons` goes up with everything that is learned.
    void turn(const qualify::Gateways& gateways, std::uint64_t lessons, std::uint64_t now_ms,
              std::uint32_t now_s);
    void end(const qualify::Gateways& gateways, std::uint64_t lessons, std::uint32_t now_s);

  private:
    void save(const qualify::Gateways& gateways, std::uint32_t now_s);

    const std::string file_;
    std::uint64_t saved_lessons_ = 0;
    std::uint64_t next_ms_ = 0;
    bool failing_ = false;
};

}  // namespace pinhole::daemon
