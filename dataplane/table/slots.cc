// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/slots.h"

namespace pinhole::table {

std::optional<ContactId> Slots::take(SlotMagazine& magazine) {
    std::uint32_t slot = 0;
    if (magazine.count_ != 0) {
        slot = magazine.free_[--magazine.count_];
    } else if (const auto free = free_.pop(link_of())) {
        slot = *free;
        // The rest of a magazine comes along: owners meet once in that many newcomers.
        while (magazine.count_ + 1 < magazine.size_) {
            const auto more = free_.pop(link_of());
            if (!more) {
                break;
            }
            magazine.free_[magazine.count_++] = *more;
        }
    } else {
        return std::nullopt;
    }
    std::uint32_t generation = slots_[slot].generation.load(std::memory_order_relaxed);
    if (generation == 0) {  // never used: the array came zeroed
        generation = first_generation_;
        slots_[slot].generation.store(generation, std::memory_order_release);
    }
    return ContactId{slot, generation};
}

void Slots::give_back(std::uint32_t slot, SlotMagazine& magazine) {
    if (magazine.count_ < magazine.size_) {
        magazine.free_[magazine.count_++] = slot;
    } else {
        free_.push(slot, link_of());
    }
}

void Slots::end_contact(std::uint32_t slot) {
    const std::uint32_t ended = slots_[slot].generation.load(std::memory_order_relaxed);
    // The generation first: who sees the record gone, or another, sees the id stale.
    slots_[slot].generation.store(ended + 1 == 0 ? 1 : ended + 1, std::memory_order_release);
    slots_[slot].record.store(nullptr, std::memory_order_release);
}

bool Slots::take_exactly(ContactId id) {
    std::uint32_t untouched = 0;
    if (id.slot >= count_ || !id.valid() ||
        !slots_[id.slot].generation.compare_exchange_strong(untouched, id.generation,
                                                            std::memory_order_acq_rel)) {
        return false;
    }
    free_.raise(id.slot + 1);
    return true;
}

void Slots::rebuild_free() {
    const std::uint32_t used = free_.fresh();
    free_.reset(used);
    for (std::uint32_t slot = used; slot-- > 0;) {
        if (slots_[slot].record.load(std::memory_order_relaxed) == nullptr) {
            free_.push(slot, link_of());
        }
    }
}

}  // namespace pinhole::table
