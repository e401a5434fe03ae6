// SPDX-License-Identifier: BSD-3-Clause
// The general heap as the table's memory: for tests, benches, and builds without jemalloc. What was
// taken for arrays goes back when this goes; it must outlive its tables. Arrays: one thread;
// records: any.
#pragma once

#include "dataplane/table/memory.h"

#include <cstddef>
#include <limits>
#include <vector>

namespace pinhole::table {

class HeapMemory {
  public:
    // `record_limit_bytes`: records past this are refused, as by a region that is used up. One
    // shard then.
    explicit HeapMemory(std::size_t record_limit_bytes = std::numeric_limits<std::size_t>::max())
        : record_limit_bytes_(record_limit_bytes) {}
    ~HeapMemory();
    HeapMemory(const HeapMemory&) = delete;
    HeapMemory& operator=(const HeapMemory&) = delete;

    [[nodiscard]] ArrayMemory arrays() { return {&HeapMemory::allocate_array, this}; }
    [[nodiscard]] RecordAllocator records() {
        return {&HeapMemory::allocate_record, &HeapMemory::release_record, this};
    }
    [[nodiscard]] ShardMemory shard() { return {arrays(), records()}; }
    // Only with a limit: without one nothing is counted, so that several shards may share this.
    [[nodiscard]] std::size_t record_bytes_in_use() const { return record_bytes_; }

  private:
    static void* allocate_array(void* self, std::size_t bytes);
    static void* allocate_record(void* self, std::size_t bytes);
    static void release_record(void* self, void* record, std::size_t bytes);

    [[nodiscard]] bool limited() const {
        return record_limit_bytes_ != std::numeric_limits<std::size_t>::max();
    }

    std::vector<void*> arrays_;
    std::size_t record_bytes_ = 0;
    const std::size_t record_limit_bytes_;
};

}  // namespace pinhole::table
