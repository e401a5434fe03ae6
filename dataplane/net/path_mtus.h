// SPDX-License-Identifier: BSD-3-Clause
// What routers have said of the paths to our far ends: destination -> the longest IP packet that
// gets there whole, where that is less than the link's MTU (RFC 8201 for IPv6, RFC 1191 for IPv4).
// Fixed memory: kBuckets lines of kWays destinations each, where a newcomer takes the place of the
// oldest. An entry never grows, and goes after kLifetime_s, so that a better path is found again.
//
// All of it is hearsay: anybody who knows one of our ports can forge it. A forger can only make us
// cut what goes to a destination at the least MTU of its family, which arrives as well.
//
// Written by the service thread alone; find() and toward() may be called by any thread and wait for
// nobody. Time is handed in.
//
//   | sequence | mtu mtu mtu | address | address | address |    a bucket, one cache line
#pragma once

#include "dataplane/net/address.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pinhole::net {

// What every path carries: IPv6 by RFC 8200 §5. IPv4 promises 68 bytes (RFC 791 §3.2); but routers
// cut our IPv4 themselves, so nothing is won by pieces shorter than what every host must take.
inline constexpr std::uint16_t kLeastMtuV4 = 576;
inline constexpr std::uint16_t kLeastMtuV6 = 1280;
[[nodiscard]] constexpr std::uint16_t least_mtu(bool v4) {
    return v4 ? kLeastMtuV4 : kLeastMtuV6;
}

class PathMtus {
  public:
    static constexpr std::size_t kBuckets = 1024;
    static constexpr std::size_t kWays = 3;
    // RFC 8201 §4 and RFC 1191 §6.3: a larger MTU is not tried before 5 minutes have passed, and 10
    // is advised.
    static constexpr std::uint64_t kLifetime_s = 600;

    // `salt` is random, so that nobody can aim at one bucket.
    explicit PathMtus(std::uint64_t salt) : salt_(salt) {}
    PathMtus(const PathMtus&) = delete;
    PathMtus& operator=(const PathMtus&) = delete;

    enum class Heard : std::uint8_t {
        kLearned,
        kNoNews,    // not less than what is known, or than the link's MTU
        kTooSmall,  // less than the family allows: RFC 8201 §4 has it discarded
    };
    // A router says that no packet longer than `mtu` gets to `destination`. `link_mtu` is what we
    // would have sent. The writer alone.
    Heard learn(const Address& destination, std::uint32_t mtu, std::uint16_t link_mtu,
                std::uint64_t now_s);
    // Forgets what is too old: now and then. The writer alone.
    void expire(std::uint64_t now_s);

    // Destinations known.
    [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_relaxed); }
    // The path's MTU, 0 if nothing is known. Of a bucket that the writer is at for longer than a
    // reader waits, the family's least: right for whatever stands there.
    [[nodiscard]] std::uint16_t find(const Address& destination) const;
    // The MTU for an IP packet of this length: what every path carries is not looked up.
    [[nodiscard]] std::size_t toward(const Address& destination, std::size_t packet_len,
                                     std::size_t link_mtu) const {
        if (packet_len <= least_mtu(destination.is_v4()) || size() == 0) {
            return link_mtu;
        }
        const std::uint16_t known = find(destination);
        return known == 0 ? link_mtu : std::min<std::size_t>(known, link_mtu);
    }

  private:
    // An address as two words in memory order.
    using Words = std::array<std::uint64_t, 2>;

    // The writer makes the sequence odd while it changes the rest. Guarded words are stored with
    // release and loaded with acquire: a reader that saw one of a change therefore also sees the
    // odd sequence before it.
    struct alignas(64) Bucket {
        std::atomic<std::uint32_t> sequence{0};
        std::array<std::atomic<std::uint16_t>, kWays> mtu{};  // 0: nothing stands there
        std::array<std::array<std::atomic<std::uint64_t>, 2>, kWays> address{};
    };
    static_assert(sizeof(Bucket) == 64);
    static_assert(std::atomic<std::uint16_t>::is_always_lock_free &&
                  std::atomic<std::uint64_t>::is_always_lock_free);

    static Words words_of(const Address& address);
    [[nodiscard]] std::size_t bucket_of(const Words& words) const;
    // The way where it stands; kWays if it does not.
    [[nodiscard]] static std::size_t way_of(const Bucket& bucket, const Words& words);
    // An empty way, or that of the oldest.
    [[nodiscard]] std::size_t way_for_newcomer(std::size_t bucket) const;
    void write(std::size_t bucket, std::size_t way, const Words& words, std::uint16_t mtu);
    void expire(std::size_t bucket, std::uint64_t now_s);

    const std::uint64_t salt_;
    // By the writer, for all.
    alignas(64) std::atomic<std::size_t> size_{0};
    std::array<Bucket, kBuckets> buckets_{};
    // The writer's own.
    std::array<std::array<std::uint64_t, kWays>, kBuckets> learned_s_{};
};

}  // namespace pinhole::net
