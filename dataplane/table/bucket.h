// SPDX-License-Identifier: BSD-3-Clause
// A shard's first index: AOR hash -> record. Buckets are cache lines of seven cells; a bucket that
// needs more chains lines from a pool that all shards share, so that even a hash that always
// collides works until the table is full. About four records a line at full load. A record never
// moves between cells: who walks a bucket while it changes sees all that was there throughout.
// Finding: any thread; changing: the shard's owner.
//
//   cell 0 .. 6: | tag[16] | record pointer[48] |    0: free
//   overflow[4]: index + 1 of the next line
#pragma once

#include "dataplane/table/aor_hash.h"
#include "dataplane/table/free_list.h"
#include "dataplane/table/record.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pinhole::table {

struct alignas(64) BucketLine {
    static constexpr std::size_t kCells = 7;

    std::array<std::atomic<std::uint64_t>, kCells> cells;
    std::atomic<std::uint32_t> overflow;
    std::uint32_t reserved;
};
static_assert(sizeof(BucketLine) == 64);

// The lines beyond the first of each bucket: shared, because which shard needs them is chance.
struct OverflowLines {
    BucketLine* lines;
    FreeList free;

    [[nodiscard]] std::optional<std::uint32_t> pop() {
        return free.pop([this](std::uint32_t i) -> auto& { return lines[i].overflow; });
    }
    void push(std::uint32_t line) {
        free.push(line, [this](std::uint32_t i) -> auto& { return lines[i].overflow; });
    }
};

class BucketIndex {
  public:
    // Where a record stands, or where one could.
    struct Place {
        std::atomic<std::uint64_t>* cell = nullptr;
        BucketLine* line = nullptr;
        BucketLine* before = nullptr;  // the line that links to this one; null: the bucket's first
    };

    void attach(BucketLine* lines, std::uint32_t count, OverflowLines* overflow) {
        lines_ = lines;
        count_ = count;
        overflow_ = overflow;
    }
    // Four records a line when the shard has its share of the table.
    static constexpr std::uint32_t lines_for(std::uint64_t records) {
        return static_cast<std::uint32_t>(records / 4 + 1);
    }
    static constexpr std::uint32_t overflow_lines_for(std::uint64_t records, std::uint32_t shards) {
        // In a full table that has been filled once, a line is chained for every 78 records; when
        // records have come and gone for long, for every 23, since a chained line stays while a
        // record is in it. The hash is keyed, so nobody can make it more. A small table has all it
        // could want.
        const std::uint64_t ever = records / BucketLine::kCells;
        return static_cast<std::uint32_t>(
            std::max(records / 14, std::min<std::uint64_t>(ever, 4096)) +
            std::uint64_t{64} * (shards + 1));
    }

    // Any thread. The record is good until the caller's next quiescent state.
    [[nodiscard]] Record* find(std::uint64_t hash, std::string_view aor) const {
        for (const BucketLine* line = first_line(hash); line != nullptr; line = next(*line)) {
            for (unsigned left = matches(*line, hash); left != 0; left &= left - 1) {
                // Acquire pairs with put(): the record is whole. It may have gone since matches().
                Record* record =
                    record_of(line->cells[static_cast<unsigned>(std::countr_zero(left))].load(
                        std::memory_order_acquire));
                if (record != nullptr && record->is(hash, aor)) {
                    return record;
                }
            }
        }
        return nullptr;
    }
    void prefetch_bucket(std::uint64_t hash) const { __builtin_prefetch(first_line(hash)); }
    // Once the bucket has come. One in a hundred at full load stands in an overflow line, whose
    // record comes late.
    void prefetch_record(std::uint64_t hash) const {
        const BucketLine* line = first_line(hash);
        if (const unsigned found = matches(*line, hash); found != 0) {
            prefetch_lines(
                record_of(line->cells[static_cast<unsigned>(std::countr_zero(found))].load(
                    std::memory_order_relaxed)));
            return;
        }
        if (const BucketLine* more = next(*line); more != nullptr) {
            __builtin_prefetch(more);
        }
    }
    // Once the record has come: the slot of its first contact, or no slot. It may be another AOR's:
    // a hint for what to fetch next.
    [[nodiscard]] std::uint32_t likely_slot(std::uint64_t hash) const {
        const BucketLine* line = first_line(hash);
        const unsigned found = matches(*line, hash);
        const Record* record =
            found == 0 ? nullptr
                       : record_of(line->cells[static_cast<unsigned>(std::countr_zero(found))].load(
                             std::memory_order_acquire));
        return record == nullptr || record->contact_count() == 0 ? kNoSlot : record->fixed(0).slot;
    }
    // All records of bucket `n`.
    template <class Visit>
    void for_each(std::uint32_t n, Visit&& visit) const {
        for (const BucketLine* line = &lines_[n]; line != nullptr; line = next(*line)) {
            for (const auto& cell : line->cells) {
                if (const std::uint64_t value = cell.load(std::memory_order_acquire); value != 0) {
                    visit(*record_of(value));
                }
            }
        }
    }
    [[nodiscard]] std::uint32_t count() const { return count_; }

    // The owner's.
    [[nodiscard]] Place locate(std::uint64_t hash, std::string_view aor) const;
    // A free cell for a record with this hash, chaining a line if need be. No cell: no line is
    // left.
    [[nodiscard]] Place reserve(std::uint64_t hash);
    void put(const Place& place, Record* record);
    // Empties the cell. True: that left a chained line empty, and it has been unlinked; when
    // readers have let go of it `line` goes back by OverflowLines::push().
    [[nodiscard]] bool clear(const Place& place, std::uint32_t& line);

    [[nodiscard]] static Record* record_at(const Place& place) {
        return record_of(place.cell->load(std::memory_order_relaxed));
    }

  private:
    static constexpr std::uint64_t kPointerMask = (1ull << 48) - 1;

    static std::uint16_t tag_of(std::uint64_t cell) {
        return static_cast<std::uint16_t>(cell >> 48);
    }
    static Record* record_of(std::uint64_t cell) {
        return reinterpret_cast<Record*>(cell & kPointerMask);
    }
    // The cells with the hash's tag, a bit each. All seven are looked at: where a record stands is
    // chance, and a branch for each cell would be mispredicted once a lookup.
    static unsigned matches(const BucketLine& line, std::uint64_t hash) {
        unsigned found = 0;
        for (unsigned i = 0; i < BucketLine::kCells; ++i) {
            const std::uint64_t value = line.cells[i].load(std::memory_order_relaxed);
            found |= static_cast<unsigned>(tag_of(value) == tag_of_hash(hash)) << i;
        }
        return found;
    }
    static void prefetch_lines(const Record* record) {
        // A number: the cell may have been emptied meanwhile, and a null pointer has no second
        // line.
        const auto at = reinterpret_cast<std::uintptr_t>(record);
        for (std::uintptr_t line = 0; line < 4; ++line) {
            __builtin_prefetch(reinterpret_cast<const void*>(at + line * 64));
        }
    }
    BucketLine* first_line(std::uint64_t hash) const {
        return &lines_[bucket_of_hash(hash, count_)];
    }
    BucketLine* next(const BucketLine& line) const {
        // Acquire pairs with reserve(): a chained line is empty or filled, never what it was
        // before.
        const std::uint32_t link = line.overflow.load(std::memory_order_acquire);
        return link == 0 ? nullptr : &overflow_->lines[link - 1];
    }

    BucketLine* lines_ = nullptr;
    std::uint32_t count_ = 0;
    OverflowLines* overflow_ = nullptr;
};

}  // namespace pinhole::table
