// SPDX-License-Identifier: BSD-3-Clause
// What a change takes before it publishes anything, and how it gives it back.
#include "dataplane/table/change.h"

namespace pinhole::table {

ChangeResult Change::reserve() {
    if (!reserve_room()) {
        return ChangeResult::kBusy;
    }
    if (!reserve_slots()) {
        return ChangeResult::kTableFull;
    }
    if (contacts_ != 0 && !reserve_memory()) {
        give_slots_back();
        return ChangeResult::kNoMemory;
    }
    return ChangeResult::kOk;
}

bool Change::reserve_room() {
    const std::size_t pieces = dropped_ + 2;  // the old record, and a line that it may leave empty
    if (shard_.retired.room() < pieces) {
        table_.reclaim_owner(shard_n_);
    }
    return shard_.retired.room() >= pieces;
}

bool Change::reserve_slots() {
    for (std::size_t n = 0; n < edit_.new_count_; ++n) {
        if (!edit_.new_[n].added) {
            continue;
        }
        auto id = table_.slots_.take(shard_.magazine);
        while (!id && table_.reclaim_owner(shard_n_) != 0) {
            id = table_.slots_.take(shard_.magazine);
        }
        if (!id) {
            give_slots_back();
            return false;
        }
        ids_[taken_++] = *id;
    }
    return true;
}

bool Change::reserve_memory() {
    RecordAllocator& records = shard_.records;
    bytes_ = record_bytes(aor_.size(), contacts_, text_bytes_);
    memory_ = records.allocate(records.context, bytes_);
    while (memory_ == nullptr && table_.reclaim_owner(shard_n_) != 0) {
        memory_ = records.allocate(records.context, bytes_);
    }
    if (memory_ == nullptr) {
        return false;
    }
    if (place_.cell == nullptr) {
        place_ = shard_.buckets.reserve(hash_);
    }
    if (place_.cell == nullptr) {
        records.release(records.context, memory_, bytes_);
        return false;
    }
    return true;
}

void Change::give_slots_back() {
    std::size_t next_id = 0;
    for (std::size_t n = 0; n < edit_.new_count_ && next_id < taken_; ++n) {
        if (!edit_.new_[n].added) {
            continue;
        }
        table_.slots_.give_back(ids_[next_id++].slot, shard_.magazine);
    }
    taken_ = 0;
}

}  // namespace pinhole::table
