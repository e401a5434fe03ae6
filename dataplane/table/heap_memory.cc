// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/heap_memory.h"

#include <cstdlib>
#include <cstring>

namespace pinhole::table {

HeapMemory::~HeapMemory() {
    for (void* array : arrays_) {
        std::free(array);
    }
}

void* HeapMemory::allocate_array(void* self, std::size_t bytes) {
    const std::size_t rounded = (bytes + 63) / 64 * 64;
    void* array = std::aligned_alloc(64, rounded);
    if (array != nullptr) {
        std::memset(array, 0, rounded);
        static_cast<HeapMemory*>(self)->arrays_.push_back(array);
    }
    return array;
}

void* HeapMemory::allocate_record(void* self, std::size_t bytes) {
    auto& memory = *static_cast<HeapMemory*>(self);
    if (memory.limited()) {
        if (memory.record_limit_bytes_ - memory.record_bytes_ < bytes) {
            return nullptr;
        }
        memory.record_bytes_ += bytes;
    }
    return std::malloc(bytes);
}

void HeapMemory::release_record(void* self, void* record, std::size_t bytes) {
    auto& memory = *static_cast<HeapMemory*>(self);
    if (memory.limited()) {
        memory.record_bytes_ -= bytes;
    }
    std::free(record);
}

}  // namespace pinhole::table
