// SPDX-License-Identifier: BSD-3-Clause
// The array that the control thread writes and all others read: every field, stale ids, and readers
// beside the writer.
#include "dataplane/table/qualify_state.h"

#include "dataplane/table/heap_memory.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace pinhole::table {
namespace {

TEST(QualifyTable, KeepsEveryField) {
    QualifyTable table(3);
    EXPECT_EQ(QualifyTable::bytes_per_contact(), 28u);
    QualifyView in;
    in.generation = 0xfeed'beef;
    in.state = Reach::kUnreachable;
    in.missed = 255;
    in.flags = QualifyView::kEverAnswered | QualifyView::kRemoving;
    in.traits = 0x3f;
    in.last_rtt_us = 0xffff'fffe;
    in.gateway = 0x2a'bcde;
    in.lesson = 3;
    in.flow_mark = 0x8001;
    in.last_ping_ms = 0x7fff'ffff;
    in.unreachable_since_s = 0xabcd'ef01;
    table.write_control(1, in);
    for (const QualifyView& out : {table.read_any({1, 0xfeed'beef}), table.get_control(1)}) {
        EXPECT_EQ(out.generation, in.generation);
        EXPECT_EQ(out.state, in.state);
        EXPECT_EQ(out.missed, in.missed);
        EXPECT_EQ(out.flags, in.flags);
        EXPECT_EQ(out.traits, in.traits);
        EXPECT_EQ(out.last_rtt_us, in.last_rtt_us);
        EXPECT_EQ(out.gateway, in.gateway);
        EXPECT_EQ(out.lesson, in.lesson);
        EXPECT_EQ(out.flow_mark, in.flow_mark);
        EXPECT_EQ(out.last_ping_ms, in.last_ping_ms);
        EXPECT_EQ(out.unreachable_since_s, in.unreachable_since_s);
    }
    EXPECT_EQ(table.reach_any({1, 0xfeed'beef}), Reach::kUnreachable);
    EXPECT_EQ(table.get_control(0).generation, 0u);
    EXPECT_EQ(table.get_control(2).generation, 0u);
}

TEST(QualifyTable, InMemoryThatIsHandedIn) {
    HeapMemory heap;
    std::vector<std::uint64_t> kept(3 * QualifyTable::kept_bytes_per_contact() / 8);
    for (void* elsewhere : {static_cast<void*>(nullptr), static_cast<void*>(kept.data())}) {
        QualifyTable table(3, heap.arrays(), elsewhere);
        table.write_control(2, {.generation = 7, .state = Reach::kUnreachable});
        table.prove_any(2, 4000, Proof::kRegister);
        EXPECT_EQ(table.reach_any({2, 7}), Reach::kUnreachable);
        EXPECT_EQ(table.life_any(2).at_ms, 4000U);
        table.prefetch_any(2);
        table.prefetch_any(kNoSlot);
    }
    const QualifyTable again(3, kept.data());
    EXPECT_EQ(again.reach_any({2, 7}), Reach::kUnreachable);
}

TEST(QualifyTable, ReadsAStaleIdAsUnknown) {
    QualifyTable table(1);
    table.write_control(0, {.generation = 7, .state = Reach::kReachable, .last_rtt_us = 5});
    for (const ContactId id : {ContactId{0, 6}, ContactId{0, 8}, ContactId{0, 0}, ContactId{1, 7},
                               ContactId{0xffff'ffff, 7}}) {
        EXPECT_EQ(table.reach_any(id), Reach::kUnknown);
        EXPECT_EQ(table.read_any(id).generation, 0u);
        EXPECT_EQ(table.read_any(id).last_rtt_us, 0u);
    }
    EXPECT_EQ(table.reach_any({0, 7}), Reach::kReachable);
}

TEST(QualifyTable, NoReaderTakesAnothersWordsForItsOwn) {
    QualifyTable table(1);
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> wrong{0};
    std::atomic<std::uint64_t> seen{0};
    std::thread reader([&] {
        while (!done.load(std::memory_order_relaxed)) {
            const std::uint32_t generation = table.get_control(0).generation;
            const QualifyView view = table.read_any({0, generation});
            if (view.generation == 0) {
                continue;
            }
            seen.fetch_add(1, std::memory_order_relaxed);
            for (const std::uint32_t word :
                 {view.last_rtt_us, view.last_ping_ms, view.unreachable_since_s}) {
                if (word != 0 && word != generation) {
                    wrong.fetch_add(1, std::memory_order_relaxed);
                }
            }
        }
    });
    for (std::uint32_t g = 1; g < 300'000 || (seen.load() == 0 && g < 100'000'000); ++g) {
        table.write_control(0, {.generation = g, .state = Reach::kReachable});
        table.write_control(0, {.generation = g,
                                .state = Reach::kReachable,
                                .last_rtt_us = g,
                                .last_ping_ms = g,
                                .unreachable_since_s = g});
    }
    done = true;
    reader.join();
    EXPECT_EQ(wrong.load(), 0u);
    EXPECT_GT(seen.load(), 0u);
}

}  // namespace
}  // namespace pinhole::table
