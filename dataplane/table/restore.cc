// SPDX-License-Identifier: BSD-3-Clause
// Loading: contacts come back with the ids they had, before anything else uses the table. One
// thread a shard; shards meet at the slots and the pool of bucket lines alone, which many may take
// from.
#include "dataplane/table/binding_table.h"

#include <algorithm>

namespace pinhole::table {
namespace {

bool fits(std::string_view aor, std::span<const NewContact> contacts) {
    return !aor.empty() && aor.size() <= kMaxAorBytes && !contacts.empty() &&
           contacts.size() <= kMaxContactsPerAor &&
           std::all_of(contacts.begin(), contacts.end(), [](const NewContact& c) {
               return c.uri.size() <= kMaxUriBytes && c.params.size() <= kMaxParamsBytes &&
                      c.path.size() <= kMaxPathBytes;
           });
}

std::size_t text_bytes(std::span<const NewContact> contacts) {
    std::size_t bytes = 0;
    for (const NewContact& c : contacts) {
        bytes += text_bytes(c);
    }
    return bytes;
}

}  // namespace

// All of them, or none.
bool BindingTable::take_slots(std::span<const NewContact> contacts) {
    for (std::size_t i = 0; i < contacts.size(); ++i) {
        if (!slots_.take_exactly(contacts[i].restored_id)) {
            give_back_slots(contacts.first(i));
            return false;
        }
    }
    return true;
}

void BindingTable::give_back_slots(std::span<const NewContact> contacts) {
    for (const NewContact& contact : contacts) {
        slots_.untake(contact.restored_id.slot);
    }
}

ChangeResult BindingTable::restore_owner(std::uint64_t hash, std::string_view aor,
                                         std::span<const NewContact> contacts) {
    Shard& shard = shards_[shard_of(hash)];
    if (!fits(aor, contacts)) {
        return ChangeResult::kTooLarge;
    }
    if (shard.buckets.find(hash, aor) != nullptr || !take_slots(contacts)) {
        return ChangeResult::kNothing;
    }
    const std::size_t bytes = record_bytes(aor.size(), contacts.size(), text_bytes(contacts));
    void* memory = shard.records.allocate(shard.records.context, bytes);
    const BucketIndex::Place place =
        memory != nullptr ? shard.buckets.reserve(hash) : BucketIndex::Place{};
    if (place.cell == nullptr) {
        if (memory != nullptr) {
            shard.records.release(shard.records.context, memory, bytes);
        }
        give_back_slots(contacts);
        return ChangeResult::kNoMemory;
    }
    RecordBuilder builder(memory, bytes, hash, aor, contacts.size());
    for (const NewContact& contact : contacts) {
        builder.add(contact.restored_id, contact);
        slots_.set_record(contact.restored_id.slot, builder.record());
        if (contact.path.empty()) {
            shard.flows.link(contact.restored_id.slot, contact.state.flow);
        }
        for_wheel_.mark(contact.restored_id.slot);
    }
    shard.buckets.put(place, builder.record());
    shard.counts.add(static_cast<std::int64_t>(contacts.size()), 1,
                     static_cast<std::int64_t>(bytes));
    return ChangeResult::kOk;
}

void BindingTable::prefetch_restore(std::uint64_t hash, const FixedContact& contact,
                                    const net::Flow& flow) const {
    const Shard& shard = this->shard(hash);
    shard.buckets.prefetch_bucket(hash);
    shard.flows.prefetch(hash_(flow));
    if (contact.slot < slots_.count()) {
        __builtin_prefetch(&slots_[contact.slot], 1);
    }
}

void BindingTable::finish_restore() {
    slots_.rebuild_free();
}

}  // namespace pinhole::table
