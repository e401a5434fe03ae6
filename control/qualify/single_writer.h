// SPDX-License-Identifier: BSD-3-Clause
// A value that one thread, the control thread, writes and any thread may read. Pure.
#pragma once

#include <atomic>

namespace pinhole::qualify {

// Relaxed: each value stands for itself.
template <class T>
class SingleWriter {
  public:
    SingleWriter() = default;
    [[nodiscard]] T get() const { return value_.load(std::memory_order_relaxed); }
    void set(T value) { value_.store(value, std::memory_order_relaxed); }
    void add(T by) { set(static_cast<T>(get() + by)); }

  private:
    std::atomic<T> value_{};
    static_assert(std::atomic<T>::is_always_lock_free);
};

}  // namespace pinhole::qualify
