// SPDX-License-Identifier: BSD-3-Clause
// Lists and levels of the timing wheel; the contract is in wheel.h.
#include "control/wheel/wheel.h"

#include <algorithm>
#include <bit>

namespace pinhole::wheel {

Wheel::Wheel(std::uint32_t capacity, Tick start)
    : nodes_(std::size_t{capacity} + kCells, Node{kNone, kNone, 0}),
      capacity_(capacity),
      base_(start) {
    for (std::uint32_t head = capacity_; head < capacity_ + kCells; ++head) {
        nodes_[head] = Node{head, head, 0};
    }
}

void Wheel::schedule(std::uint32_t slot, Tick due) {
    cancel(slot);
    nodes_[slot].due = due;
    append(cell_for(due), slot);
    ++size_;
}

void Wheel::cancel(std::uint32_t slot) {
    Node& node = nodes_[slot];
    if (node.next == kNone) {
        return;
    }
    nodes_[node.prev].next = node.next;
    nodes_[node.next].prev = node.prev;
    node.next = kNone;
    --size_;
}

// Every distance is taken modulo the number of groups in 2^32 ticks, so that the wheel turns
// through the wrap.
std::uint32_t Wheel::cell_for(Tick due) const {
    constexpr Tick kBlockMask = (Tick{1} << (32 - kBlockBits)) - 1;
    constexpr Tick kSuperMask = (Tick{1} << (32 - kSuperBits)) - 1;
    if (ticks_ahead(base_, due) < 0) {
        due = base_;
    }
    const Tick blocks = ((due >> kBlockBits) - (base_ >> kBlockBits)) & kBlockMask;
    if (blocks <= 1) {
        return due % kLevel0Cells;
    }
    const Tick supers = ((due >> kSuperBits) - (base_ >> kSuperBits)) & kSuperMask;
    if (supers <= 1) {
        return kLevel1 + (due >> kBlockBits) % kLevel1Cells;
    }
    // What lies past the last cell waits there and is placed anew when that cell is drained.
    const Tick reach = std::min<Tick>(supers, kLevel2Cells - 1);
    return kLevel2 + ((base_ >> kSuperBits) + reach) % kLevel2Cells;
}

void Wheel::append(std::uint32_t cell, std::uint32_t slot) {
    const std::uint32_t head = capacity_ + cell;
    const std::uint32_t last = nodes_[head].prev;
    nodes_[slot].prev = last;
    nodes_[slot].next = head;
    nodes_[last].next = slot;
    nodes_[head].prev = slot;
    if (cell < kLevel0Cells) {
        occupied_[cell / 64] |= std::uint64_t{1} << cell % 64;
    }
}

// The whole list at once; the firing list is empty, the cell is not.
void Wheel::move_to_firing(std::uint32_t cell) {
    Node& from = nodes_[capacity_ + cell];
    const std::uint32_t firing = capacity_ + kFiring;
    nodes_[firing].next = from.next;
    nodes_[firing].prev = from.prev;
    nodes_[from.next].prev = firing;
    nodes_[from.prev].next = firing;
    from.next = from.prev = capacity_ + cell;
}

// Moves a cell's entries to where they belong by now. True when the cell is empty. None comes back
// to it: the groups that are drained are this one and the next, and cell_for() puts both on a lower
// level.
bool Wheel::drain(std::uint32_t cell, std::uint32_t& moves) {
    while (!empty(cell)) {
        if (moves == 0) {
            return false;
        }
        --moves;
        const std::uint32_t slot = nodes_[capacity_ + cell].next;
        schedule(slot, nodes_[slot].due);
    }
    return true;
}

// Moves base_ past the next tick that has entries, and these to the firing list. False if there is
// none up to `now`, or if the moves don't suffice to reach it.
bool Wheel::next_due_tick(Tick now, std::uint32_t& moves) {
    if (size_ == 0 && ticks_ahead(base_, now) >= 0) {
        base_ = now + 1;
        return false;
    }
    while (ticks_ahead(base_, now) >= 0) {
        if (!drain(level2_cell(base_), moves) || !drain(level1_cell(base_), moves)) {
            return false;
        }
        const Tick block_end = base_ | (kBlock - 1);
        const Tick last = ticks_ahead(block_end, now) < 0 ? now : block_end;
        Tick tick = 0;
        if (first_occupied(base_, last, tick)) {
            base_ = tick + 1;
            move_to_firing(tick % kLevel0Cells);
            return true;
        }
        base_ = last + 1;
    }
    prepare(moves);
    return false;
}

// Ahead of time, with what a call has left of its moves; an unfinished cell is taken up again.
void Wheel::prepare(std::uint32_t& moves) {
    if (drain(level2_cell(base_ + kSuper), moves)) {
        (void)drain(level1_cell(base_ + kBlock), moves);
    }
}

// The first tick in [from, last], within one block, whose cell has entries.
bool Wheel::first_occupied(Tick from, Tick last, Tick& found) {
    const std::uint32_t first_cell = from % kLevel0Cells;
    const std::uint32_t last_cell = last % kLevel0Cells;
    for (std::uint32_t word = first_cell / 64; word <= last_cell / 64; ++word) {
        std::uint64_t bits = occupied_[word];
        if (word == first_cell / 64) {
            bits &= ~std::uint64_t{0} << first_cell % 64;
        }
        for (; bits != 0; bits &= bits - 1) {
            const auto cell = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
            if (cell > last_cell) {
                return false;
            }
            occupied_[word] &= ~(std::uint64_t{1} << cell % 64);
            if (!empty(cell)) {
                found = from + (cell - first_cell);
                return true;
            }
        }
    }
    return false;
}

}  // namespace pinhole::wheel
