// SPDX-License-Identifier: BSD-3-Clause
// The whole of pinhole put together: started in order, run in the calling thread until a signal,
// and taken apart in the opposite order.
#pragma once

#include "control/config/config.h"

#include <string>
#include <vector>

namespace pinhole::daemon {

// The exit status: 0 after SIGTERM or SIGINT, 1 if it could not start; then a sentence on stderr
// says what to do.
// A reload reads `file` again.
[[nodiscard]] int run(const config::Config& config, const std::string& file);

// What `--check` says of the files that the configuration names, a sentence each, with file and
// line.
struct Checked {
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
};
[[nodiscard]] Checked check_files(const config::Config& config);

// What `--check` can say of the machine beyond the file: interfaces that are missing, addresses
// that the kernel does not have. A sentence each.
[[nodiscard]] std::vector<std::string> check_machine(const config::Config& config);

}  // namespace pinhole::daemon
