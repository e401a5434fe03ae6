// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

namespace pinhole::table::test {
namespace {

struct TestSlots {
    explicit TestSlots(std::uint32_t count, std::uint32_t first_generation = 1)
        : memory(count), slots(count, first_generation) {
        slots.attach(memory.data());
    }
    std::vector<Slot> memory;
    Slots slots;
};

TEST(Slots, EachIsTakenOnceAndNoMore) {
    TestSlots t(100);
    SlotMagazine none;
    std::set<std::uint32_t> taken;
    for (int i = 0; i < 100; ++i) {
        const auto id = t.slots.take(none);
        ASSERT_TRUE(id.has_value());
        EXPECT_EQ(id->generation, 1u);
        EXPECT_TRUE(taken.insert(id->slot).second);
    }
    EXPECT_FALSE(t.slots.take(none).has_value());
    t.slots.give_back(17, none);
    EXPECT_EQ(t.slots.take(none)->slot, 17u);
    EXPECT_FALSE(t.slots.take(none).has_value());
}

TEST(Slots, AnEndedContactsIdIsStale) {
    TestSlots t(1);
    SlotMagazine none;
    Record* const record = reinterpret_cast<Record*>(&t);  // never looked into
    const ContactId first = *t.slots.take(none);
    t.slots.set_record(first.slot, record);
    EXPECT_EQ(t.slots.record_of(first), record);
    t.slots.end_contact(first.slot);
    EXPECT_EQ(t.slots.record_of(first), nullptr);
    t.slots.give_back(first.slot, none);
    const ContactId second = *t.slots.take(none);
    t.slots.set_record(second.slot, record);
    EXPECT_EQ(second.generation, first.generation + 1);
    EXPECT_EQ(t.slots.record_of(first), nullptr);
    EXPECT_EQ(t.slots.record_of(second), record);
    EXPECT_EQ(t.slots.record_of({5, 1}), nullptr) << "no such slot";
}

TEST(Slots, GenerationZeroIsSkipped) {
    TestSlots t(1);
    SlotMagazine none;
    const ContactId id = *t.slots.take(none);
    t.slots[id.slot].generation = 0xffff'ffff;
    t.slots.end_contact(id.slot);
    EXPECT_EQ(t.slots[id.slot].generation, 1u);
}

// What a restart does: the same slots, the same order, and none of the old ids.
TEST(Slots, GenerationsBeginWhereTheyAreToldTo) {
    TestSlots before(3);
    TestSlots after(3, 0xffff'ffff);
    SlotMagazine none;
    Record* const record = reinterpret_cast<Record*>(&after);  // never looked into
    for (int i = 0; i < 3; ++i) {
        const ContactId old_id = *before.slots.take(none);
        const ContactId id = *after.slots.take(none);
        after.slots.set_record(id.slot, record);
        EXPECT_EQ(id.slot, old_id.slot);
        EXPECT_EQ(id.generation, 0xffff'ffff);
        EXPECT_EQ(after.slots.record_of(old_id), nullptr);
        EXPECT_EQ(after.slots.record_of(id), record);
    }
    after.slots.end_contact(2);
    EXPECT_EQ(after.slots[2].generation, 1u) << "0 is nobody's";
}

// A contact that is loaded keeps its generation; the slots around it begin at this run's.
TEST(Slots, ALoadedContactKeepsItsGeneration) {
    TestSlots t(4, 1000);
    SlotMagazine none;
    Record* const record = reinterpret_cast<Record*>(&t);  // never looked into
    ASSERT_TRUE(t.slots.take_exactly({2, 41}));
    t.slots.set_record(2, record);
    t.slots.rebuild_free();
    EXPECT_EQ(t.slots.record_of({2, 41}), record);
    for (int i = 0; i < 3; ++i) {
        const ContactId id = *t.slots.take(none);
        EXPECT_NE(id.slot, 2u);
        EXPECT_EQ(id.generation, 1000u);
    }
}

TEST(Slots, MagazinesAreForLargeTablesOfSeveralShards) {
    EXPECT_EQ(SlotMagazine::size_for(1'000'000, 1), 0u);
    EXPECT_EQ(SlotMagazine::size_for(1000, 4), 0u);
    EXPECT_EQ(SlotMagazine::size_for(1'000'000, 2), 64u);
    EXPECT_EQ(SlotMagazine::size_for(100'000, 4), 24u);
}

TEST(Slots, NoneIsLostInAMagazine) {
    TestSlots t(200);
    SlotMagazine magazine;
    magazine.attach(8);
    std::set<std::uint32_t> taken;
    while (const auto id = t.slots.take(magazine)) {
        EXPECT_TRUE(taken.insert(id->slot).second);
    }
    EXPECT_EQ(taken.size(), 200u);
    for (const std::uint32_t slot : taken) {
        t.slots.give_back(slot, magazine);
    }
    int again = 0;
    while (t.slots.take(magazine)) {
        ++again;
    }
    EXPECT_EQ(again, 200);
}

// Two owners take and give back; nobody may hold a slot that another holds.
TEST(Slots, OwnersShareTheListConcurrently) {
    constexpr std::uint32_t kSlots = 64;
    TestSlots t(kSlots);
    std::vector<std::atomic<int>> holders(kSlots);
    std::atomic<int> clashes{0};
    std::vector<std::thread> owners;
    for (std::uint32_t owner = 0; owner < 2; ++owner) {
        owners.emplace_back([&, owner] {
            SlotMagazine magazine;
            magazine.attach(owner * 4);
            std::vector<std::uint32_t> held;
            for (int i = 0; i < 20'000; ++i) {
                if (const auto id = held.size() < 20 ? t.slots.take(magazine) : std::nullopt) {
                    clashes += holders[id->slot].fetch_add(1) != 0;
                    held.push_back(id->slot);
                } else {
                    while (!held.empty()) {
                        holders[held.back()].fetch_sub(1);
                        t.slots.give_back(held.back(), magazine);
                        held.pop_back();
                    }
                }
            }
        });
    }
    for (std::thread& owner : owners) {
        owner.join();
    }
    EXPECT_EQ(clashes, 0);
}

}  // namespace
}  // namespace pinhole::table::test
