// SPDX-License-Identifier: BSD-3-Clause
// The subscribers of our realm: under each user's name, hashed, the HA1 of each algorithm. An
// open-addressed table for each algorithm, filled once, then immutable; ten million users with one
// HA1 each take some 460 MB. Names are kept as 128 bits of a keyed hash: nobody who picks names can
// make two of them collide. Pure; built by one thread, read by any.
#pragma once

#include "dataplane/auth/algorithm.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pinhole::auth {

struct UserName {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    bool operator==(const UserName&) const = default;
};

class UserHash {
  public:
    static constexpr std::size_t kSeedBytes = 32;
    explicit UserHash(std::span<const std::byte, kSeedBytes> seed);
    // Never all zero.
    [[nodiscard]] UserName operator()(std::string_view user) const;

  private:
    std::array<unsigned char, 192> secret_;  // XXH3 asks for 136 or more
};

// Where the tables come from: zeroed, aligned to 64 bytes. Null: no memory.
struct SubscriberMemory {
    void* (*allocate)(std::size_t bytes);
    void (*release)(void* memory, std::size_t bytes);
    static SubscriberMemory heap();
};

class Subscribers {
  public:
    using Counts = std::array<std::size_t, kAlgorithms>;

    // Room for so many HA1s of each algorithm. valid() says whether it was had.
    Subscribers(const Counts& most, const SubscriberMemory& memory);
    ~Subscribers();
    Subscribers(const Subscribers&) = delete;
    Subscribers& operator=(const Subscribers&) = delete;
    [[nodiscard]] bool valid() const { return valid_; }

    // Fetches the line that add() and find() of that name begin at.
    void prefetch(Algorithm algorithm, const UserName& user) const;
    // `ha1` holds hash_bytes(). False: that user has one already. No more than there is room for.
    bool add(Algorithm algorithm, const UserName& user, const std::uint8_t* ha1);
    // After the last add(): counts the users, and finds out which algorithms all of them have.
    void finish();

    // Null: no such user, or no HA1 of that algorithm.
    [[nodiscard]] const std::uint8_t* find(Algorithm algorithm, const UserName& user) const;
    // Every user has a hash of it, and there are users.
    [[nodiscard]] bool offers(Algorithm algorithm) const {
        return count(algorithm) != 0 && count(algorithm) == users_;
    }
    [[nodiscard]] std::size_t count(Algorithm algorithm) const {
        return tables_[static_cast<std::size_t>(algorithm)].count;
    }
    [[nodiscard]] std::size_t users() const { return users_; }
    [[nodiscard]] std::size_t bytes() const;

  private:
    // A place is a UserName, all zero where it is free, and the HA1.
    struct Table {
        std::byte* places = nullptr;
        std::size_t capacity = 0;  // in places
        std::size_t place_bytes = 0;
        std::size_t count = 0;
    };
    [[nodiscard]] static std::size_t first_place(const Table& table, const UserName& user);
    // That user's place, or the free one where it would be.
    [[nodiscard]] static std::byte* place_of(const Table& table, const UserName& user);
    [[nodiscard]] bool stands_before(std::size_t table, const UserName& user) const;

    SubscriberMemory memory_;
    std::array<Table, kAlgorithms> tables_;
    std::size_t users_ = 0;
    bool valid_ = true;
};

// Published by the control side; who loads it forgets it before its next quiescent state.
using SubscribersPointer = std::atomic<const Subscribers*>;

}  // namespace pinhole::auth
