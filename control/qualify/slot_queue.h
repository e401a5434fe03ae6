// SPDX-License-Identifier: BSD-3-Clause
// Contacts whose ping is due and has to wait for the pace or for room in a worker's queue, first
// come first served. A ring of slots, as long as there are slots: a slot stands in it once at most,
// which its user sees to. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pinhole::qualify {

class SlotQueue {
  public:
    explicit SlotQueue(std::uint32_t capacity) : slots_(capacity) {}

    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] std::uint32_t size() const { return count_; }
    void push(std::uint32_t slot) {
        slots_[(std::size_t{first_} + count_) % slots_.size()] = slot;
        ++count_;
    }
    void push_front(std::uint32_t slot) {
        first_ = first_ == 0 ? static_cast<std::uint32_t>(slots_.size()) - 1 : first_ - 1;
        slots_[first_] = slot;
        ++count_;
    }
    std::uint32_t pop() {
        const std::uint32_t slot = slots_[first_];
        first_ = first_ + 1 == slots_.size() ? 0 : first_ + 1;
        --count_;
        return slot;
    }

  private:
    std::vector<std::uint32_t> slots_;
    std::uint32_t first_ = 0;
    std::uint32_t count_ = 0;
};

}  // namespace pinhole::qualify
