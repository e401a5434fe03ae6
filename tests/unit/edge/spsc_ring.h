// SPDX-License-Identifier: BSD-3-Clause
// A ring between two threads with the memory order of rte_ring's single producer and consumer: what
// was written before put() is seen after take() has given the value. One thread puts, one takes.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>

namespace pinhole::edge::test {

template <class T, std::size_t kSlots = 4096>
class SpscRing {
  public:
    // False: it is full.
    bool put(const T& value) {
        const std::size_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_.load(std::memory_order_acquire) == kSlots) {  // pairs with take()
            return false;
        }
        slots_[tail % kSlots] = value;
        tail_.store(tail + 1, std::memory_order_release);  // pairs with take()
        return true;
    }
    [[nodiscard]] std::optional<T> take() {
        const std::size_t head = head_.load(std::memory_order_relaxed);
        if (head == tail_.load(std::memory_order_acquire)) {  // pairs with put()
            return std::nullopt;
        }
        const T value = slots_[head % kSlots];
        head_.store(head + 1, std::memory_order_release);  // pairs with put()
        return value;
    }

  private:
    std::array<T, kSlots> slots_;
    alignas(64) std::atomic<std::size_t> head_{0};
    alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace pinhole::edge::test
