// SPDX-License-Identifier: BSD-3-Clause
// The one capture that may run, on behalf of pinholectl: begun and read by server threads, ended by
// them, or by the service thread if its reader is gone. Knows the time, and no worker.
#pragma once

#include "control/api/system.h"
#include "dataplane/io/capture.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

namespace pinhole::daemon {

class CaptureService {
  public:
    CaptureService(io::Ports& ports, io::Qsbr& qsbr) : ports_(ports), qsbr_(qsbr) {}

    [[nodiscard]] api::CaptureStart start(std::string_view filter);
    [[nodiscard]] std::optional<api::CaptureChunk> take(std::uint64_t id);
    [[nodiscard]] bool stop(std::uint64_t id);
    // Waits for the workers' next round at most, if it has to end a capture.
    void tidy();

  private:
    using Clock = std::chrono::steady_clock;

    io::Ports& ports_;
    io::Qsbr& qsbr_;
    std::mutex mutex_;
    std::unique_ptr<io::Capture> capture_;
    std::uint64_t id_ = 0;
    Clock::time_point taken_;
};

}  // namespace pinhole::daemon
