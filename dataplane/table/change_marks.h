// SPDX-License-Identifier: BSD-3-Clause
// Which slots have changed since somebody last looked: a bit a slot, and above it a bit a word, so
// that a look over millions of quiet slots costs next to nothing. Any thread marks; one thread
// drains. A mark is never lost, and many changes of one slot are one mark: there is no queue that
// could overflow. Pure.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace pinhole::table {

class ChangeMarks {
  public:
    // `words` and `summary` hold words_for() and summary_for() zeroed words.
    void attach(std::atomic<std::uint64_t>* words, std::atomic<std::uint64_t>* summary,
                std::uint32_t slots) {
        words_ = words;
        summary_ = summary;
        summary_count_ = summary_for(slots);
    }
    static constexpr std::uint32_t words_for(std::uint32_t slots) {
        return static_cast<std::uint32_t>((std::uint64_t{slots} + 63) / 64);
    }
    static constexpr std::uint32_t summary_for(std::uint32_t slots) {
        return (words_for(slots) + 63) / 64;
    }

    // After the change is published. Any thread.
    void mark(std::uint32_t slot) {
        // The exchange in drain() sees this, and with it the change, or comes before it and leaves
        // the mark for the next time.
        const std::uint64_t before =
            words_[slot / 64].fetch_or(bit_of(slot), std::memory_order_seq_cst);
        if (before == 0) {  // else who made it so sets the summary
            summary_[slot / 4096].fetch_or(bit_of(slot / 64), std::memory_order_release);
        }
    }
    // The same for who holds the claim on the slot's record: a mark that stands already is not set
    // again. Nothing is lost by that: the claim comes before this look, and drain() clears the bit
    // before it reads the record; if we saw the bit still set, it sees our claim, and waits for the
    // change.
    void mark_claimed(std::uint32_t slot) {
        if ((words_[slot / 64].load(std::memory_order_seq_cst) & bit_of(slot)) == 0) {
            mark(slot);
        }
    }

    // Clears marks and calls `changed(slot)` for each, about `max` of them (up to 63 more: a word
    // is taken whole), going on where the last call stopped. `changed` marks a slot again if it
    // could not read it. Returns how many it was. One thread.
    template <class Changed>
    std::size_t drain(std::size_t max, Changed&& changed) {
        std::size_t done = 0;
        // Begun in the midst of a group: its first words have their turn last.
        const std::uint32_t groups = summary_count_ + (resume_ != 0 ? 1 : 0);
        for (std::uint32_t n = 0; n < groups && done < max; ++n) {
            if (summary_[cursor_].load(std::memory_order_relaxed) != 0 &&
                !drain_group(max, done, changed)) {
                break;
            }
            resume_ = 0;
            cursor_ = cursor_ + 1 == summary_count_ ? 0 : cursor_ + 1;
        }
        return done;
    }

  private:
    static constexpr std::uint64_t bit_of(std::uint32_t n) { return 1ull << (n % 64); }

    // The words of the group at the cursor, from `resume_` on. False: `max` was reached with some
    // left.
    template <class Changed>
    bool drain_group(std::size_t max, std::size_t& done, Changed& changed) {
        // The summary is cleared before its words, and set after them: a word that fills up again
        // sets it again.
        const std::uint64_t taken = summary_[cursor_].exchange(0, std::memory_order_acquire);
        const std::uint64_t earlier = taken & ~(~0ull << resume_);
        std::uint64_t left = taken & ~earlier;
        for (; left != 0 && done < max; left &= left - 1) {
            const std::uint32_t word =
                cursor_ * 64 + static_cast<std::uint32_t>(std::countr_zero(left));
            std::uint64_t slots = words_[word].exchange(0, std::memory_order_seq_cst);
            for (; slots != 0; slots &= slots - 1) {
                changed(word * 64 + static_cast<std::uint32_t>(std::countr_zero(slots)));
                ++done;
            }
        }
        if ((left | earlier) != 0) {
            summary_[cursor_].fetch_or(left | earlier, std::memory_order_release);
        }
        resume_ = left != 0 ? static_cast<std::uint32_t>(std::countr_zero(left)) : 0;
        return left == 0;
    }

    std::atomic<std::uint64_t>* words_ = nullptr;
    std::atomic<std::uint64_t>* summary_ = nullptr;
    std::uint32_t summary_count_ = 0;
    // The draining thread's: the group, and the word in it, that comes next.
    std::uint32_t cursor_ = 0;
    std::uint32_t resume_ = 0;
};

}  // namespace pinhole::table
