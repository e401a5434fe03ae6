// SPDX-License-Identifier: BSD-3-Clause
// A hierarchical timing wheel that holds at most one entry a contact slot. Pure: the present tick
// is an argument, and a call's work is bounded by another. One thread owns it (the control thread).
// Memory is taken once: 12 bytes a slot and about 120 KB of list heads. How long a tick lasts is
// the caller's business (pinhole's are 10 ms).
//
// Three levels of lists; a level's cell spans a whole group of the level below:
//
//   level 0   8,192 cells of 1 tick        this block of 4,096 ticks and the next (41 to 82 s
//   ahead) level 1   2,048 cells of 4,096 ticks   this super-block of 1,024 blocks and the next (12
//   to 23 h) level 2      64 cells of 2^22 ticks    31 days; what is due later waits here and is
//   looked at again
//
// An entry moves down once per level. A group is moved down piecemeal all through the group before
// it, so that no tick pays for a whole one. Ticks are numbers modulo 2^32: a due tick lies less
// than 2^31 ahead, or it is overdue.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pinhole::wheel {

using Tick = std::uint32_t;

// How far `to` lies ahead of `from`; negative if it lies behind.
[[nodiscard]] constexpr std::int32_t ticks_ahead(Tick from, Tick to) {
    return static_cast<std::int32_t>(to - from);
}

class Wheel {
  public:
    // Slots are [0, capacity); `start` is the first tick that advance() will pass.
    Wheel(std::uint32_t capacity, Tick start);

    // Sets or moves the slot's entry. What is overdue is due at the next tick that advance()
    // passes.
    void schedule(std::uint32_t slot, Tick due);
    void cancel(std::uint32_t slot);  // nothing happens if there is no entry

    [[nodiscard]] bool scheduled(std::uint32_t slot) const { return nodes_[slot].next != kNone; }
    // As it was asked for. Only for a scheduled slot.
    [[nodiscard]] Tick due(std::uint32_t slot) const { return nodes_[slot].due; }
    [[nodiscard]] std::uint32_t size() const { return size_; }
    [[nodiscard]] std::uint32_t capacity() const { return capacity_; }
    [[nodiscard]] static constexpr std::size_t bytes_per_contact() { return sizeof(Node); }

    // Takes out what is due at `now` or before and calls `fn(slot)` for each, in the order of the
    // ticks and, within a tick, mostly in that of scheduling. At most `max_expired` are taken (and
    // about as many moved between levels); what is left comes first at the next call. `fn` may
    // schedule and cancel whatever it likes; what it schedules for the past waits for the next
    // tick. Returns how many were taken: fewer than `max_expired` means that all is done, or that
    // this call's moves were used up; caught_up() tells.
    template <typename Fn>
    std::uint32_t advance(Tick now, std::uint32_t max_expired, Fn&& fn) {
        return advance(now, max_expired, fn, [](std::uint32_t, std::uint32_t) {});
    }
    // The same, and before each `fn` calls `ahead(next, after_next)` with the slots that probably
    // come next, for a caller that prefetches what it needs of them; kNobody: the tick has no more.
    static constexpr std::uint32_t kNobody = 0xffff'ffff;
    template <typename Fn, typename Ahead>
    std::uint32_t advance(Tick now, std::uint32_t max_expired, Fn&& fn, Ahead&& ahead) {
        return advance(now, max_expired, fn, ahead, [] { return false; });
    }
    // The same, and takes no more in this call once `enough()` is true, which is asked before each.
    template <typename Fn, typename Ahead, typename Enough>
    std::uint32_t advance(Tick now, std::uint32_t max_expired, Fn&& fn, Ahead&& ahead,
                          Enough&& enough) {
        std::uint32_t moves = max_expired;
        std::uint32_t taken = 0;
        for (;;) {
            while (!empty(kFiring)) {
                if (taken == max_expired) {
                    return taken;
                }
                if (enough()) {
                    prepare(moves);
                    return taken;
                }
                const std::uint32_t slot = nodes_[capacity_ + kFiring].next;
                cancel(slot);
                ++taken;
                look_ahead(ahead);
                fn(slot);
            }
            if (!next_due_tick(now, moves)) {
                return taken;
            }
        }
    }

    // Whether everything due at `now` or before has been taken.
    [[nodiscard]] bool caught_up(Tick now) const { return empty(kFiring) && has_begun(now); }
    // Whether everything due before `now` has been taken.
    [[nodiscard]] bool has_begun(Tick now) const { return ticks_ahead(now, base_) > 0; }

  private:
    struct Node {
        std::uint32_t prev;
        std::uint32_t next;
        Tick due;
    };
    static_assert(sizeof(Node) == 12);

    static constexpr std::uint32_t kNone = 0xffff'ffff;
    static constexpr unsigned kBlockBits = 12;  // of ticks
    static constexpr unsigned kSuperBits = 22;
    static constexpr Tick kBlock = Tick{1} << kBlockBits;
    static constexpr Tick kSuper = Tick{1} << kSuperBits;
    static constexpr std::uint32_t kLevel0Cells = 2u << kBlockBits;
    static constexpr std::uint32_t kLevel1Cells = 2u << (kSuperBits - kBlockBits);
    static constexpr std::uint32_t kLevel2Cells = 64;
    static constexpr std::uint32_t kLevel1 = kLevel0Cells;
    static constexpr std::uint32_t kLevel2 = kLevel1 + kLevel1Cells;
    static constexpr std::uint32_t kFiring =
        kLevel2 + kLevel2Cells;  // a tick's entries, being taken out
    static constexpr std::uint32_t kCells = kFiring + 1;

    static constexpr std::uint32_t level1_cell(Tick tick) {
        return kLevel1 + (tick >> kBlockBits) % kLevel1Cells;
    }
    static constexpr std::uint32_t level2_cell(Tick tick) {
        return kLevel2 + (tick >> kSuperBits) % kLevel2Cells;
    }

    // A cell is a ring closed by a node of its own, which stands behind the slots' nodes.
    [[nodiscard]] bool empty(std::uint32_t cell) const {
        return nodes_[capacity_ + cell].next == capacity_ + cell;
    }
    // The node of `after` has been fetched a call ago, and the one behind it is fetched now.
    template <typename Ahead>
    void look_ahead(Ahead&& ahead) const {
        const std::uint32_t next = nodes_[capacity_ + kFiring].next;
        if (next < capacity_) {
            const std::uint32_t after = nodes_[next].next;
            __builtin_prefetch(&nodes_[after], 1);
            ahead(next, after < capacity_ ? after : kNobody);
        }
    }
    [[nodiscard]] std::uint32_t cell_for(Tick due) const;
    void append(std::uint32_t cell, std::uint32_t slot);
    void move_to_firing(std::uint32_t cell);
    [[nodiscard]] bool drain(std::uint32_t cell, std::uint32_t& moves);
    [[nodiscard]] bool next_due_tick(Tick now, std::uint32_t& moves);
    void prepare(std::uint32_t& moves);
    [[nodiscard]] bool first_occupied(Tick from, Tick last, Tick& found);

    std::vector<Node> nodes_;  // capacity_ slots, then kCells list heads
    std::array<std::uint64_t, kLevel0Cells / 64> occupied_{};  // level 0; a set bit may be stale
    std::uint32_t capacity_;
    std::uint32_t size_ = 0;
    Tick base_;  // the first tick not yet passed
};

}  // namespace pinhole::wheel
