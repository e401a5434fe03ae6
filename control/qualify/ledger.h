// SPDX-License-Identifier: BSD-3-Clause
// The last eight things that happened to each contact, in fixed memory by slot: what answers "why
// did this phone not ring?". The control thread alone writes, any thread reads a copy, no worker is
// asked. A removed contact's page stays until its slot is another's. What repeats (answers, misses,
// refreshes) is one entry that counts. 80 bytes a slot, in pages that the kernel gives as they are
// written; pure.
//
//   word 0      generation 32 | entries written 8 | closed 1 | version 23
//   word 1      keyed hash of the AOR, so that a removed contact is found by it
//   word 2..9   event 8 | times 8 | detail 16 | at, s 32
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace pinhole::qualify {

enum class Event : std::uint8_t {
    kNone,
    kRegistered,          // a new contact; detail: its port as the gateway shows it
    kRefreshed,           // a REGISTER that proves who sent it
    kSpoke,               // a request or a response within a call, likewise
    kMoved,               // it came back by another mapping; detail: the port
    kAnswered,            // a ping; detail: the round trip in steps of 100 us
    kMissed,              // a ping got no answer
    kUnreachable,         // it missed max_missed in a row, having answered before
    kOutage,              // unreachable with all of its gateway or prefix, since then
    kBack,                // unreachable no more
    kExpired,             // removed: its time ran out
    kRemovedUnreachable,  // removed: unreachable for remove_after_s
    kRemoved,             // removed by a REGISTER or by an operator
    kSuspected,           // another phone has registered by its flow
    kTrusted,             // its own phone has registered again
    kRetargeted,          // found at its Contact's port; detail: the port
    kCount
};

struct LedgerEntry {
    Event event = Event::kNone;
    std::uint8_t times = 0;  // saturating
    std::uint16_t detail = 0;
    std::uint32_t at_s = 0;  // the last time
};

struct LedgerPage {
    static constexpr std::size_t kEntries = 8;
    std::uint32_t generation = 0;
    bool closed = false;  // the contact is gone
    std::uint64_t aor_hash = 0;
    std::size_t count = 0;
    std::array<LedgerEntry, kEntries> entries;  // the oldest first
};

class Ledger {
  public:
    // 0: nothing is kept.
    explicit Ledger(std::uint32_t slots);

    [[nodiscard]] std::uint32_t slots() const { return slots_; }
    [[nodiscard]] static constexpr std::size_t bytes_per_contact() { return sizeof(Page); }

    // The control thread's. Another contact's page ends with open().
    void open(std::uint32_t slot, std::uint32_t generation, std::uint64_t aor_hash);
    void note(std::uint32_t slot, Event event, std::uint32_t detail, std::uint32_t at_s);
    // The same, unless it stands there already.
    void note_once(std::uint32_t slot, Event event, std::uint32_t at_s);
    void close(std::uint32_t slot, Event why, std::uint32_t at_s);

    // Ahead of them. Any slot.
    [[gnu::always_inline]] void prefetch(std::uint32_t slot) const {
        if (slot < slots_) {
            __builtin_prefetch(&pages_[slot], 1);
            __builtin_prefetch(&pages_[slot].entries.back(), 1);
        }
    }

    // Any thread. False: nothing stands there, or it kept changing.
    [[nodiscard]] bool read_any(std::uint32_t slot, LedgerPage& out) const;
    // Calls `found(slot)` for every slot whose page is of this AOR, gone contacts' too; a look at
    // every page. Any thread.
    template <class Found>
    void find_any(std::uint64_t aor_hash, Found&& found) const {
        for (std::uint32_t slot = 0; slot < slots_; ++slot) {
            if (pages_[slot].aor_hash.load(std::memory_order_relaxed) == aor_hash) {
                found(slot);
            }
        }
    }

  private:
    using Word = std::atomic<std::uint64_t>;
    struct Page {
        Word head;
        Word aor_hash;
        std::array<Word, LedgerPage::kEntries> entries;
    };
    static_assert(sizeof(Page) == 80 && Word::is_always_lock_free);
    struct Free {
        void operator()(Page* pages) const;
    };

    // A head taken apart.
    struct Head {
        std::uint32_t generation = 0;
        std::uint8_t written = 0;  // kept below 2 * kEntries
        bool closed = false;
        std::uint32_t version = 0;  // odd: the page is being changed
    };
    static Head unpack(std::uint64_t word);
    static std::uint64_t pack(const Head& head);
    [[nodiscard]] Head begin(Page& page);
    static void end(Page& page, Head head);
    static std::size_t place_of(std::size_t n) { return n % LedgerPage::kEntries; }

    std::uint32_t slots_;
    std::unique_ptr<Page[], Free> pages_;
};

// "registered", "moved": as metrics and JSON name it.
[[nodiscard]] const char* event_name(Event event);

}  // namespace pinhole::qualify
