// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/nonce_windows.h"

#include "dataplane/table/aor_hash.h"

#include <algorithm>

namespace pinhole::auth {
namespace {

constexpr int kClaims = 64;
// Of a nonce without qop: no further nc comes.
constexpr std::uint32_t kSpent = ~std::uint32_t{0};
// A worker may be so far behind another's clock.
constexpr std::uint32_t kMargin_s = 60;

std::uint32_t slots_for(std::uint32_t max_contacts) {
    return max_contacts / 2 + 1;
}

}  // namespace

std::size_t NonceWindows::bytes_for(std::uint32_t max_contacts) {
    // A place to begin at where the memory is not aligned so far.
    return (slots_for(max_contacts) + std::size_t{1}) * sizeof(Slot);
}

NonceWindows::NonceWindows(const table::ArrayMemory& memory, std::uint32_t max_contacts,
                           std::uint32_t lifetime_s)
    : count_(slots_for(max_contacts)), lifetime_s_(lifetime_s) {
    void* bytes = memory.allocate(memory.context, bytes_for(max_contacts));
    if (bytes != nullptr) {
        const auto at = reinterpret_cast<std::uintptr_t>(bytes);
        slots_ = reinterpret_cast<Slot*>((at + alignof(Slot) - 1) & ~(alignof(Slot) - 1));
    }
}

NonceWindows::Slot& NonceWindows::slot_of(std::uint64_t aor_hash) const {
    return slots_[table::bucket_of_hash(aor_hash, count_)];
}

void NonceWindows::prefetch(std::uint64_t aor_hash) const {
    const Slot& slot = slot_of(aor_hash);
    __builtin_prefetch(&slot, 1);
    __builtin_prefetch(reinterpret_cast<const char*>(&slot) + 64, 1);
}

// Pairs with the release store at the end of use_any().
bool NonceWindows::claim(Slot& slot) {
    for (int i = 0; i < kClaims; ++i) {
        if (slot.claim.exchange(1, std::memory_order_acquire) == 0) {
            return true;
        }
    }
    return false;
}

bool NonceWindows::is_free(const Slot& slot, std::size_t i, std::uint32_t now_s) const {
    const std::uint64_t ends_s = std::uint64_t{Stamp{slot.stamps[i]}.s()} + lifetime_s_ + kMargin_s;
    return slot.stamps[i] == 0 || ends_s < now_s;
}

// A free one; else what will not be asked for again, else what was used the longest ago, gives way.
std::size_t NonceWindows::place_in(Slot& slot, std::uint32_t now_s) const {
    std::size_t best = 0;
    for (std::size_t i = 0; i < kWays; ++i) {
        if (is_free(slot, i, now_s)) {
            return i;
        }
        const bool spent = slot.last_nc[i] == kSpent;
        const bool best_spent = slot.last_nc[best] == kSpent;
        if (spent != best_spent ? spent : slot.used_s[i] < slot.used_s[best]) {
            best = i;
        }
    }
    slot.floor = std::max(slot.floor, Stamp{slot.stamps[best]}.moment());
    return best;
}

NonceUse NonceWindows::use_again(Slot& slot, std::size_t i, std::uint32_t nc, std::uint64_t request,
                                 std::uint32_t now_s) {
    // Another worker's clock may be a moment ahead.
    if (slot.requests[i] == request &&
        static_cast<std::int32_t>(now_s - slot.used_s[i]) <= std::int32_t{kAgain_s}) {
        return NonceUse::kAgain;
    }
    const std::uint32_t last = slot.last_nc[i];
    if (last == kSpent || nc == kSpent || nc == last) {
        return NonceUse::kReplay;
    }
    if (nc > last) {
        const std::uint32_t ahead = nc - last;
        slot.seen[i] = ahead < kWindow ? slot.seen[i] << ahead | 1 : 1;
        slot.last_nc[i] = nc;
    } else {
        const std::uint32_t behind = last - nc;
        if (behind >= kWindow || (slot.seen[i] >> behind & 1) != 0) {
            return NonceUse::kReplay;
        }
        slot.seen[i] |= 1U << behind;
    }
    slot.requests[i] = request;
    slot.used_s[i] = now_s;
    return NonceUse::kFresh;
}

NonceUse NonceWindows::use_any(std::uint64_t aor_hash, Stamp stamp, std::uint32_t nc, bool once,
                               std::uint64_t request, std::uint32_t now_s) {
    Slot& slot = slot_of(aor_hash);
    if (!claim(slot)) {
        return NonceUse::kBusy;
    }
    NonceUse use = NonceUse::kStale;
    std::size_t i = static_cast<std::size_t>(
        std::find(slot.stamps, slot.stamps + kWays, stamp.bits) - slot.stamps);
    if (i < kWays) {
        use = use_again(slot, i, once ? kSpent : nc, request, now_s);
    } else if (stamp.moment() > slot.floor) {
        i = place_in(slot, now_s);
        slot.stamps[i] = stamp.bits;
        slot.requests[i] = request;
        slot.last_nc[i] = once ? kSpent : nc;
        slot.seen[i] = 1;
        slot.used_s[i] = now_s;
        use = NonceUse::kFresh;
    }
    // Pairs with claim().
    slot.claim.store(0, std::memory_order_release);
    return use;
}

}  // namespace pinhole::auth
