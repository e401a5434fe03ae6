// SPDX-License-Identifier: BSD-3-Clause
// Where INVITEs went, for three minutes: their CANCEL, the ACK to a failure and retransmissions go
// there too, though bindings or the health of peers have changed since. Other requests to the core,
// for as long as they may be sent again. Bounded: a hash table of fixed buckets of four, of a full
// one the pin gives way whose time is over first. Any worker writes and reads, under
// the bucket's sequence word; nobody waits: a claim that fails costs the pin, a read that fails
// counts as none, and the request is looked up as if it were new. 256 bytes a pin.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/table/contact_id.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>

namespace pinhole::route {

// 128 bits of the sender's flow and its transaction (branch).
struct PinKey {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    bool operator==(const PinKey&) const = default;

    static PinKey of(const net::Flow& sender, std::uint64_t transaction);
};

struct Pin {
    static constexpr std::size_t kMaxUri = 167;

    table::ContactId contact;
    net::Flow flow;          // of what went to a phone
    std::uint32_t peer = 0;  // Peer::hash, of what went to the core
    std::uint8_t key_id =
        0;  // the key of its branch: a new key doesn't change the branch in mid-call
    std::uint8_t uri_len = 0;   // 0: the request URI stays as it came
    bool uri_in_table = false;  // longer than kMaxUri: the contact has it, as long as it stands
    bool port_matters = true;   // Destination's
    bool by_path = false;       // the contact has that too
    std::array<char, kMaxUri> uri_text{};

    [[nodiscard]] std::string_view uri() const { return {uri_text.data(), uri_len}; }
    // Too long a URI is left to the table.
    void set_uri(std::string_view uri);
};

class PinTable {
  public:
    static constexpr std::uint32_t kLifetime_ms = 180'000;
    // 64 * T1 (RFC 3261 §17.1.2.2): of what is no INVITE.
    static constexpr std::uint32_t kShortLifetime_ms = 32'000;
    static constexpr std::size_t kWays = 4;

    // Rounded up to a power of two of buckets; memory is taken here and never again.
    explicit PinTable(std::size_t capacity);

    // Takes the place of a pin of the same key. False: the bucket was being written all the while.
    bool put_any(const PinKey& key, const Pin& pin, std::uint64_t now_ms,
                 std::uint32_t lifetime_ms = kLifetime_ms);
    [[nodiscard]] bool find_any(const PinKey& key, std::uint64_t now_ms, Pin& out) const;

    [[nodiscard]] std::size_t capacity() const { return (mask_ + 1) * kWays; }

  private:
    using Word = std::atomic<std::uint64_t>;
    struct Entry {
        PinKey key;
        std::uint64_t until_ms = 0;  // 0: free
        Pin pin;
    };
    static constexpr std::size_t kEntryWords = sizeof(Entry) / 8;
    static_assert(std::is_trivially_copyable_v<Entry> && sizeof(Entry) % 8 == 0);

    // Written by whoever has made `sequence` odd; read by all. Words are stored with release and
    // loaded with acquire: who saw one word of a change also sees the sequence word before it.
    struct alignas(64) Bucket {
        std::atomic<std::uint32_t> sequence{0};
        std::array<std::array<Word, kEntryWords>, kWays> entries{};
    };
    static_assert(sizeof(Bucket) == 1024 && Word::is_always_lock_free);

    static bool claim(Bucket& bucket, std::uint32_t& sequence);
    static std::size_t place_for(const Bucket& bucket, const PinKey& key, std::uint64_t now_ms);

    std::size_t mask_;
    std::unique_ptr<Bucket[]> buckets_;
};

}  // namespace pinhole::route
