// SPDX-License-Identifier: BSD-3-Clause
// `pinholectl capture`: takes packets from the daemon, and writes them with its own rights to a
// file that the daemon never opens.
#pragma once

#include "control/api/client.h"

#include <cstdint>
#include <string>

namespace pinhole::ctl {

struct CaptureOptions {
    std::string file;
    std::string filter;
    unsigned seconds = 60;
    std::uint64_t megabytes = 100;
};

// Returns the exit status: 0 when the time or the size is reached, or at SIGINT or SIGTERM; the
// file is whole then. 1 if it can't be written or the daemon gives nothing.
[[nodiscard]] int run_capture(const api::Client& client, const CaptureOptions& options);

}  // namespace pinhole::ctl
