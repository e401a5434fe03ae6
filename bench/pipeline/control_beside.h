// SPDX-License-Identifier: BSD-3-Clause
// The real control thread beside a pipeline's worker, on the second core, and phones that answer
// what it sends. The pipeline's thread.
#pragma once

#include "bench/pipeline/pipeline.h"
#include "control/daemon/control_thread.h"

#include <rte_mbuf.h>

#include <atomic>
#include <cstdint>
#include <ctime>
#include <optional>

namespace pinhole::io {

class ControlBeside {
  public:
    // It takes up all contacts of the table, and pings each every `interval_ms`.
    ControlBeside(Pipeline& pipeline, std::uint32_t interval_ms);
    ~ControlBeside();  // stops it
    ControlBeside(const ControlBeside&) = delete;
    ControlBeside& operator=(const ControlBeside&) = delete;

    [[nodiscard]] const qualify::Figures& figures() const { return control_->figures(); }
    // Seconds of a core that it has taken so far.
    [[nodiscard]] double busy_s() const;

  private:
    Pipeline& p_;
    qualify::Gateways gateways_;
    qualify::Ledger ledger_;
    std::atomic<clockid_t> clock_{-1};  // of its thread, once that runs
    std::optional<daemon::ControlThread> control_;
};

// The phone's answer to what was sent, which is freed; null if that was no ping.
[[nodiscard]] rte_mbuf* answer_to_ping(Edge& edge, rte_mbuf* sent);

}  // namespace pinhole::io
