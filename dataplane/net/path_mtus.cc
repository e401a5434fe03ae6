// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/path_mtus.h"

#include <cstring>

namespace pinhole::net {
namespace {

// The least that any module must forward whole (RFC 791 §3.2), and below which no estimate may go
// (RFC 1191 §3): what says less, as routers older than that do with 0, says nothing.
constexpr std::uint32_t kLeastSaneV4 = 68;

// A change takes some 10 ns; a writer that lost its core in the midst of one is not waited for.
constexpr int kMaxTries = 64;

}  // namespace

PathMtus::Words PathMtus::words_of(const Address& address) {
    Words words;
    std::memcpy(words.data(), address.bytes.data(), sizeof words);
    return words;
}

std::size_t PathMtus::bucket_of(const Words& words) const {
    const auto product = static_cast<unsigned __int128>(words[0] ^ salt_) *
                         (words[1] ^ salt_ << 32 ^ 0x9e3779b97f4a7c15U);
    static_assert((kBuckets & (kBuckets - 1)) == 0);
    return static_cast<std::size_t>(static_cast<std::uint64_t>(product) ^
                                    static_cast<std::uint64_t>(product >> 64)) &
           (kBuckets - 1);
}

std::size_t PathMtus::way_of(const Bucket& bucket, const Words& words) {
    for (std::size_t way = 0; way < kWays; ++way) {
        // Acquire: see Bucket.
        if (bucket.mtu[way].load(std::memory_order_acquire) != 0 &&
            bucket.address[way][0].load(std::memory_order_acquire) == words[0] &&
            bucket.address[way][1].load(std::memory_order_acquire) == words[1]) {
            return way;
        }
    }
    return kWays;
}

std::uint16_t PathMtus::find(const Address& destination) const {
    const Words words = words_of(destination);
    const Bucket& bucket = buckets_[bucket_of(words)];
    for (int i = 0; i < kMaxTries; ++i) {
        // Pairs with the release store at the end of write().
        const std::uint32_t before = bucket.sequence.load(std::memory_order_acquire);
        if ((before & 1) == 0) {
            const std::size_t way = way_of(bucket, words);
            const std::uint16_t mtu =
                way == kWays ? std::uint16_t{0} : bucket.mtu[way].load(std::memory_order_acquire);
            if (bucket.sequence.load(std::memory_order_relaxed) == before) {
                return mtu;
            }
        }
    }
    return least_mtu(destination.is_v4());
}

PathMtus::Heard PathMtus::learn(const Address& destination, std::uint32_t mtu,
                                std::uint16_t link_mtu, std::uint64_t now_s) {
    const bool v4 = destination.is_v4();
    if (mtu < (v4 ? kLeastSaneV4 : kLeastMtuV6)) {
        return Heard::kTooSmall;
    }
    mtu = std::max<std::uint32_t>(mtu, least_mtu(v4));
    if (mtu >= link_mtu) {
        return Heard::kNoNews;
    }
    const Words words = words_of(destination);
    const std::size_t bucket = bucket_of(words);
    expire(bucket, now_s);
    std::size_t way = way_of(buckets_[bucket], words);
    if (way == kWays) {
        way = way_for_newcomer(bucket);
    } else if (mtu >= buckets_[bucket].mtu[way].load(std::memory_order_relaxed)) {
        // Never raised by what somebody says (RFC 8201 §4), nor kept for longer by it.
        return Heard::kNoNews;
    }
    learned_s_[bucket][way] = now_s;
    write(bucket, way, words, static_cast<std::uint16_t>(mtu));
    return Heard::kLearned;
}

std::size_t PathMtus::way_for_newcomer(std::size_t bucket) const {
    std::size_t oldest = 0;
    for (std::size_t way = 0; way < kWays; ++way) {
        if (buckets_[bucket].mtu[way].load(std::memory_order_relaxed) == 0) {
            return way;
        }
        if (learned_s_[bucket][way] < learned_s_[bucket][oldest]) {
            oldest = way;
        }
    }
    return oldest;
}

// `mtu` 0 empties the way.
void PathMtus::write(std::size_t bucket, std::size_t way, const Words& words, std::uint16_t mtu) {
    Bucket& to = buckets_[bucket];
    const bool was_there = to.mtu[way].load(std::memory_order_relaxed) != 0;
    const std::uint32_t sequence = to.sequence.load(std::memory_order_relaxed);
    to.sequence.store(sequence + 1, std::memory_order_relaxed);
    // Release: see Bucket.
    to.mtu[way].store(mtu, std::memory_order_release);
    to.address[way][0].store(words[0], std::memory_order_release);
    to.address[way][1].store(words[1], std::memory_order_release);
    // Pairs with the first load in find().
    to.sequence.store(sequence + 2, std::memory_order_release);
    const std::size_t size = size_.load(std::memory_order_relaxed);
    size_.store(size + (mtu != 0 ? 1 : 0) - (was_there ? 1 : 0), std::memory_order_relaxed);
}

void PathMtus::expire(std::uint64_t now_s) {
    for (std::size_t bucket = 0; bucket < kBuckets && size() != 0; ++bucket) {
        expire(bucket, now_s);
    }
}

void PathMtus::expire(std::size_t bucket, std::uint64_t now_s) {
    for (std::size_t way = 0; way < kWays; ++way) {
        if (buckets_[bucket].mtu[way].load(std::memory_order_relaxed) != 0 &&
            now_s - learned_s_[bucket][way] >= kLifetime_s) {
            write(bucket, way, {}, 0);
        }
    }
}

}  // namespace pinhole::net
