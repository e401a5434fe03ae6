// SPDX-License-Identifier: BSD-3-Clause
// Keeps the phones behind addresses over restarts, so that a gateway of 5,000 phones is not taken
// for an attacker in the minute after one. Gives the workers what was saved before they run, and
// saves what they know from time to time and at the end. A file that can't be read or written costs
// a warning and that memory, never the service. The service thread alone.
#pragma once

#include "control/allowance/allowance_file.h"
#include "dataplane/io/worker.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace pinhole::daemon {

class AllowanceService {
  public:
    using Workers = std::span<const std::unique_ptr<io::Worker>>;

    // An empty path: nothing is kept.
    explicit AllowanceService(std::string file) : file_(std::move(file)) {}

    // Before the workers run.
    void take_up(Workers workers);
    // Often; `now_ms` is monotonic. Asks the workers for their copies when they are due, and writes
    // them when all have come.
    void turn(Workers workers, std::uint64_t now_ms);
    // After the workers have ended.
    void end(Workers workers);

  private:
    void save(Workers workers);

    const std::string file_;
    std::uint64_t next_ms_ = 0;
    bool asked_ = false;
    bool failing_ = false;
};

}  // namespace pinhole::daemon
