// SPDX-License-Identifier: BSD-3-Clause
// Whether the cores that workers are pinned to are theirs alone: a worker on a core that the kernel
// uses for others too, or whose hyper-twin works, loses packets at bursts. Pure: the texts of /sys
// are handed in.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::machine {

// "0-2,5" as the kernel writes sets of CPUs; what can't be read ends the list. At most 4,096.
[[nodiscard]] std::vector<unsigned> read_cpu_list(std::string_view text);

struct CpuFacts {
    // /sys/devices/system/cpu/isolated
    std::string isolated;
    // Of a CPU: /sys/devices/system/cpu/cpuN/topology/thread_siblings_list, which includes itself;
    // empty if unknown.
    std::function<std::string(unsigned)> siblings;
};

// One warning that says what to do, or none. `cores`: those of pinned workers, one each.
[[nodiscard]] std::optional<std::string> advise(const std::vector<unsigned>& cores,
                                                const CpuFacts& facts);

// Of this machine.
[[nodiscard]] CpuFacts cpu_facts();

}  // namespace pinhole::machine
