// SPDX-License-Identifier: BSD-3-Clause
// The last eight things that happened to a contact: what is kept, what is one entry, who may read.
#include "control/qualify/ledger.h"

#include "tests/unit/qualify/world.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace pinhole::qualify {
namespace {

std::string told(const LedgerPage& page) {
    std::string out;
    for (std::size_t i = 0; i < page.count; ++i) {
        const LedgerEntry& e = page.entries[i];
        out += (i == 0 ? "" : " ") + std::string(event_name(e.event)) +
               (e.times > 1 ? "*" + std::to_string(e.times) : "");
    }
    return out;
}

LedgerPage read(const Ledger& ledger, std::uint32_t slot) {
    LedgerPage page;
    EXPECT_TRUE(ledger.read_any(slot, page));
    return page;
}

TEST(Ledger, KeepsTheLastEightInOrder) {
    Ledger ledger(2);
    LedgerPage page;
    EXPECT_FALSE(ledger.read_any(0, page)) << "nothing has happened there";
    ledger.open(0, 7, 99);
    for (std::uint32_t n = 1; n <= 50; ++n) {
        ledger.note(0, Event::kMoved, n, 1'000 + n);
        page = read(ledger, 0);
        ASSERT_EQ(page.count, std::min<std::size_t>(n, 8));
        for (std::size_t i = 0; i < page.count; ++i) {
            ASSERT_EQ(page.entries[i].detail, n - page.count + 1 + i);
        }
    }
    EXPECT_EQ(page.generation, 7u);
    EXPECT_EQ(page.aor_hash, 99u);
    EXPECT_EQ(page.entries[7].at_s, 1'050u);
    EXPECT_FALSE(page.closed);
    EXPECT_FALSE(ledger.read_any(1, page));
    EXPECT_FALSE(ledger.read_any(2, page));
}

TEST(Ledger, WhatRepeatsIsOneEntryThatCounts) {
    Ledger ledger(1);
    ledger.open(0, 1, 1);
    ledger.note(0, Event::kRegistered, 1024, 1);
    for (std::uint32_t n = 0; n < 300; ++n) {
        ledger.note(0, Event::kAnswered, 8 + n, 10 + n);
    }
    ledger.note(0, Event::kMissed, 0, 400);
    ledger.note(0, Event::kMissed, 0, 410);
    ledger.note(0, Event::kAnswered, 0x1'0000, 420);
    const LedgerPage page = read(ledger, 0);
    EXPECT_EQ(told(page), "registered answered*255 missed*2 answered");
    EXPECT_EQ(page.entries[1].at_s, 309u);
    EXPECT_EQ(page.entries[1].detail, 307u);
    EXPECT_EQ(page.entries[3].detail, 0xffffu);
}

TEST(Ledger, NotesOnceWhatIsSeenAgain) {
    Ledger ledger(1);
    ledger.open(0, 1, 1);
    ledger.note_once(0, Event::kRefreshed, 100);
    ledger.note(0, Event::kAnswered, 0, 101);
    ledger.note_once(0, Event::kRefreshed, 100);
    ledger.note_once(0, Event::kRefreshed, 101);  // the same, by another clock's reading
    EXPECT_EQ(told(read(ledger, 0)), "refreshed answered");
    ledger.note_once(0, Event::kRefreshed, 130);
    EXPECT_EQ(told(read(ledger, 0)), "refreshed answered refreshed");
}

TEST(Ledger, APageStaysUntilItsSlotIsAnothers) {
    Ledger ledger(3);
    ledger.open(1, 5, 42);
    ledger.note(1, Event::kRegistered, 1, 1);
    ledger.close(1, Event::kExpired, 60);
    ledger.open(2, 5, 42);
    std::vector<std::uint32_t> slots;
    ledger.find_any(42, [&](std::uint32_t slot) { slots.push_back(slot); });
    EXPECT_EQ(slots, (std::vector<std::uint32_t>{1, 2}));
    EXPECT_TRUE(read(ledger, 1).closed);
    EXPECT_EQ(told(read(ledger, 1)), "registered expired");
    ledger.open(1, 6, 43);
    EXPECT_FALSE(read(ledger, 1).closed);
    EXPECT_EQ(read(ledger, 1).count, 0u);
}

TEST(Ledger, OffItKeepsNothing) {
    Ledger ledger(0);
    ledger.open(0, 1, 1);
    ledger.note(0, Event::kMoved, 1, 1);
    ledger.note_once(0, Event::kMoved, 1);
    ledger.close(0, Event::kExpired, 1);
    LedgerPage page;
    EXPECT_FALSE(ledger.read_any(0, page));
    ledger.find_any(1, [](std::uint32_t) { FAIL(); });
}

TEST(Ledger, NoReaderSeesHalfAChange) {
    Ledger ledger(1);
    ledger.open(0, 1, 1);
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> wrong{0};
    std::atomic<std::uint64_t> seen{0};
    std::thread reader([&] {
        LedgerPage page;
        while (!done.load(std::memory_order_relaxed)) {
            if (!ledger.read_any(0, page)) {
                continue;
            }
            seen.fetch_add(1, std::memory_order_relaxed);
            bool good = page.aor_hash == page.generation;
            for (std::size_t i = 0; i < page.count; ++i) {
                good = good && page.entries[i].at_s == page.generation * 100 + i;
            }
            wrong.fetch_add(good ? 0 : 1, std::memory_order_relaxed);
        }
    });
    for (std::uint32_t g = 1; g < 50'000 || (seen.load() == 0 && g < 5'000'000); ++g) {
        ledger.open(0, g, g);
        for (std::uint32_t i = 0; i < 5; ++i) {
            ledger.note(0, Event::kMoved, 0, g * 100 + i);
        }
    }
    done = true;
    reader.join();
    EXPECT_EQ(wrong.load(), 0u);
    EXPECT_GT(seen.load(), 0u);
}

// What the keeper writes.
TEST(KeeperLedger, TellsTheStoryOfAContact) {
    World w({.max_missed = 2, .remove_after_s = 100}, 1);
    const ContactId id = w.add(0, true);
    w.run_past_ping();
    w.run(60'000);
    w.states.prove_any(0, static_cast<std::uint32_t>(w.ms), table::Proof::kRegister);
    w.run(25'000);
    w.answers[0] = false;
    while (w.view(id).state != Reach::kUnreachable) {
        w.run(10);
    }
    w.answers[0] = true;
    w.run(30'000);
    const std::string story = told(read(w.ledger, 0));
    EXPECT_TRUE(story.starts_with("registered answered*")) << story;
    EXPECT_NE(story.find(" refreshed"), std::string::npos) << story;
    EXPECT_NE(story.find(" missed*2 unreachable back answered"), std::string::npos) << story;
    w.move(0);
    w.answers[0] = false;
    w.run(200'000);
    ASSERT_FALSE(w.sink.removals.empty());
    EXPECT_TRUE(told(read(w.ledger, 0)).find(" moved missed*2 unreachable missed*") !=
                std::string::npos)
        << told(read(w.ledger, 0));
    w.remove(0);
    const LedgerPage page = read(w.ledger, 0);
    EXPECT_TRUE(page.closed);
    EXPECT_EQ(page.entries[page.count - 1].event, Event::kRemovedUnreachable);
    EXPECT_NEAR(page.entries[page.count - 1].at_s, w.now().s, 1);
    EXPECT_EQ(page.aor_hash, FakeContacts::aor_hash_of(0));
}

TEST(KeeperLedger, TellsHowAContactWent) {
    World w({}, 2);
    w.add(0, true, w.now().s + 5);
    w.add(1, true);
    w.run(6'000);
    w.remove(0);
    w.remove(1);
    EXPECT_EQ(told(read(w.ledger, 0)).substr(0, 18), "registered expired");
    EXPECT_EQ(read(w.ledger, 1).entries[read(w.ledger, 1).count - 1].event, Event::kRemoved);
    w.add(0, true);
    EXPECT_EQ(told(read(w.ledger, 0)), "registered");
    EXPECT_EQ(read(w.ledger, 0).entries[0].detail, 1024u);
}

}  // namespace
}  // namespace pinhole::qualify
