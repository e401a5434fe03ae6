// SPDX-License-Identifier: BSD-3-Clause
// Where INVITEs to phones went, for three minutes: their CANCEL, the ACK to a failure and
// retransmissions go there too, though bindings have changed since. Bounded: a hash table of fixed
// buckets of four, the oldest pin of a full bucket gives way. Any worker writes and reads, under
// the bucket's sequence word; nobody waits: a claim that fails costs the pin, a read that fails
// counts as none, and the request is looked up as if it were new.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/table/contact_id.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace pinhole::route {

// Of the sender's flow and its transaction (branch): 128 bits under a key of ours, so that no two
// meet by design.
struct PinKey {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    bool operator==(const PinKey&) const = default;

    static PinKey of(const net::Flow& sender, std::uint64_t transaction);
};

struct Pin {
    static constexpr std::size_t kMaxUri = 168;

    table::ContactId contact;
    net::Flow flow;
    std::uint8_t key_id =
        0;  // the key of its branch: a key change doesn't change the branch in mid-call
    std::uint8_t uri_len = 0;   // 0: the request URI stays as it came
    bool uri_in_table = false;  // longer than kMaxUri: the contact has it, as long as it stands
    bool port_matters = true;
    std::array<char, kMaxUri> uri_text;

    [[nodiscard]] std::string_view uri() const { return {uri_text.data(), uri_len}; }
    // False: too long for a pin.
    bool set_uri(std::string_view uri);
};

class PinTable {
  public:
    static constexpr std::uint32_t kLifetime_ms = 180'000;

    // Rounded up to a power of two of buckets of four; memory is taken here and never again.
    explicit PinTable(std::size_t capacity);

    // False: the bucket was being written all the while.
    bool put_any(const PinKey& key, const Pin& pin, std::uint64_t now_ms);
    [[nodiscard]] bool find_any(const PinKey& key, std::uint64_t now_ms, Pin& out) const;

    [[nodiscard]] std::size_t capacity() const { return (mask_ + 1) * kWays; }

  private:
    static constexpr std::size_t kWays = 4;
    struct Bucket;
    struct Freer {
        void operator()(Bucket* buckets) const;
    };

    std::size_t mask_ = 0;
    std::unique_ptr<Bucket[], Freer> buckets_;
};

}  // namespace pinhole::route
