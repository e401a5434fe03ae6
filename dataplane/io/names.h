// SPDX-License-Identifier: BSD-3-Clause
// Names for what DPDK knows by name in the whole process, such as pools and rings: never the same
// twice, so that two dataplanes can stand side by side in a benchmark. Any thread; at start.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

namespace pinhole::io {

// "rx.3" of "rx".
[[nodiscard]] inline std::string unique_name(std::string_view what) {
    static std::atomic<unsigned> count{0};
    return std::string(what) + "." + std::to_string(count.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace pinhole::io
