// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/binding_table.h"

#include <algorithm>

namespace pinhole::table {
namespace {

constexpr std::size_t kLine = 64;

constexpr std::size_t rounded(std::size_t bytes) {
    return (bytes + kLine - 1) / kLine * kLine;
}

// A shard's share, were the hash to deal evenly. More than that only makes chains longer.
constexpr std::uint64_t share(std::uint32_t contacts, std::uint32_t shards) {
    return (std::uint64_t{contacts} + shards - 1) / shards;
}

template <class T>
bool take(const ArrayMemory& memory, std::size_t count, T*& array) {
    array = static_cast<T*>(memory.allocate(memory.context, rounded(count * sizeof(T))));
    return array != nullptr;
}

}  // namespace

MemoryPlan memory_plan(std::uint32_t max_contacts, std::uint32_t shards,
                       std::size_t contact_bytes) {
    // What jemalloc takes for itself and for growing, and the unevenness of the deal (the hash's
    // spread over shards is a few thousandths of a large share, much of a small one).
    constexpr std::size_t kArenaSlackBytes = std::size_t{16} << 20;
    const std::size_t marks =
        rounded(ChangeMarks::words_for(max_contacts) * sizeof(std::uint64_t)) +
        rounded(ChangeMarks::summary_for(max_contacts) * sizeof(std::uint64_t));
    const std::uint64_t each = share(max_contacts, shards);
    MemoryPlan plan{};
    plan.shared_arrays =
        rounded(max_contacts * sizeof(Slot)) + rounded(max_contacts * sizeof(std::uint32_t)) +
        rounded(BucketIndex::overflow_lines_for(max_contacts, shards) * sizeof(BucketLine)) + marks;
    plan.shard_arrays = rounded(BucketIndex::lines_for(each) * sizeof(BucketLine)) +
                        rounded(FlowIndex::heads_for(each) * sizeof(std::uint32_t)) +
                        rounded(FlowIndex::kStripes * sizeof(std::uint32_t)) +
                        rounded(RetireList::kCapacity * sizeof(RetireList::Entry));
    plan.shard_records = each * contact_bytes + kArenaSlackBytes;
    return plan;
}

std::unique_ptr<BindingTable> BindingTable::make(const TableConfig& config) {
    if (config.max_contacts == 0 || config.max_contacts > kMaxContacts ||
        config.first_generation == 0 || config.shards.empty()) {
        return nullptr;
    }
    std::unique_ptr<BindingTable> table(new BindingTable(config));
    if (!table->attach_arrays(config)) {
        return nullptr;
    }
    return table;
}

BindingTable::BindingTable(const TableConfig& config)
    : hash_(config.hash),
      reclaimer_(config.reclaimer),
      slots_(config.max_contacts, config.first_generation),
      overflow_{nullptr,
                FreeList(BucketIndex::overflow_lines_for(
                    config.max_contacts, static_cast<std::uint32_t>(config.shards.size())))},
      shards_(config.shards.size()) {}

bool BindingTable::attach_arrays(const TableConfig& config) {
    const std::uint32_t contacts = config.max_contacts;
    const std::uint64_t each = share(contacts, shard_count());
    Slot* slots = nullptr;
    std::uint32_t* previous = nullptr;
    if (!take(config.arrays, contacts, slots) || !take(config.arrays, contacts, previous) ||
        !take(config.arrays, BucketIndex::overflow_lines_for(contacts, shard_count()),
              overflow_.lines)) {
        return false;
    }
    slots_.attach(slots);
    std::atomic<std::uint64_t>* words = nullptr;
    std::atomic<std::uint64_t>* summary = nullptr;
    if (!take(config.arrays, ChangeMarks::words_for(contacts), words) ||
        !take(config.arrays, ChangeMarks::summary_for(contacts), summary)) {
        return false;
    }
    for_wheel_.attach(words, summary, contacts);
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        Shard& shard = shards_[i];
        const ArrayMemory& arrays = config.shards[i].arrays;
        BucketLine* lines = nullptr;
        std::atomic<std::uint32_t>* heads = nullptr;
        std::atomic<std::uint32_t>* stripes = nullptr;
        RetireList::Entry* retired = nullptr;
        if (!take(arrays, BucketIndex::lines_for(each), lines) ||
            !take(arrays, FlowIndex::heads_for(each), heads) ||
            !take(arrays, FlowIndex::kStripes, stripes) ||
            !take(arrays, RetireList::kCapacity, retired)) {
            return false;
        }
        shard.buckets.attach(lines, BucketIndex::lines_for(each), &overflow_);
        shard.flows.attach(heads, FlowIndex::heads_for(each), stripes, &slots_, previous, &hash_);
        shard.records = config.shards[i].records;
        shard.retired.attach(retired);
        shard.magazine.attach(SlotMagazine::size_for(contacts, shard_count()));
    }
    return true;
}

BindingTable::~BindingTable() {
    for (Shard& shard : shards_) {
        if (shard.records.ends_whole) {
            continue;  // millions of them would take seconds, which an end by SIGTERM hasn't got
        }
        for (; !shard.retired.empty(); shard.retired.pop()) {
            const RetireList::Entry& entry = shard.retired.front();
            if (entry.kind == RetireList::Kind::kRecord) {
                shard.records.release(shard.records.context, entry.record, entry.value);
            }
        }
        for (std::uint32_t n = 0; n < shard.buckets.count(); ++n) {
            shard.buckets.for_each(n, [&](Record& record) {
                shard.records.release(shard.records.context, &record, record.bytes());
            });
        }
    }
}

SlotRead BindingTable::read(ContactId id, ContactView& view) const {
    const Record* record = record_of(id);
    if (record == nullptr) {
        return SlotRead::kGone;
    }
    const std::size_t i = record->index_of(id);
    if (i == record->contact_count()) {
        return SlotRead::kGone;
    }
    return record->read(i, view) ? SlotRead::kLive : SlotRead::kContended;
}

SlotRead BindingTable::read_slot(std::uint32_t n, ContactView& view) const {
    if (n >= slots_.count()) {
        view.id = {};
        return SlotRead::kGone;
    }
    const Slot& slot = slots_[n];
    // The generation may be newer than the record while the owner is between the two: then the
    // contact is just going.
    view.id = {n, slot.generation.load(std::memory_order_acquire)};
    const Record* record = slot.record.load(std::memory_order_acquire);
    if (record == nullptr) {
        return SlotRead::kGone;
    }
    const std::size_t i = record->index_of(view.id);
    if (i == record->contact_count()) {
        return SlotRead::kContended;
    }
    return record->read(i, view) ? SlotRead::kLive : SlotRead::kContended;
}

ContactId BindingTable::id_at(std::uint32_t n) const {
    if (n >= slots_.count()) {
        return {};
    }
    const ContactId id{n, slots_[n].generation.load(std::memory_order_acquire)};
    const Record* record = slots_.record_of(id);
    // The id is not the record's while the owner is ending the contact.
    return record != nullptr && record->index_of(id) != record->contact_count() ? id : ContactId{};
}

FlowMatches BindingTable::find_by_flow(const net::Flow& flow, std::uint64_t flow_hash,
                                       std::span<ContactId> out) const {
    FlowMatches matches;
    for (const Shard& shard : shards_) {
        const std::size_t base = matches.count;
        bool readable = true;
        const bool quiet = shard.flows.walk(
            flow_hash,
            [&] {
                matches.count = base;
                readable = true;
            },
            [&](std::uint32_t slot) {
                if (matches.count == out.size()) {
                    return false;
                }
                ContactId id{slot, slots_[slot].generation.load(std::memory_order_acquire)};
                const Record* record = slots_.record_of(id);
                const std::size_t i = record != nullptr ? record->index_of(id) : 0;
                if (record == nullptr || i == record->contact_count()) {
                    return true;  // on its way in or out: the stripe will tell
                }
                ContactState state;
                if (!record->read_state(i, state)) {
                    readable = false;
                } else if (state.flow == flow) {
                    out[matches.count++] = id;
                }
                return matches.count < out.size();
            });
        matches.complete = matches.complete && quiet && readable;
        if (matches.count == out.size()) {
            matches.complete = false;
            break;
        }
    }
    return matches;
}

void BindingTable::prefetch_flow(std::uint64_t flow_hash) const {
    for (const Shard& shard : shards_) {
        shard.flows.prefetch(flow_hash);
    }
}

void BindingTable::prefetch_flow_slot(std::uint64_t flow_hash) const {
    for (const Shard& shard : shards_) {
        prefetch_slot(shard.flows.first_any(flow_hash));
    }
}

void BindingTable::prefetch_flow_record(std::uint64_t flow_hash) const {
    for (const Shard& shard : shards_) {
        prefetch_slot_record(shard.flows.first_any(flow_hash));
    }
}

void BindingTable::prefetch_slot(std::uint32_t slot) const {
    if (slot < slots_.count()) {
        __builtin_prefetch(&slots_[slot]);
    }
}

// The state stands behind the record's head, in its second line.
void BindingTable::prefetch_slot_record(std::uint32_t slot) const {
    if (slot < slots_.count()) {
        // A number: there may be no record, and a null pointer has no second line.
        const auto record =
            reinterpret_cast<std::uintptr_t>(slots_[slot].record.load(std::memory_order_relaxed));
        __builtin_prefetch(reinterpret_cast<const void*>(record));
        __builtin_prefetch(reinterpret_cast<const void*>(record + 64));
    }
}

bool BindingTable::has_flow(const net::Flow& flow, std::uint64_t flow_hash) const {
    ContactId id;
    return find_by_flow(flow, flow_hash, {&id, 1}).count != 0;
}

std::size_t BindingTable::reclaim_owner(std::uint32_t n, std::size_t max) {
    Shard& shard = shards_[n];
    std::size_t done = 0;
    for (; done < max && !shard.retired.empty(); ++done, shard.retired.pop()) {
        const RetireList::Entry& entry = shard.retired.front();
        if (!reclaimer_.passed(reclaimer_.context, entry.token)) {
            break;
        }
        switch (entry.kind) {
            case RetireList::Kind::kRecord:
                shard.records.release(shard.records.context, entry.record, entry.value);
                break;
            case RetireList::Kind::kSlot:
                slots_.give_back(entry.value, shard.magazine);
                break;
            case RetireList::Kind::kLine:
                overflow_.push(entry.value);
                break;
        }
    }
    return done;
}

ShardCounts BindingTable::counts() const {
    ShardCounts sum;
    for (const Shard& shard : shards_) {
        const ShardCounts one = shard.counts.read();
        sum.contacts += one.contacts;
        sum.records += one.records;
        sum.record_bytes += one.record_bytes;
    }
    return sum;
}

}  // namespace pinhole::table
