// SPDX-License-Identifier: BSD-3-Clause
// dpdk-dumpcap beside a running pinhole: another process looks into the ports through memory that
// both share. DPDK shares only hugepages, by files, and leaves the files behind: a process that was
// killed keeps its hugepages until somebody removes them. Main thread.
#pragma once

#include "dataplane/io/result.h"

#include <string>

namespace pinhole::io {

// What EAL names its files by: this process's, found again by its pid.
[[nodiscard]] std::string eal_file_prefix();

// Removes what pinholes that run no more have left, and this one if it is `ours`.
void remove_shared_files(bool ours);

// After EAL's start, and before its end.
[[nodiscard]] Status allow_dumpcap();
void end_dumpcap();

}  // namespace pinhole::io
