// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/subscribers.h"

// Making a secret from a seed is in the part of xxHash that promises no stable ABI.
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include <cstdlib>
#include <cstring>

namespace pinhole::auth {
namespace {

constexpr std::size_t kNameBytes = sizeof(UserName);

// Never full: a search ends at a free place. At seven tenths that is two or three places away.
std::size_t capacity_for(std::size_t most) {
    return most == 0 ? 0 : most * 10 / 7 + 8;
}

UserName name_at(const std::byte* place) {
    UserName name;
    std::memcpy(&name, place, kNameBytes);
    return name;
}

void* allocate_heap(std::size_t bytes) {
    const std::size_t whole = (bytes + 63) / 64 * 64;
    void* memory = std::aligned_alloc(64, whole);
    if (memory != nullptr) {
        std::memset(memory, 0, whole);
    }
    return memory;
}

void release_heap(void* memory, std::size_t /*bytes*/) {
    std::free(memory);
}

}  // namespace

UserHash::UserHash(std::span<const std::byte, kSeedBytes> seed) {
    XXH3_generateSecret(secret_.data(), secret_.size(), seed.data(), seed.size());
}

UserName UserHash::operator()(std::string_view user) const {
    const XXH128_hash_t hash =
        XXH3_128bits_withSecret(user.data(), user.size(), secret_.data(), secret_.size());
    return {hash.low64, hash.high64 | 1};
}

SubscriberMemory SubscriberMemory::heap() {
    return {allocate_heap, release_heap};
}

Subscribers::Subscribers(const Counts& most, const SubscriberMemory& memory) : memory_(memory) {
    for (std::size_t i = 0; i < kAlgorithms; ++i) {
        Table& table = tables_[i];
        table.place_bytes = kNameBytes + hash_bytes(static_cast<Algorithm>(i));
        const std::size_t capacity = capacity_for(most[i]);
        if (capacity == 0) {
            continue;
        }
        table.places = static_cast<std::byte*>(memory.allocate(capacity * table.place_bytes));
        valid_ = valid_ && table.places != nullptr;
        table.capacity = table.places == nullptr ? 0 : capacity;
    }
}

Subscribers::~Subscribers() {
    for (const Table& table : tables_) {
        if (table.places != nullptr) {
            memory_.release(table.places, table.capacity * table.place_bytes);
        }
    }
}

std::size_t Subscribers::first_place(const Table& table, const UserName& user) {
    return static_cast<std::size_t>(static_cast<unsigned __int128>(user.low) * table.capacity >>
                                    64);
}

std::byte* Subscribers::place_of(const Table& table, const UserName& user) {
    for (std::size_t i = first_place(table, user);; i = i + 1 == table.capacity ? 0 : i + 1) {
        std::byte* place = table.places + i * table.place_bytes;
        const UserName name = name_at(place);
        if (name == user || name == UserName{}) {
            return place;
        }
    }
}

void Subscribers::prefetch(Algorithm algorithm, const UserName& user) const {
    const Table& table = tables_[static_cast<std::size_t>(algorithm)];
    if (table.capacity != 0) {
        const std::byte* place = table.places + first_place(table, user) * table.place_bytes;
        // It is there or behind, which every second time is another line.
        __builtin_prefetch(place);
        __builtin_prefetch(place + table.place_bytes);
    }
}

bool Subscribers::add(Algorithm algorithm, const UserName& user, const std::uint8_t* ha1) {
    Table& table = tables_[static_cast<std::size_t>(algorithm)];
    if (table.count + 1 >= table.capacity) {
        return false;
    }
    std::byte* place = place_of(table, user);
    if (name_at(place) == user) {
        return false;
    }
    std::memcpy(place, &user, kNameBytes);
    std::memcpy(place + kNameBytes, ha1, table.place_bytes - kNameBytes);
    ++table.count;
    return true;
}

const std::uint8_t* Subscribers::find(Algorithm algorithm, const UserName& user) const {
    const Table& table = tables_[static_cast<std::size_t>(algorithm)];
    if (table.capacity == 0) {
        return nullptr;
    }
    const std::byte* place = place_of(table, user);
    return name_at(place) == user ? reinterpret_cast<const std::uint8_t*>(place) + kNameBytes
                                  : nullptr;
}

bool Subscribers::stands_before(std::size_t table, const UserName& user) const {
    for (std::size_t i = 0; i < table; ++i) {
        if (find(static_cast<Algorithm>(i), user) != nullptr) {
            return true;
        }
    }
    return false;
}

void Subscribers::finish() {
    users_ = 0;
    for (std::size_t t = 0; t < kAlgorithms; ++t) {
        const Table& table = tables_[t];
        for (std::size_t i = 0; i < table.capacity; ++i) {
            const UserName name = name_at(table.places + i * table.place_bytes);
            users_ += name != UserName{} && !stands_before(t, name) ? 1 : 0;
        }
    }
}

std::size_t Subscribers::bytes() const {
    std::size_t sum = 0;
    for (const Table& table : tables_) {
        sum += table.capacity * table.place_bytes;
    }
    return sum;
}

}  // namespace pinhole::auth
