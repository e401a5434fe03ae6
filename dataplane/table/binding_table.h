// SPDX-License-Identifier: BSD-3-Clause
// The binding table: which contacts each AOR has, and by which flow each is reached. Lock-free:
// structure has one writer a shard, its owner (functions named _owner); reading and in-place
// refreshing (_any) is for any thread that reports quiescent states. What a reader got is good
// until its next quiescent state. The table doesn't grow: past `max_contacts` a newcomer gets
// kTableFull. Pure: memory, reclamation and the hash's seed are handed in.
//
//   hash(aor) -> shard -> bucket line -> record (AOR and its contacts)       BucketIndex, Record
//   ContactId -> slot  -> record                                            Slots
//   flow      -> every shard's heads -> slots' chain -> records             FlowIndex
#pragma once

#include "dataplane/table/aor_hash.h"
#include "dataplane/table/bucket.h"
#include "dataplane/table/change_marks.h"
#include "dataplane/table/contact.h"
#include "dataplane/table/edit.h"
#include "dataplane/table/flow_index.h"
#include "dataplane/table/memory.h"
#include "dataplane/table/record.h"
#include "dataplane/table/shard.h"
#include "dataplane/table/slots.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace pinhole::table {

struct TableConfig {
    std::uint32_t max_contacts = 0;  // 1 .. kMaxContacts
    KeyedHash hash;
    Reclaimer reclaimer;
    ArrayMemory arrays;                   // for what all shards share
    std::span<const ShardMemory> shards;  // one a worker
    // Where the slots' generations begin; not 0. A caller that hands out ids in texts that outlive
    // the process gives another at each start, far from the earlier ones, so that an old id means
    // no new contact.
    std::uint32_t first_generation = 1;
};
inline constexpr std::uint32_t kMaxContacts = 1u << 30;

// What the table needs: `io` maps it before it makes the table. All in bytes.
struct MemoryPlan {
    std::size_t shared_arrays;
    std::size_t shard_arrays;   // of each shard
    std::size_t shard_records;  // of each shard
    [[nodiscard]] std::size_t total(std::uint32_t shards) const {
        return shared_arrays + shards * (shard_arrays + shard_records);
    }
};
// `contact_bytes` is the record memory to have for a contact: 256 for a usual phone, and what
// jemalloc needs around it.
[[nodiscard]] MemoryPlan memory_plan(std::uint32_t max_contacts, std::uint32_t shards,
                                     std::size_t contact_bytes = 320);

enum class SlotRead : std::uint8_t { kLive, kGone, kContended };

struct FlowMatches {
    std::size_t count = 0;  // how many stand in `out`
    bool complete = true;   // false: there may be more (`out` is full, or the chain kept changing)
};

// Where a listing stands. A record that is there throughout is visited exactly once.
struct ListCursor {
    std::uint32_t shard = 0;
    std::uint32_t bucket = 0;
};

class BindingTable {
  public:
    // Null: an array didn't fit into the memory handed in.
    [[nodiscard]] static std::unique_ptr<BindingTable> make(const TableConfig& config);
    // Records go back to their allocators, except to an allocator that ends as a whole. No thread
    // may use the table any more.
    ~BindingTable();
    BindingTable(const BindingTable&) = delete;
    BindingTable& operator=(const BindingTable&) = delete;

    [[nodiscard]] const KeyedHash& hash() const { return hash_; }
    [[nodiscard]] std::uint32_t shard_count() const {
        return static_cast<std::uint32_t>(shards_.size());
    }
    [[nodiscard]] std::uint32_t shard_of(std::uint64_t hash) const {
        return shard_of_hash(hash, shard_count());
    }
    [[nodiscard]] std::uint32_t max_contacts() const { return slots_.count(); }

    // Finding, in stages for a burst: prefetch_bucket for all, prefetch_record for all, find for
    // all.
    void prefetch_bucket(std::uint64_t hash) const { shard(hash).buckets.prefetch_bucket(hash); }
    void prefetch_record(std::uint64_t hash) const { shard(hash).buckets.prefetch_record(hash); }
    // After prefetch_record: the slot of a contact that the AOR is likely to have, to fetch what
    // else stands by slot.
    [[nodiscard]] std::uint32_t likely_slot(std::uint64_t hash) const {
        return shard(hash).buckets.likely_slot(hash);
    }
    // Null: the AOR has no contact. `hash` is hash()(aor).
    [[nodiscard]] const Record* find(std::uint64_t hash, std::string_view aor) const {
        return shard(hash).buckets.find(hash, aor);
    }

    // By id. record_of() is null for a stale id; Record::index_of(id) says which contact it is.
    [[nodiscard]] const Record* record_of(ContactId id) const { return slots_.record_of(id); }
    [[nodiscard]] SlotRead read(ContactId id, ContactView& view) const;
    // Ahead of them, in stages for a burst: prefetch_slot for all, prefetch_slot_record for all.
    // Any slot.
    void prefetch_slot(std::uint32_t slot) const;
    void prefetch_slot_record(std::uint32_t slot) const;
    // Whatever is in the slot now; view.id.generation is set even for kGone (the next contact's
    // here will be that).
    [[nodiscard]] SlotRead read_slot(std::uint32_t slot, ContactView& view) const;
    // The contact's id alone, in whose way no claim stands. Not valid: the slot has none, or its
    // owner is ending it.
    [[nodiscard]] ContactId id_at(std::uint32_t slot) const;

    // Whether any contact is reached by this flow, in stages for a burst: prefetch_flow for all,
    // prefetch_flow_slot for all, prefetch_flow_record for all, has_flow for all. `flow_hash` is
    // hash()(flow).
    void prefetch_flow(std::uint64_t flow_hash) const;
    void prefetch_flow_slot(std::uint64_t flow_hash) const;
    void prefetch_flow_record(std::uint64_t flow_hash) const;
    [[nodiscard]] bool has_flow(const net::Flow& flow, std::uint64_t flow_hash) const;

    // The contacts of a flow, in no order, but for those that a Path leads to. Stops when `out` is
    // full.
    [[nodiscard]] FlowMatches find_by_flow(const net::Flow& flow, std::span<ContactId> out) const {
        return find_by_flow(flow, hash_(flow), out);
    }
    [[nodiscard]] FlowMatches find_by_flow(const net::Flow& flow, std::uint64_t flow_hash,
                                           std::span<ContactId> out) const;

    // Calls visit(const Record&) for the records of up to `max_buckets` buckets. False: that was
    // the end.
    template <class Visit>
    bool list(ListCursor& cursor, std::uint32_t max_buckets, Visit&& visit) const;

    // In place, by any worker: claims the record, calls decide(ClaimedRecord&), releases. `decide`
    // must be short and must not touch the table. kDead: find again, and it will be another record
    // or none. What it updates stands in `log`, the calling worker's, before anybody can see it.
    template <class Decide>
    [[nodiscard]] RefreshResult refresh_any(const Record& record, Decide&& decide,
                                            ChangeLog* log = nullptr);

    struct Changed {
        ChangeResult result;
        const Record* record;  // the AOR's record now, for kOk; null: it has no contact any more
    };
    // Structure, by the owner of shard_of(hash): claims the AOR's record if it has one, calls
    // `bool decide(const Current&, Edit&)` under the claim (no refresh comes in between), and does
    // the whole edit or none of it. An edit that changes states and flows alone is done in place
    // and needs no memory.
    template <class Decide>
    [[nodiscard]] Changed change_owner(std::uint64_t hash, std::string_view aor, Decide&& decide) {
        using Bare = std::remove_reference_t<Decide>;
        const auto call = [](void* context, const Current& current, Edit& edit) -> bool {
            return (*static_cast<Bare*>(context))(current, edit);
        };
        void* context = const_cast<void*>(static_cast<const void*>(std::addressof(decide)));
        return change(hash, aor, {context, call});
    }
    // Removes this contact if `bool still(const ContactView&)` says so under the claim: expired and
    // not refreshed since. kNothing: it is gone, or `still` said no. By the owner of the contact's
    // shard.
    template <class Still>
    [[nodiscard]] ChangeResult remove_owner(ContactId id, Still&& still);

    // Gives back what readers have let go of, up to `max` pieces. By the owner, in its
    // housekeeping.
    std::size_t reclaim_owner(std::uint32_t shard, std::size_t max = 64);

    // From here on the shard's changes stand in this log before anybody can see them; null: in
    // none. Its writer is the shard's owner.
    void log_to(std::uint32_t shard, ChangeLog* log) { shards_[shard].log = log; }
    [[nodiscard]] ChangeLog* log_of(std::uint32_t shard) const { return shards_[shard].log; }

    // Loading, before anything else uses the table, one thread a shard: contacts of one AOR with
    // the ids they had (restored_id). kNothing: the AOR is there, or an id is taken or impossible.
    // finish_restore() once, after the last; only then may anything else change the table.
    void prefetch_restore(std::uint64_t hash, const FixedContact& contact,
                          const net::Flow& flow) const;
    [[nodiscard]] ChangeResult restore_owner(std::uint64_t hash, std::string_view aor,
                                             std::span<const NewContact> contacts);
    void finish_restore();

    // New, moved and removed contacts, and those that now expire sooner: the wheel's to look at.
    // Drained by the control thread.
    [[nodiscard]] ChangeMarks& for_wheel() { return for_wheel_; }

    [[nodiscard]] ShardCounts counts(std::uint32_t shard) const {
        return shards_[shard].counts.read();
    }
    [[nodiscard]] ShardCounts counts() const;

  private:
    friend class Change;
    struct PlannedChange {
        void* context;
        bool (*decide)(void* context, const Current& current, Edit& edit);
    };

    explicit BindingTable(const TableConfig& config);
    [[nodiscard]] bool attach_arrays(const TableConfig& config);
    [[nodiscard]] bool take_slots(std::span<const NewContact> contacts);
    void give_back_slots(std::span<const NewContact> contacts);
    [[nodiscard]] Changed change(std::uint64_t hash, std::string_view aor, PlannedChange planned);

    [[nodiscard]] const Shard& shard(std::uint64_t hash) const { return shards_[shard_of(hash)]; }

    KeyedHash hash_;
    Reclaimer reclaimer_;
    Slots slots_;
    OverflowLines overflow_;
    std::vector<Shard> shards_;
    ChangeMarks for_wheel_;
};

template <class Visit>
bool BindingTable::list(ListCursor& cursor, std::uint32_t max_buckets, Visit&& visit) const {
    for (; cursor.shard < shard_count(); ++cursor.shard, cursor.bucket = 0) {
        const BucketIndex& buckets = shards_[cursor.shard].buckets;
        for (; cursor.bucket < buckets.count(); ++cursor.bucket) {
            if (max_buckets-- == 0) {
                return true;
            }
            buckets.for_each(cursor.bucket, visit);
        }
    }
    return false;
}

template <class Decide>
RefreshResult BindingTable::refresh_any(const Record& record, Decide&& decide, ChangeLog* log) {
    // The table owns its records; readers are given them const so that nothing but this changes
    // them.
    Record& claimed = const_cast<Record&>(record);
    if (const Claim claim = claimed.sequence().claim(); claim != Claim::kClaimed) {
        return claim == Claim::kDead ? RefreshResult::kDead : RefreshResult::kContended;
    }
    ClaimedRecord handle(claimed);
    decide(handle);
    if (handle.changed() == 0) {
        claimed.sequence().release_unchanged();
        return RefreshResult::kOk;
    }
    for (std::uint32_t left = handle.changed(); left != 0; left &= left - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(left));
        if (log != nullptr) {
            log->refreshed(record.fixed(i).id(), claimed.sequence().next_version(),
                           claimed.load_state(i));
        }
        if ((handle.sooner() >> i & 1) != 0) {
            for_wheel_.mark_claimed(record.fixed(i).slot);
        }
    }
    claimed.sequence().release();
    return RefreshResult::kOk;
}

template <class Still>
ChangeResult BindingTable::remove_owner(ContactId id, Still&& still) {
    const Record* record = record_of(id);
    if (record == nullptr) {
        return ChangeResult::kNothing;
    }
    return change_owner(record->hash(), record->aor(),
                        [&](const Current& current, Edit& edit) {
                            for (std::size_t i = 0; i < current.contacts.size(); ++i) {
                                if (current.contacts[i].id == id && still(current.contacts[i])) {
                                    edit.drop(i);
                                    return true;
                                }
                            }
                            return false;
                        })
        .result;
}

}  // namespace pinhole::table
