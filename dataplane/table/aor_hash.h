// SPDX-License-Identifier: BSD-3-Clause
// The keyed hash: XXH3-64 under a secret made of random bytes at start, so that nobody who picks
// AORs, Call-IDs or ports can aim at one bucket. Shard, tag and bucket are cut from separate bits.
// Pure; any thread.
//
//   63        48 47        32 31                 0
//   | shard     | tag        | bucket            |
#pragma once

#include "dataplane/net/flow.h"

#include <xxh_x86dispatch.h>
#include <xxhash.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pinhole::table {

class KeyedHash {
  public:
    static constexpr std::size_t kSeedBytes = 32;

    // `mask` is for tests: 0 makes everything collide.
    explicit KeyedHash(std::span<const std::byte, kSeedBytes> seed, std::uint64_t mask = ~0ull);

    // An AOR in its canonical form, "user@host", or a Call-ID.
    [[nodiscard]] std::uint64_t operator()(std::string_view text) const {
        // By the widest vectors that the machine has: whole packets are hashed too.
        return XXH3_64bits_withSecret_dispatch(text.data(), text.size(), secret_.data(),
                                               secret_.size()) &
               mask_;
    }
    [[nodiscard]] std::uint64_t operator()(const net::Flow& flow) const {
        return XXH3_64bits_withSecret(&flow, sizeof flow, secret_.data(), secret_.size()) & mask_;
    }

  private:
    std::array<unsigned char, 192> secret_;  // XXH3 asks for 136 or more
    std::uint64_t mask_;
};

// `count` is at most 65,536 for shards and 2^32 - 1 for buckets; neither needs to be a power of
// two.
[[nodiscard]] constexpr std::uint32_t shard_of_hash(std::uint64_t hash, std::uint32_t count) {
    return static_cast<std::uint32_t>((hash >> 48) * count >> 16);
}
[[nodiscard]] constexpr std::uint16_t tag_of_hash(std::uint64_t hash) {
    return static_cast<std::uint16_t>(hash >> 32);
}
[[nodiscard]] constexpr std::uint32_t bucket_of_hash(std::uint64_t hash, std::uint32_t count) {
    return static_cast<std::uint32_t>((hash & 0xffff'ffffu) * count >> 32);
}

}  // namespace pinhole::table
