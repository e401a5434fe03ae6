// SPDX-License-Identifier: BSD-3-Clause
#include "control/qualify/ledger.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace pinhole::qualify {
namespace {

constexpr std::uint32_t kVersionMask = (1u << 23) - 1;
constexpr int kMaxTries = 16;

constexpr std::array<const char*, static_cast<std::size_t>(Event::kCount)> kNames{
    "none",    "registered",  "refreshed", "spoke",     "moved",   "answered",
    "missed",  "unreachable", "outage",    "back",      "expired", "removed_unreachable",
    "removed", "suspected",   "trusted",   "retargeted"};

// What tells no more for being told again and again.
bool repeats(Event event) {
    return event == Event::kRefreshed || event == Event::kSpoke || event == Event::kAnswered ||
           event == Event::kMissed;
}

LedgerEntry entry_of(std::uint64_t word) {
    return {static_cast<Event>(word >> 56), static_cast<std::uint8_t>(word >> 48),
            static_cast<std::uint16_t>(word >> 32), static_cast<std::uint32_t>(word)};
}

std::uint64_t word_of(const LedgerEntry& entry) {
    return static_cast<std::uint64_t>(entry.event) << 56 | std::uint64_t{entry.times} << 48 |
           std::uint64_t{entry.detail} << 32 | entry.at_s;
}

}  // namespace

const char* event_name(Event event) {
    const auto n = static_cast<std::size_t>(event);
    return n < kNames.size() ? kNames[n] : kNames[0];
}

void Ledger::Free::operator()(Page* pages) const {
    std::free(pages);
}

// Zeroed by the kernel, page by page as they are touched: a table of millions that is half empty
// costs half.
Ledger::Ledger(std::uint32_t slots)
    : slots_(slots),
      pages_(slots == 0 ? nullptr : static_cast<Page*>(std::calloc(slots, sizeof(Page)))) {
    if (slots != 0 && pages_ == nullptr) {
        throw std::bad_alloc();
    }
}

Ledger::Head Ledger::unpack(std::uint64_t word) {
    return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint8_t>(word >> 24),
            (word >> 23 & 1) != 0, static_cast<std::uint32_t>(word) & kVersionMask};
}

std::uint64_t Ledger::pack(const Head& head) {
    return std::uint64_t{head.generation} << 32 | std::uint64_t{head.written} << 24 |
           std::uint64_t{head.closed ? 1u : 0u} << 23 | (head.version & kVersionMask);
}

// Pairs with read_any(): who sees a word written between begin() and end() sees that the version is
// odd or has moved on.
Ledger::Head Ledger::begin(Page& page) {
    Head head = unpack(page.head.load(std::memory_order_relaxed));
    ++head.version;
    page.head.store(pack(head), std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    return head;
}

void Ledger::end(Page& page, Head head) {
    ++head.version;
    page.head.store(pack(head), std::memory_order_release);
}

void Ledger::open(std::uint32_t slot, std::uint32_t generation, std::uint64_t aor_hash) {
    if (slot >= slots_) {
        return;
    }
    Page& page = pages_[slot];
    Head head = begin(page);
    head.generation = generation;
    head.written = 0;
    head.closed = false;
    page.aor_hash.store(aor_hash, std::memory_order_relaxed);
    for (Word& entry : page.entries) {
        entry.store(0, std::memory_order_relaxed);
    }
    end(page, head);
}

void Ledger::note(std::uint32_t slot, Event event, std::uint32_t detail, std::uint32_t at_s) {
    if (slot >= slots_) {
        return;
    }
    Page& page = pages_[slot];
    Head head = begin(page);
    LedgerEntry entry{event, 1, static_cast<std::uint16_t>(std::min(detail, 0xffffu)), at_s};
    std::size_t at = head.written;
    if (head.written > 0 && repeats(event)) {
        const std::size_t last_at = head.written - 1u;
        const LedgerEntry last =
            entry_of(page.entries[place_of(last_at)].load(std::memory_order_relaxed));
        if (last.event == event) {
            entry.times = static_cast<std::uint8_t>(std::min(last.times + 1, 255));
            at = last_at;
        }
    }
    page.entries[place_of(at)].store(word_of(entry), std::memory_order_relaxed);
    if (at == head.written) {
        ++head.written;
        if (head.written == 2 * LedgerPage::kEntries) {
            head.written = LedgerPage::kEntries;  // full all the same, and at the same place
        }
    }
    end(page, head);
}

void Ledger::note_once(std::uint32_t slot, Event event, std::uint32_t at_s) {
    if (slot >= slots_) {
        return;
    }
    for (const Word& word : pages_[slot].entries) {
        const LedgerEntry entry = entry_of(word.load(std::memory_order_relaxed));
        if (entry.event == event && entry.at_s + 1 >= at_s) {
            return;
        }
    }
    note(slot, event, 0, at_s);
}

void Ledger::close(std::uint32_t slot, Event why, std::uint32_t at_s) {
    if (slot >= slots_) {
        return;
    }
    note(slot, why, 0, at_s);
    Head head = begin(pages_[slot]);
    head.closed = true;
    end(pages_[slot], head);
}

bool Ledger::read_any(std::uint32_t slot, LedgerPage& out) const {
    if (slot >= slots_) {
        return false;
    }
    const Page& page = pages_[slot];
    for (int i = 0; i < kMaxTries; ++i) {
        const std::uint64_t before = page.head.load(std::memory_order_acquire);
        const Head head = unpack(before);
        if ((head.version & 1) != 0) {
            continue;
        }
        out = {};
        out.generation = head.generation;
        out.closed = head.closed;
        out.aor_hash = page.aor_hash.load(std::memory_order_relaxed);
        out.count = std::min<std::size_t>(head.written, LedgerPage::kEntries);
        for (std::size_t n = 0; n < out.count; ++n) {
            const std::size_t at = place_of(head.written - out.count + n);
            out.entries[n] = entry_of(page.entries[at].load(std::memory_order_relaxed));
        }
        std::atomic_thread_fence(std::memory_order_acquire);
        if (page.head.load(std::memory_order_relaxed) == before) {
            return head.generation != 0;
        }
    }
    return false;
}

}  // namespace pinhole::qualify
