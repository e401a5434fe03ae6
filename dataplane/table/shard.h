// SPDX-License-Identifier: BSD-3-Clause
// One shard: a worker's share of the AORs. Its structure has one writer, the owner; what the owner
// alone uses stands on other lines than what all threads read.
#pragma once

#include "dataplane/table/bucket.h"
#include "dataplane/table/change_log.h"
#include "dataplane/table/flow_index.h"
#include "dataplane/table/memory.h"
#include "dataplane/table/retire_list.h"
#include "dataplane/table/slots.h"

#include <atomic>
#include <cstdint>

namespace pinhole::table {

struct ShardCounts {
    std::uint64_t contacts = 0;
    std::uint64_t records = 0;       // AORs with a contact
    std::uint64_t record_bytes = 0;  // as asked for, before the allocator rounds up
};

// One writer, the owner; any reader. Relaxed: figures, not an ordering.
class SharedCounts {
  public:
    void add(std::int64_t contacts, std::int64_t records, std::int64_t bytes) {
        bump(contacts_, contacts);
        bump(records_, records);
        bump(record_bytes_, bytes);
    }
    [[nodiscard]] ShardCounts read() const {
        return {contacts_.load(std::memory_order_relaxed), records_.load(std::memory_order_relaxed),
                record_bytes_.load(std::memory_order_relaxed)};
    }

  private:
    static void bump(std::atomic<std::uint64_t>& value, std::int64_t by) {
        value.store(value.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(by),
                    std::memory_order_relaxed);
    }

    std::atomic<std::uint64_t> contacts_{0};
    std::atomic<std::uint64_t> records_{0};
    std::atomic<std::uint64_t> record_bytes_{0};
};

struct alignas(64) Shard {
    // Read by all; attached once.
    BucketIndex buckets;
    FlowIndex flows;

    // The owner's.
    alignas(64) RecordAllocator records;
    RetireList retired;
    SlotMagazine magazine;
    ChangeLog* log = nullptr;

    alignas(64) SharedCounts counts;
};

}  // namespace pinhole::table
