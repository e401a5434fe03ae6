// SPDX-License-Identifier: BSD-3-Clause
// A stack of free indices that all shards' owners share: a list through the elements' own link
// words, its head tagged against ABA, and a mark below which every element has been handed out once
// (so that nothing is touched before it is needed). Links hold index + 1; 0 ends the list. Pure;
// any owner, a bounded number of tries.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace pinhole::table {

class FreeList {
  public:
    explicit FreeList(std::uint32_t count) : count_(count) {}

    // `link(index)` gives the element's std::atomic<std::uint32_t>&. Nothing: none is free (or, as
    // good as never, kMaxTries other owners came first).
    template <class Link>
    [[nodiscard]] std::optional<std::uint32_t> pop(Link&& link) {
        std::uint64_t head = head_.load(std::memory_order_acquire);
        for (int i = 0; i < kMaxTries && first_of(head) != 0; ++i) {
            const std::uint32_t index = first_of(head) - 1;
            // May be another owner's element by now; the tag then makes the exchange fail.
            const std::uint32_t next = link(index).load(std::memory_order_relaxed);
            if (head_.compare_exchange_weak(head, make_head(head, next),
                                            std::memory_order_acquire)) {
                return index;
            }
        }
        return first_of(head) == 0 ? pop_fresh() : std::nullopt;
    }
    template <class Link>
    void push(std::uint32_t index, Link&& link) {
        std::uint64_t head = head_.load(std::memory_order_relaxed);
        do {  // lock-free: a failure here is another owner's success
            link(index).store(first_of(head), std::memory_order_relaxed);
        } while (!head_.compare_exchange_weak(head, make_head(head, index + 1),
                                              std::memory_order_release,
                                              std::memory_order_relaxed));
    }

    // While the table is being loaded: all below `fresh` will have been handed out, or pushed.
    void raise(std::uint32_t fresh) {
        std::uint32_t now = fresh_.load(std::memory_order_relaxed);
        while (now < fresh &&
               !fresh_.compare_exchange_weak(now, fresh, std::memory_order_relaxed)) {
        }
    }
    // While one thread alone uses the table (restoring): forget the list, hand out from `fresh` on.
    void reset(std::uint32_t fresh) {
        head_.store(0, std::memory_order_relaxed);
        fresh_.store(fresh, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint32_t fresh() const { return fresh_.load(std::memory_order_relaxed); }

  private:
    static constexpr int kMaxTries = 1024;

    static std::uint32_t first_of(std::uint64_t head) { return static_cast<std::uint32_t>(head); }
    static std::uint64_t make_head(std::uint64_t old, std::uint32_t first) {
        return ((old >> 32) + 1) << 32 | first;
    }
    std::optional<std::uint32_t> pop_fresh() {
        std::uint32_t fresh = fresh_.load(std::memory_order_relaxed);
        for (int i = 0; i < kMaxTries && fresh < count_; ++i) {
            if (fresh_.compare_exchange_weak(fresh, fresh + 1, std::memory_order_relaxed)) {
                return fresh;
            }
        }
        return std::nullopt;
    }

    alignas(64) std::atomic<std::uint64_t> head_{0};
    std::atomic<std::uint32_t> fresh_{0};
    const std::uint32_t count_;
};

}  // namespace pinhole::table
