// SPDX-License-Identifier: BSD-3-Clause
// The timers that an edge has asked for, the next one due first. There is room for one a job, more
// than an edge ever has under way; it is taken once. One worker.
#pragma once

#include "dataplane/edge/capacity.h"
#include "dataplane/edge/sink.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <optional>
#include <vector>

namespace pinhole::edge {

class TimerQueue {
  public:
    TimerQueue() { heap_.reserve(kMaxJobs); }

    void add(const Timer& timer) {
        assert(heap_.size() < kMaxJobs);
        heap_.push_back(timer);
        std::push_heap(heap_.begin(), heap_.end(), is_later);
    }
    // The next timer that is due by `now_ms`, taken out; none if there is none.
    [[nodiscard]] std::optional<Timer> take_due(std::uint64_t now_ms) {
        if (heap_.empty() || heap_.front().due_ms > now_ms) [[likely]] {
            return std::nullopt;
        }
        const Timer due = heap_.front();
        std::pop_heap(heap_.begin(), heap_.end(), is_later);
        heap_.pop_back();
        return due;
    }

  private:
    static bool is_later(const Timer& a, const Timer& b) { return a.due_ms > b.due_ms; }

    std::vector<Timer> heap_;
};

}  // namespace pinhole::edge
