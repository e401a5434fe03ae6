// SPDX-License-Identifier: BSD-3-Clause
// What the table is handed: memory for its arrays, memory for its records, and a way to know that
// no reader can still hold what was taken out. Plain function pointers, because they are called on
// the structural path alone, where an indirect call is lost beside the allocation. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pinhole::table {

// Arrays: taken when the table is made, zeroed, aligned to 64 bytes, never given back to it by the
// table. Null: no memory. `io` carves hugepages of the shard's NUMA node; tests use HeapMemory.
struct ArrayMemory {
    void* (*allocate)(void* context, std::size_t bytes) = nullptr;
    void* context = nullptr;
};

// Records of one shard: called by its owner alone. 8-byte aligned (64 where size allows). Null: no
// memory.
struct RecordAllocator {
    void* (*allocate)(void* context, std::size_t bytes) = nullptr;
    void (*release)(void* context, void* record, std::size_t bytes) = nullptr;
    void* context = nullptr;
    // It ends with all that it gave: the table's end need not give back each record.
    bool ends_whole = false;
};

// Quiescent states. `start` returns a token for "now"; `passed(token)` is true once every reader
// has been quiescent since (rte_rcu_qsbr_start, rte_rcu_qsbr_check without waiting). Called by
// owners; must order memory as QSBR does.
struct Reclaimer {
    std::uint64_t (*start)(void* context) = nullptr;
    bool (*passed)(void* context, std::uint64_t token) = nullptr;
    void* context = nullptr;
};

struct ShardMemory {
    ArrayMemory arrays;  // the shard's buckets and flow heads
    RecordAllocator records;
};

}  // namespace pinhole::table
