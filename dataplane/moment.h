// SPDX-License-Identifier: BSD-3-Clause
// A moment as the dataplane knows it: one reading of the clock, taken once a round and handed to
// whatever decides. All three count by the same clock, which steps of the wall clock don't move.
#pragma once

#include <cstdint>

namespace pinhole {

struct Moment {
    std::uint64_t us = 0;  // since the process's clock was made
    std::uint64_t ms = 0;
    std::uint32_t s = 0;  // of the epoch, as bindings expire

    // As tables keep it: wraps after 49 days, so only differences mean something.
    [[nodiscard]] constexpr std::uint32_t stamp_ms() const {
        return static_cast<std::uint32_t>(ms);
    }
};

}  // namespace pinhole
