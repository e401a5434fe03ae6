// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/pin_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace pinhole::route {
namespace {

// A writer holds a bucket for some 30 ns; more tries than this mean that it lost its core.
constexpr int kMaxTries = 64;

// Words of an entry.
constexpr std::size_t kKeyLow = 0;
constexpr std::size_t kKeyHigh = 1;
constexpr std::size_t kUntil = 2;

void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

}  // namespace

PinKey PinKey::of(const net::Flow& sender, std::uint64_t transaction) {
    const XXH128_hash_t hash = XXH3_128bits_withSeed(&sender, sizeof sender, transaction);
    return {hash.low64, hash.high64};
}

void Pin::set_uri(std::string_view uri) {
    uri_in_table = uri.size() > kMaxUri;
    uri_len = static_cast<std::uint8_t>(uri_in_table ? 0 : uri.size());
    std::memcpy(uri_text.data(), uri.data(), uri_len);
}

PinTable::PinTable(std::size_t capacity)
    : mask_(std::bit_ceil(std::max<std::size_t>((capacity + kWays - 1) / kWays, 1)) - 1),
      buckets_(std::make_unique<Bucket[]>(mask_ + 1)) {}

bool PinTable::claim(Bucket& bucket, std::uint32_t& sequence) {
    for (int i = 0; i < kMaxTries; ++i) {
        sequence = bucket.sequence.load(std::memory_order_relaxed);
        // Pairs with the release in put_any(): we see what the last writer wrote.
        if ((sequence & 1) == 0 &&
            bucket.sequence.compare_exchange_strong(
                sequence, sequence + 1, std::memory_order_acquire, std::memory_order_relaxed)) {
            return true;
        }
        pause();
    }
    return false;
}

// The claimed bucket's way with this key, or a free or outlived one, or the oldest.
std::size_t PinTable::place_for(const Bucket& bucket, const PinKey& key, std::uint64_t now_ms) {
    std::size_t best = 0;
    std::uint64_t best_until = ~0ull;
    for (std::size_t way = 0; way < kWays; ++way) {
        const auto& words = bucket.entries[way];
        std::uint64_t until = words[kUntil].load(std::memory_order_relaxed);
        if (until != 0 && words[kKeyLow].load(std::memory_order_relaxed) == key.low &&
            words[kKeyHigh].load(std::memory_order_relaxed) == key.high) {
            return way;
        }
        until = until <= now_ms ? 0 : until;
        if (until < best_until) {
            best = way;
            best_until = until;
        }
    }
    return best;
}

bool PinTable::put_any(const PinKey& key, const Pin& pin, std::uint64_t now_ms,
                       std::uint32_t lifetime_ms) {
    Bucket& bucket = buckets_[key.low & mask_];
    std::uint32_t sequence = 0;
    if (!claim(bucket, sequence)) {
        return false;
    }
    Entry entry;
    entry.key = key;
    entry.until_ms = now_ms + lifetime_ms;
    entry.pin = pin;
    std::array<std::uint64_t, kEntryWords> words;
    std::memcpy(words.data(), &entry, sizeof entry);
    auto& to = bucket.entries[place_for(bucket, key, now_ms)];
    for (std::size_t i = 0; i < kEntryWords; ++i) {
        to[i].store(words[i], std::memory_order_release);  // pairs with find_any()
    }
    bucket.sequence.store(sequence + 2,
                          std::memory_order_release);  // pairs with find_any(), claim()
    return true;
}

bool PinTable::find_any(const PinKey& key, std::uint64_t now_ms, Pin& out) const {
    const Bucket& bucket = buckets_[key.low & mask_];
    for (int i = 0; i < kMaxTries; ++i) {
        const std::uint32_t before = bucket.sequence.load(std::memory_order_acquire);
        if ((before & 1) != 0) {
            pause();
            continue;
        }
        bool found = false;
        std::array<std::uint64_t, kEntryWords> words;
        for (const auto& from : bucket.entries) {
            if (from[kKeyLow].load(std::memory_order_acquire) == key.low &&
                from[kKeyHigh].load(std::memory_order_acquire) == key.high) {
                for (std::size_t w = 0; w < kEntryWords; ++w) {
                    words[w] = from[w].load(std::memory_order_acquire);
                }
                found = words[kUntil] > now_ms;
                break;
            }
        }
        // Every load above was an acquire, so this one comes after them.
        if (bucket.sequence.load(std::memory_order_relaxed) != before) {
            continue;
        }
        if (found) {
            Entry entry;
            std::memcpy(static_cast<void*>(&entry), words.data(), sizeof entry);
            out = entry.pin;
        }
        return found;
    }
    return false;
}

}  // namespace pinhole::route
