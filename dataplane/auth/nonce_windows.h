// SPDX-License-Identifier: BSD-3-Clause
// Which nc of which nonces have been used, in fixed memory: an AOR has a slot (shared with a few
// others), a slot holds windows for four nonces, so that the phones of one AOR don't push out one
// another. A window that has to go leaves behind the time at which its nonce was made. A nonce
// without a window that is as old as that is never taken for new, so a forgotten nonce can't be
// replayed, and only costs its phone another challenge. A user can push out the windows of the
// user's own slot alone. Nothing is kept of a challenge, nor of credentials that were wrong. Pure;
// any thread, under the slot's claim, which is tried a few times and never waited for.
//
// A slot is two cache lines:
//
//   claim[4] -[4] floor[8]  stamps[4*8] requests[4*8] last_nc[4*4] seen[4*4] used_s[4*4]
#pragma once

#include "dataplane/auth/nonce.h"
#include "dataplane/table/memory.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pinhole::auth {

enum class NonceUse : std::uint8_t {
    kFresh,   // an nc that was not used: it is now
    kAgain,   // the latest request of that nonce, byte for byte, by the same flow, a moment ago
    kReplay,  // used, or too far behind to be known as unused
    kStale,   // a nonce whose window is gone, or may be
    kBusy,    // the slot stayed claimed
};

class NonceWindows {
  public:
    static constexpr std::size_t kWays = 4;
    // Of what was used, so much behind the highest is remembered one by one.
    static constexpr std::uint32_t kWindow = 32;
    // As long as a request may be sent again (RFC 3261 §17.1.2.2: 64 T1).
    static constexpr std::uint32_t kAgain_s = 32;

    // In bytes, for so many contacts: two windows each.
    [[nodiscard]] static std::size_t bytes_for(std::uint32_t max_contacts);
    // `lifetime_s`: how long nonces are good. Takes bytes_for(), zeroed; valid() says whether it
    // got them.
    NonceWindows(const table::ArrayMemory& memory, std::uint32_t max_contacts,
                 std::uint32_t lifetime_s);
    [[nodiscard]] bool valid() const { return slots_ != nullptr; }

    void prefetch(std::uint64_t aor_hash) const;
    // A good digest has come with a nonce of this run that has not expired. `request`: a keyed hash
    // of the datagram and its flow. `once`: the client has no qop; its nonce is used up by this.
    [[nodiscard]] NonceUse use_any(std::uint64_t aor_hash, Stamp stamp, std::uint32_t nc, bool once,
                                   std::uint64_t request, std::uint32_t now_s);

  private:
    struct alignas(128) Slot {
        std::atomic<std::uint32_t> claim{0};
        std::uint32_t reserved = 0;
        std::uint64_t floor = 0;           // Stamp::moment()
        std::uint64_t stamps[kWays] = {};  // 0: free
        std::uint64_t requests[kWays] = {};
        std::uint32_t last_nc[kWays] = {};
        std::uint32_t seen[kWays] = {};  // a bit an nc, last_nc's the lowest
        std::uint32_t used_s[kWays] = {};
    };
    static_assert(sizeof(Slot) == 128 && std::atomic<std::uint32_t>::is_always_lock_free);

    [[nodiscard]] Slot& slot_of(std::uint64_t aor_hash) const;
    static bool claim(Slot& slot);
    static NonceUse use_again(Slot& slot, std::size_t i, std::uint32_t nc, std::uint64_t request,
                              std::uint32_t now_s);
    [[nodiscard]] bool is_free(const Slot& slot, std::size_t i, std::uint32_t now_s) const;
    [[nodiscard]] std::size_t place_in(Slot& slot, std::uint32_t now_s) const;

    Slot* slots_ = nullptr;
    std::uint32_t count_ = 0;
    std::uint32_t lifetime_s_;
};

}  // namespace pinhole::auth
