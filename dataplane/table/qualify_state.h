// SPDX-License-Identifier: BSD-3-Clause
// What pings have taught about each contact, in an array by slot beside the binding table. The
// control thread alone writes; any thread reads: a worker that chooses among contacts, the API that
// shows them. A reader names the generation it means, and what belongs to another one reads as
// unknown. Beside it stands when each contact last proved that it lives: workers write that, at the
// price of one store, and the control thread looks when a ping is due, so that no packet costs an
// event. 28 bytes a contact; pure.
//
//   word 0   generation 32 | flow mark 8 | flags 8 | missed 8 | traits 6 | state 2   a worker needs
//            this alone
//   word 1   gateway 22 | lesson 2 | flow mark 8 | last round trip, us 32
//   word 2   unreachable since, s 32 | last ping, ms 32
#pragma once

#include "dataplane/table/contact_id.h"
#include "dataplane/table/memory.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace pinhole::table {

enum class Reach : std::uint8_t {
    kUnknown,      // no answer by this flow yet: it may be a phone that answers no OPTIONS at all
    kReachable,    // its last pings were answered, or fewer than max_missed of them were not
    kUnreachable,  // it used to answer and has missed max_missed in a row
    kCount
};

// What has shown a secret of the contact's, by the contact's own flow. Nothing that a stranger
// could have sent counts: a stranger who could put off a ping could starve a pinhole.
enum class Proof : std::uint8_t {
    kNone,
    kRegister,  // a good digest; with authentication off, the binding's Call-ID and a newer CSeq
    kPong,      // the MAC of a ping of ours
    kDialog,    // a token or a branch of ours, in a request or a response
};

// The last proof of a contact, by the millisecond clock modulo 2^32, in steps of 4 ms.
struct Life {
    Proof proof = Proof::kNone;
    std::uint32_t at_ms = 0;

    // How long ago; what a worker has stamped since `now_ms` was read is no age.
    [[nodiscard]] std::uint32_t age_ms(std::uint32_t now_ms) const {
        const std::uint32_t age = now_ms - at_ms;
        return age > ~std::uint32_t{0} / 2 ? 0 : age;
    }
};

// One contact's state. Seconds are those of the contact's expiry; milliseconds are the control
// thread's, modulo 2^32.
struct QualifyView {
    // Flags; those that only the keeper understands are harmless to others.
    static constexpr std::uint8_t kEverAnswered = 1;
    static constexpr std::uint8_t kWaiting =
        2;  // a ping is out, its answer neither seen nor given up
    static constexpr std::uint8_t kExpiring =
        4;  // the owner was asked to remove it because it expired
    static constexpr std::uint8_t kRemoving =
        8;  // likewise, because it was unreachable for too long
    static constexpr std::uint8_t kQueued =
        16;  // its ping is due and waits its turn; stays with the slot
    static constexpr std::uint8_t kCanary = 64;   // it waits longer than the rest, for all to learn
    static constexpr std::uint8_t kHasTurn = 32;  // its gateway may be pinged for it when it is due

    static constexpr std::uint8_t kRepeated = 128;  // the ping that is out has been sent again

    // Traits, of 6 bits: what the binding has said of itself when it was last looked at.
    static constexpr std::uint8_t kSuspect = 1;  // table::kSuspect
    static constexpr unsigned kAlgShift = 1;     // likewise, of two bits
    static constexpr std::uint8_t kAlgMask = 6;
    static constexpr std::uint8_t kProbed = 8;  // the keeper's: its Contact's port has been asked
    static constexpr unsigned kPortShift = 4;  // of that port two bits, so that another is noticed,
    static constexpr std::uint8_t kPortMask = 48;  // three times in four

    std::uint32_t generation = 0;  // 0: nothing is known of the contact asked for
    Reach state = Reach::kUnknown;
    std::uint8_t missed = 0;  // unanswered in a row, saturating
    std::uint8_t flags = 0;
    std::uint8_t traits = 0;
    std::uint32_t last_rtt_us = 0;  // 0: never answered
    std::uint32_t gateway = 0;      // the keeper's number of it, of 22 bits; 0: none
    std::uint8_t lesson = 0;        // which of its lessons is for this phone, of 2 bits
    std::uint16_t flow_mark = 0;    // of the flow that all this is of: another one, another mark
    std::uint32_t last_ping_ms = 0;
    std::uint32_t unreachable_since_s = 0;

    [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
    [[nodiscard]] unsigned alg() const { return (traits & kAlgMask) >> kAlgShift; }
    [[nodiscard]] bool is_suspect() const { return (traits & kSuspect) != 0; }
};

class QualifyTable {
  public:
    explicit QualifyTable(std::uint32_t capacity)
        : QualifyTable(capacity, ArrayMemory{}, nullptr) {}
    // `kept`: memory that outlives it and perhaps the process, capacity * kept_bytes_per_contact(),
    // 8-byte aligned, zero or as an earlier one has left it; null: of `memory` too.
    QualifyTable(std::uint32_t capacity, void* kept)
        : QualifyTable(capacity, ArrayMemory{}, kept) {}
    // Workers go there at random, so `memory` is best of large pages; the heap's without it.
    QualifyTable(std::uint32_t capacity, const ArrayMemory& memory, void* kept)
        : slots_(kept != nullptr ? static_cast<Slot*>(kept) : take(memory, capacity, own_slots_)),
          lives_(take(memory, capacity, own_lives_)),
          capacity_(capacity) {}

    // A contact's words as they stand, for who keeps them elsewhere.
    using Words = std::array<std::uint64_t, 3>;
    [[nodiscard]] Words words_any(std::uint32_t slot) const {
        const Slot& from = slots_[slot];
        return {from.head.load(std::memory_order_acquire),
                from.answer.load(std::memory_order_acquire),
                from.ping.load(std::memory_order_acquire)};
    }
    [[nodiscard]] static QualifyView view_of(const Words& words) {
        return {.generation = generation_of(words[0]),
                .state = state_of(words[0]),
                .missed = static_cast<std::uint8_t>(words[0] >> 8),
                .flags = static_cast<std::uint8_t>(words[0] >> 16),
                .traits = static_cast<std::uint8_t>(words[0] >> kReachBits & kTraitsMask),
                .last_rtt_us = static_cast<std::uint32_t>(words[1]),
                .gateway = static_cast<std::uint32_t>(words[1] >> 42),
                .lesson = static_cast<std::uint8_t>(words[1] >> 40 & 3),
                .flow_mark = static_cast<std::uint16_t>((words[0] >> 24 & 0xff) << 8 |
                                                        (words[1] >> 32 & 0xff)),
                .last_ping_ms = static_cast<std::uint32_t>(words[2]),
                .unreachable_since_s = static_cast<std::uint32_t>(words[2] >> 32)};
    }

    [[nodiscard]] std::uint32_t capacity() const { return capacity_; }
    [[nodiscard]] static constexpr std::size_t bytes_per_contact() {
        return kept_bytes_per_contact() + sizeof(LifeWord);
    }
    [[nodiscard]] static constexpr std::size_t kept_bytes_per_contact() { return sizeof(Slot); }

    // Ahead of prove_any() and reach_any(). Any slot. Inlined by force: gcc takes a function that
    // only prefetches for one without effect, and leaves the call out.
    [[gnu::always_inline]] void prefetch_any(std::uint32_t slot) const {
        if (slot < capacity_) {
            __builtin_prefetch(&slots_[slot]);
            __builtin_prefetch(&lives_[slot], 1);
        }
    }
    // The slot's contact has just proved that it lives. By whoever can see the contact at this
    // moment: its slot is nobody else's before that thread is quiescent. Relaxed: the stamp is a
    // hint by itself, and a lost one costs a ping.
    void prove_any(std::uint32_t slot, std::uint32_t now_ms, Proof proof) {
        if (slot < capacity_) {
            lives_[slot].store((now_ms & ~kProofMask) | static_cast<std::uint32_t>(proof),
                               std::memory_order_relaxed);
        }
    }
    // `slot` < capacity().
    [[nodiscard]] Life life_any(std::uint32_t slot) const {
        const std::uint32_t word = lives_[slot].load(std::memory_order_relaxed);
        return {static_cast<Proof>(word & kProofMask), word & ~kProofMask};
    }
    // A new contact is in the slot. The control thread's.
    void forget_life_control(std::uint32_t slot) {
        lives_[slot].store(0, std::memory_order_relaxed);
    }

    // What a worker asks before it sends a call: one load.
    [[nodiscard]] Reach reach_any(ContactId id) const {
        if (id.slot >= capacity_ || !id.valid()) {
            return Reach::kUnknown;
        }
        const std::uint64_t head = slots_[id.slot].head.load(std::memory_order_relaxed);
        return generation_of(head) == id.generation ? state_of(head) : Reach::kUnknown;
    }

    // The whole; a contact that is not (or no longer) the slot's reads as a default QualifyView.
    // Each word is whole by itself and belongs to this generation; a state just being changed may
    // stand beside the previous round trip.
    [[nodiscard]] QualifyView read_any(ContactId id) const {
        if (id.slot >= capacity_ || !id.valid()) {
            return {};
        }
        const Slot& slot = slots_[id.slot];
        const QualifyView view = load(slot);
        // Pairs with write_control(): words of a later generation are stored after its head, so
        // whoever has seen one of them sees the new head here.
        const std::uint64_t again = slot.head.load(std::memory_order_relaxed);
        const bool same = view.generation == id.generation && generation_of(again) == id.generation;
        return same ? view : QualifyView{};
    }

    // The slot's state whatever its generation. `slot` < capacity().
    [[nodiscard]] QualifyView get_control(std::uint32_t slot) const { return load(slots_[slot]); }

    // `slot` < capacity(). When the generation changes, the old words are cleared first, so that no
    // reader takes them for the new contact's.
    void write_control(std::uint32_t slot, const QualifyView& view) {
        Slot& to = slots_[slot];
        if (generation_of(to.head.load(std::memory_order_relaxed)) != view.generation) {
            to.answer.store(0, std::memory_order_release);
            to.ping.store(0, std::memory_order_release);
        }
        // Release, and release again below: pairs with the acquire loads of load().
        const std::uint64_t mark = view.flow_mark;
        to.head.store(std::uint64_t{view.generation} << 32 | mark >> 8 << 24 |
                          std::uint64_t{view.flags} << 16 | std::uint64_t{view.missed} << 8 |
                          std::uint64_t{view.traits & kTraitsMask} << kReachBits |
                          static_cast<std::uint64_t>(view.state),
                      std::memory_order_release);
        to.answer.store(std::uint64_t{view.gateway} << 42 | std::uint64_t{view.lesson} << 40 |
                            (mark & 0xff) << 32 | view.last_rtt_us,
                        std::memory_order_release);
        to.ping.store(std::uint64_t{view.unreachable_since_s} << 32 | view.last_ping_ms,
                      std::memory_order_release);
    }

  private:
    using Word = std::atomic<std::uint64_t>;
    struct Slot {
        Word head{0};
        Word answer{0};
        Word ping{0};
    };
    static_assert(sizeof(Slot) == 24 && Word::is_always_lock_free);

    // The proof stands in the low bits of the stamp.
    using LifeWord = std::atomic<std::uint32_t>;
    static constexpr std::uint32_t kProofMask = 3;
    static_assert(sizeof(LifeWord) == 4 && LifeWord::is_always_lock_free);

    static std::uint32_t generation_of(std::uint64_t head) {
        return static_cast<std::uint32_t>(head >> 32);
    }
    static constexpr unsigned kReachBits = 2;
    static constexpr unsigned kTraitsMask = 0x3f;
    static_assert(static_cast<unsigned>(Reach::kCount) <= 1u << kReachBits);

    static Reach state_of(std::uint64_t head) {
        const auto reach = static_cast<Reach>(head & ((1u << kReachBits) - 1));
        return reach < Reach::kCount ? reach : Reach::kUnknown;
    }

    [[nodiscard]] QualifyView load(const Slot& slot) const {
        return view_of(words_any(static_cast<std::uint32_t>(&slot - slots_)));
    }

    template <class Word>
    static Word* take(const ArrayMemory& memory, std::size_t count, std::unique_ptr<Word[]>& own) {
        void* taken = memory.allocate == nullptr
                          ? nullptr
                          : memory.allocate(memory.context, count * sizeof(Word));
        if (taken != nullptr) {
            return static_cast<Word*>(taken);  // zero, as its words are when they are new
        }
        own = std::make_unique<Word[]>(count);
        return own.get();
    }

    std::unique_ptr<Slot[]> own_slots_;  // null: the memory is another's
    std::unique_ptr<LifeWord[]> own_lives_;
    Slot* slots_;
    LifeWord* lives_;
    std::uint32_t capacity_;
};

}  // namespace pinhole::table
