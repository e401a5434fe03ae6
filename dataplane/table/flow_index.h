// SPDX-License-Identifier: BSD-3-Clause
// A shard's second index: flow -> contacts. Heads by keyed hash, and a chain through the slots that
// is linked both ways, so that a contact leaves it in one step even when a PBX holds 10,000 lines
// on one flow. Walking: any thread, under the sequence count of the head's stripe, looking again
// when it has changed. Changing: the shard's owner.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/table/aor_hash.h"
#include "dataplane/table/slots.h"

#include <atomic>
#include <cstdint>

namespace pinhole::table {

class FlowIndex {
  public:
    // Heads share sequence counts: a walk over a long chain should not fail because an unrelated
    // flow has changed.
    static constexpr std::uint32_t kStripes = 1024;
    static constexpr int kMaxTries = 16;

    void attach(std::atomic<std::uint32_t>* heads, std::uint32_t count,
                std::atomic<std::uint32_t>* stripes, Slots* slots, std::uint32_t* previous,
                const KeyedHash* hash) {
        heads_ = heads;
        count_ = count;
        stripes_ = stripes;
        slots_ = slots;
        previous_ = previous;
        hash_ = hash;
    }
    // Four heads a contact. In an avalanche most flows that are looked up belong to no contact, and
    // three times in four meet an empty head. Of the flows that belong to a contact few stand
    // behind another, in memory that nobody has prefetched.
    static constexpr std::uint32_t kHeadsAContact = 4;
    static constexpr std::uint32_t heads_for(std::uint64_t contacts) {
        constexpr std::uint64_t kMost = 0xffff'ffff;
        const std::uint64_t wanted = contacts * kHeadsAContact + 1;
        return static_cast<std::uint32_t>(wanted < kMost ? wanted : kMost);
    }

    void prefetch(std::uint64_t flow_hash) const {
        __builtin_prefetch(&heads_[bucket_of_hash(flow_hash, count_)]);
    }
    // Likewise the slot at the head, once that has been fetched; kNoSlot if there is none.
    [[nodiscard]] std::uint32_t first_any(std::uint64_t flow_hash) const {
        // A hint: walk() looks again.
        return head_of(flow_hash).first.load(std::memory_order_relaxed) - 1;
    }
    // Calls `begin()` and then `visit(slot)` for each slot of the flow's chain, colliding flows'
    // among them, until `visit` returns false or the end comes with nothing changed meanwhile;
    // begins again otherwise. False: the chain kept changing, and what was visited last may lack
    // some.
    template <class Begin, class Visit>
    [[nodiscard]] bool walk(std::uint64_t flow_hash, Begin&& begin, Visit&& visit) const;

    // The owner's.
    void link(std::uint32_t slot, const net::Flow& flow);
    void unlink(std::uint32_t slot, const net::Flow& flow);

  private:
    struct Head {
        std::atomic<std::uint32_t>& first;
        std::atomic<std::uint32_t>& stripe;
    };
    Head head_of(std::uint64_t flow_hash) const {
        const std::uint32_t n = bucket_of_hash(flow_hash, count_);
        return {heads_[n], stripes_[n % kStripes]};
    }

    std::atomic<std::uint32_t>* heads_ = nullptr;  // slot + 1
    std::uint32_t count_ = 0;
    std::atomic<std::uint32_t>* stripes_ = nullptr;  // odd: changing
    Slots* slots_ = nullptr;
    std::uint32_t* previous_ = nullptr;  // by slot, of all shards; slot + 1, 0: first of its chain
    const KeyedHash* hash_ = nullptr;
};

template <class Begin, class Visit>
bool FlowIndex::walk(std::uint64_t flow_hash, Begin&& begin, Visit&& visit) const {
    const Head head = head_of(flow_hash);
    for (int i = 0; i < kMaxTries; ++i) {
        const std::uint32_t before = head.stripe.load(std::memory_order_acquire);
        if ((before & 1) != 0) {
            cpu_relax();
            continue;
        }
        begin();
        // Links are loaded with acquire, so that the look at the stripe below comes after them; a
        // chain that changes under us can lead round in a circle, never for longer than there are
        // slots.
        std::uint32_t steps = 0;
        std::uint32_t link = head.first.load(std::memory_order_acquire);
        for (; link != 0 && link <= slots_->count() && steps <= slots_->count(); ++steps) {
            if (!visit(link - 1)) {
                return true;
            }
            link = (*slots_)[link - 1].next.load(std::memory_order_acquire);
        }
        if (head.stripe.load(std::memory_order_relaxed) == before) {
            return true;
        }
    }
    return false;
}

}  // namespace pinhole::table
