// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/change_marks.h"

#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace pinhole::table::test {
namespace {

struct TestMarks {
    explicit TestMarks(std::uint32_t slots)
        : words(ChangeMarks::words_for(slots)), summary(ChangeMarks::summary_for(slots)) {
        marks.attach(words.data(), summary.data(), slots);
    }
    std::vector<std::atomic<std::uint64_t>> words, summary;
    ChangeMarks marks;
};

TEST(ChangeMarks, EachSlotComesOnceHoweverOftenMarked) {
    TestMarks t(100'001);
    const std::vector<std::uint32_t> slots{0, 63, 64, 4095, 4096, 5000, 100'000};
    for (int round = 0; round < 3; ++round) {
        for (const std::uint32_t slot : slots) {
            t.marks.mark(slot);
            t.marks.mark_claimed(slot);
        }
    }
    EXPECT_EQ(drained(t.marks), slots);
    EXPECT_EQ(drained(t.marks), std::vector<std::uint32_t>{});
}

TEST(ChangeMarks, WorkIsBoundedAndGoesOnWhereItStopped) {
    TestMarks t(300'000);
    std::vector<std::uint32_t> marked;
    for (std::uint32_t slot = 0; slot < 300'000; slot += 97) {
        t.marks.mark(slot);
        marked.push_back(slot);
    }
    std::vector<std::uint32_t> seen;
    int calls = 0;
    while (t.marks.drain(100, [&](std::uint32_t slot) { seen.push_back(slot); }) != 0) {
        ++calls;
        ASSERT_LE(seen.size(), static_cast<std::size_t>(calls) * (100 + 63));
    }
    EXPECT_EQ(seen, marked);
}

TEST(ChangeMarks, MarkedAgainWhileDrainedComesAgain) {
    TestMarks t(64);
    t.marks.mark(5);
    std::size_t calls = 0;
    t.marks.drain(1000, [&](std::uint32_t slot) {
        ++calls;
        t.marks.mark(slot);
    });
    EXPECT_EQ(calls, 1u);
    EXPECT_EQ(drained(t.marks), std::vector<std::uint32_t>{5});
}

// Slots that are always busy must not keep the others from their turn: not in their group, and not
// in the next.
TEST(ChangeMarks, NoSlotStarves) {
    TestMarks t(8192);
    t.marks.mark(2000);
    t.marks.mark(8000);
    int seen = 0;
    for (int call = 0; call < 20; ++call) {
        for (std::uint32_t slot = 0; slot < 256; ++slot) {
            t.marks.mark(slot);
        }
        t.marks.drain(70, [&](std::uint32_t slot) { seen += slot >= 2000; });
    }
    EXPECT_EQ(seen, 2);
}

// Writers set a version and then mark; whoever drains must in the end have seen the last version of
// each.
TEST(ChangeMarks, NoChangeIsLost) {
    constexpr std::uint32_t kSlots = 5000;
    constexpr std::uint32_t kVersions = 20;
    TestMarks t(kSlots);
    std::vector<std::atomic<std::uint32_t>> versions(kSlots);
    std::vector<std::uint32_t> seen(kSlots);
    std::atomic<int> running{2};
    std::vector<std::thread> writers;
    for (std::uint32_t writer = 0; writer < 2; ++writer) {
        writers.emplace_back([&, writer] {
            for (std::uint32_t version = 1; version <= kVersions; ++version) {
                for (std::uint32_t slot = writer; slot < kSlots; slot += 2) {
                    versions[slot].store(version, std::memory_order_relaxed);
                    t.marks.mark(slot);
                }
            }
            --running;
        });
    }
    const auto look = [&](std::uint32_t slot) {
        seen[slot] = versions[slot].load(std::memory_order_relaxed);
    };
    while (running != 0) {
        t.marks.drain(200, look);
    }
    for (std::thread& writer : writers) {
        writer.join();
    }
    t.marks.drain(~std::size_t{0}, look);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), kVersions), kSlots);
}

}  // namespace
}  // namespace pinhole::table::test
