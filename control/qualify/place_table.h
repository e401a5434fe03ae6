// SPDX-License-Identifier: BSD-3-Clause
// Things known by an address, as many as are reserved: each has a number, and one without phones is
// kept until another address needs its place. The control thread alone changes the table; any
// thread may read a copy of an entry by its number. Pure; memory is fixed.
#pragma once

#include "control/qualify/single_writer.h"
#include "dataplane/net/address.h"
#include "dataplane/table/aor_hash.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace pinhole::qualify {

// `T` has `phones` and clear(), which makes it as new.
template <class T>
class PlaceTable {
  public:
    // 0 means none: the table is full, or nothing is known.
    using Index = std::uint32_t;
    static constexpr Index kNone = 0;

    // The hash's seed is a secret: addresses are the phones' to choose.
    PlaceTable(std::uint32_t capacity, const table::KeyedHash& hash)
        : capacity_(std::max(capacity, 1u)),
          hash_(hash),
          entries_(std::make_unique<Entry[]>(std::size_t{capacity_} + 1)),
          heads_(std::bit_ceil(capacity_), kNone) {}

    [[nodiscard]] std::uint32_t capacity() const { return capacity_; }
    [[nodiscard]] std::uint32_t used() const { return used_.get(); }

    // Of 0 it is one that stands for all that have no place.
    [[nodiscard]] T& at(Index index) { return entries_[index].value; }
    [[nodiscard]] const T& at(Index index) const { return entries_[index].value; }
    [[nodiscard]] net::Address address_of(Index index) const {
        const Entry& entry = entries_[index];
        const std::array<std::uint64_t, 2> words{entry.address[0].load(std::memory_order_relaxed),
                                                 entry.address[1].load(std::memory_order_relaxed)};
        return std::bit_cast<net::Address>(words);
    }

    [[nodiscard]] Index find(const net::Address& address) {
        Index index = head_of(address);
        while (index != kNone && address_of(index) != address) {
            index = entries_[index].next;
        }
        return index;
    }
    // Finds it or gives it a place.
    [[nodiscard]] Index enter(const net::Address& address) {
        Index index = find(address);
        if (index == kNone && (index = place()) != kNone) {
            settle(index, address);
        }
        return index;
    }

    // Any thread. Calls `copy(address, value)`; false: nothing stands there, or another took its
    // place meanwhile and what was copied is worth nothing.
    template <class Copy>
    bool read_any(Index index, Copy&& copy) const {
        if (index == kNone || index > capacity_) {
            return false;
        }
        const Entry& entry = entries_[index];
        const std::uint32_t before = entry.sequence.load(std::memory_order_acquire);
        copy(address_of(index), entry.value);
        std::atomic_thread_fence(std::memory_order_acquire);
        return before != 0 && (before & 1) == 0 &&
               entry.sequence.load(std::memory_order_relaxed) == before;
    }

  private:
    // How many entries are looked at for one without phones, at a newcomer's turn.
    static constexpr std::uint32_t kLooks = 64;

    struct Entry {
        // Odd: changing hands. The address's two words stand under it.
        std::atomic<std::uint32_t> sequence{0};
        Index next = kNone;  // of its chain
        std::array<std::atomic<std::uint64_t>, 2> address{};
        T value;
    };

    [[nodiscard]] Index& head_of(const net::Address& address) {
        const std::string_view text(reinterpret_cast<const char*>(address.bytes.data()),
                                    address.bytes.size());
        return heads_[hash_(text) & (heads_.size() - 1)];
    }

    // A place that nobody has, or that has no phones any more.
    [[nodiscard]] Index place() {
        if (fresh_ <= capacity_) {
            used_.add(1);
            return fresh_++;
        }
        for (std::uint32_t look = 0; look < std::min(kLooks, capacity_); ++look) {
            const Index index = hand_;
            hand_ = hand_ == capacity_ ? 1 : hand_ + 1;
            if (entries_[index].value.phones.get() == 0) {
                unlink(index);
                return index;
            }
        }
        return kNone;
    }

    void unlink(Index index) {
        Index* link = &head_of(address_of(index));
        while (*link != index) {
            link = &entries_[*link].next;
        }
        *link = entries_[index].next;
    }

    void settle(Index index, const net::Address& address) {
        Entry& entry = entries_[index];
        // Pairs with read_any(): who sees a word of the new one sees that the count is odd or has
        // moved on.
        const std::uint32_t sequence = entry.sequence.load(std::memory_order_relaxed);
        entry.sequence.store(sequence + 1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(address);
        entry.address[0].store(words[0], std::memory_order_relaxed);
        entry.address[1].store(words[1], std::memory_order_relaxed);
        entry.value.clear();
        entry.sequence.store(sequence + 2, std::memory_order_release);
        Index& head = head_of(address);
        entry.next = head;
        head = index;
    }

    const std::uint32_t capacity_;
    const table::KeyedHash hash_;
    std::unique_ptr<Entry[]> entries_;  // by index; the first stands for who has no place
    std::vector<Index> heads_;
    Index fresh_ = 1;  // never used so far
    Index hand_ = 1;   // where the search for an entry without phones goes on
    SingleWriter<std::uint32_t> used_;
};

}  // namespace pinhole::qualify
