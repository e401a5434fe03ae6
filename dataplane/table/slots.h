// SPDX-License-Identifier: BSD-3-Clause
// The slots of all contacts of all shards, in one array: slot -> the record that holds the contact,
// the generation that makes its id, and the links of the index by flow. Reading: any thread; a
// taken slot is written by the owner of its contact's shard.
#pragma once

#include "dataplane/table/contact_id.h"
#include "dataplane/table/free_list.h"
#include "dataplane/table/record.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

namespace pinhole::table {

struct alignas(16) Slot {
    std::atomic<Record*> record;            // null: no contact
    std::atomic<std::uint32_t> generation;  // of the contact here, or of the next that will be
    std::atomic<std::uint32_t> next;        // by flow, or of the free list: slot + 1, 0 ends it
};
static_assert(sizeof(Slot) == 16 && std::atomic<Record*>::is_always_lock_free);

// Free slots that one owner keeps at hand, so that owners seldom meet at the shared list.
class SlotMagazine {
  public:
    static constexpr std::uint32_t kMax = 64;
    // None for one shard, and few enough that a thousandth of the table at most lies idle in
    // magazines.
    static constexpr std::uint32_t size_for(std::uint32_t slots, std::uint32_t shards) {
        const std::uint32_t fair = shards > 1 ? slots / shards / 1024 : 0;
        return fair < kMax ? fair : kMax;
    }
    void attach(std::uint32_t size) { size_ = size; }

  private:
    friend class Slots;
    std::uint32_t size_ = 0;
    std::uint32_t count_ = 0;
    std::array<std::uint32_t, kMax> free_;
};

class Slots {
  public:
    // `first_generation`, not 0, is that of each slot's first contact in this run.
    Slots(std::uint32_t count, std::uint32_t first_generation)
        : free_(count), count_(count), first_generation_(first_generation) {}
    void attach(Slot* slots) { slots_ = slots; }

    [[nodiscard]] Slot& operator[](std::uint32_t slot) const { return slots_[slot]; }
    [[nodiscard]] std::uint32_t count() const { return count_; }

    // The record that holds this contact; null if it is gone. Any thread.
    [[nodiscard]] const Record* record_of(ContactId id) const {
        if (id.slot >= count_) {
            return nullptr;
        }
        const Slot& slot = slots_[id.slot];
        // Acquire pairs with set_record() and free_contact().
        if (slot.generation.load(std::memory_order_acquire) != id.generation) {
            return nullptr;
        }
        return slot.record.load(std::memory_order_acquire);
    }

    // Owners'. take() sets no record yet.
    [[nodiscard]] std::optional<ContactId> take(SlotMagazine& magazine);
    // A slot whose contact nobody can see any more, or never could.
    void give_back(std::uint32_t slot, SlotMagazine& magazine);
    void set_record(std::uint32_t slot, Record* record) {
        slots_[slot].record.store(record, std::memory_order_release);
    }
    // The contact is gone: its id is stale from here on. give_back() follows when readers have let
    // go.
    void end_contact(std::uint32_t slot);

    // While the table is being loaded, one thread a shard: takes this very slot for this
    // generation. False: no such slot, or taken.
    [[nodiscard]] bool take_exactly(ContactId id);
    // What take_exactly() took and was not used after all.
    void untake(std::uint32_t slot) { slots_[slot].generation.store(0, std::memory_order_relaxed); }
    // After the last take_exactly(), by one thread: all slots without a contact are free.
    void rebuild_free();

  private:
    struct LinkOf {
        Slot* slots;
        std::atomic<std::uint32_t>& operator()(std::uint32_t slot) const {
            return slots[slot].next;
        }
    };
    [[nodiscard]] LinkOf link_of() const { return {slots_}; }

    Slot* slots_ = nullptr;
    FreeList free_;
    const std::uint32_t count_;
    const std::uint32_t first_generation_;
};

}  // namespace pinhole::table
