// SPDX-License-Identifier: BSD-3-Clause
// What one shard's owner has taken out of the table and readers may still hold: records, slots,
// bucket lines, each with the token of the moment. Bounded: when it is full the owner's change is
// refused, and nothing waits. The owner's alone.
#pragma once

#include "dataplane/table/memory.h"

#include <cstddef>
#include <cstdint>

namespace pinhole::table {

class RetireList {
  public:
    static constexpr std::uint32_t kCapacity = 8192;

    enum class Kind : std::uint8_t { kRecord, kSlot, kLine };
    struct Entry {
        void* record;
        std::uint64_t token;
        std::uint32_t value;  // the record's bytes, or the slot or the line
        Kind kind;
    };
    static_assert(sizeof(Entry) == 24);

    void attach(Entry* entries) { entries_ = entries; }

    [[nodiscard]] std::uint32_t room() const { return kCapacity - (tail_ - head_); }
    [[nodiscard]] bool empty() const { return tail_ == head_; }
    void push(const Entry& entry) { entries_[tail_++ % kCapacity] = entry; }
    [[nodiscard]] const Entry& front() const { return entries_[head_ % kCapacity]; }
    void pop() { ++head_; }

  private:
    Entry* entries_ = nullptr;
    std::uint32_t head_ = 0;
    std::uint32_t tail_ = 0;
};

}  // namespace pinhole::table
