// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/arena.h"

#include "tests/unit/table/support.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace pinhole::table::test {
namespace {

struct Region {
    explicit Region(std::size_t size)
        : bytes(size),
          begin(static_cast<char*>(
              mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}
    ~Region() { munmap(begin, bytes); }
    bool holds(const void* p, std::size_t size) const {
        const char* at = static_cast<const char*>(p);
        return at >= begin && at + size <= begin + bytes;
    }
    std::size_t bytes;
    char* begin;
};
constexpr std::size_t kRegionBytes = std::size_t{32} << 20;

std::vector<void*> fill(const RecordAllocator& allocator, const Region& region, std::size_t size) {
    std::vector<void*> blocks;
    while (void* block = allocator.allocate(allocator.context, size)) {
        EXPECT_TRUE(region.holds(block, size));
        std::memset(block, 0xa5, size);
        blocks.push_back(block);
    }
    return blocks;
}

TEST(RecordArena, EndsWithItsRegionAndUsesItAgain) {
    const Region region(kRegionBytes);
    const auto arena = RecordArena::make(region.begin, region.bytes);
    ASSERT_NE(arena, nullptr);
    const RecordAllocator allocator = arena->allocator();
    const std::vector<void*> blocks = fill(allocator, region, 248);
    EXPECT_GT(blocks.size() * 256, kRegionBytes * 3 / 4) << "most of the region holds records";
    EXPECT_LE(arena->carved_bytes(), region.bytes);
    for (void* block : blocks) {
        allocator.release(allocator.context, block, 248);
    }
    const std::vector<void*> again = fill(allocator, region, 248);
    EXPECT_GE(again.size(), blocks.size());
}

// The last piece that jemalloc asks for is as small as the first: it lies half empty.
TEST(RecordArena, GrowsBySmallPieces) {
    const Region region(4 * kRegionBytes);
    const auto arena = RecordArena::make(region.begin, region.bytes);
    ASSERT_NE(arena, nullptr);
    const RecordAllocator allocator = arena->allocator();
    constexpr std::size_t kRecords = 310'000;
    for (std::size_t i = 0; i < kRecords; ++i) {
        ASSERT_NE(allocator.allocate(allocator.context, 222), nullptr);
    }
    EXPECT_LE(arena->carved_bytes(), kRecords * 224 + (std::size_t{5} << 20));
}

TEST(RecordArena, PlainAllocationsNeverComeFromIt) {
    const Region region(kRegionBytes);
    const auto arena = RecordArena::make(region.begin, region.bytes);
    const RecordAllocator allocator = arena->allocator();
    for (int round = 0; round < 1000; ++round) {
        void* record = allocator.allocate(allocator.context, 200);
        allocator.release(allocator.context, record, 200);
        void* plain = std::malloc(200);
        EXPECT_FALSE(region.holds(plain, 200));
        std::free(plain);
    }
}

// An end of the daemon must not walk millions of records to give each back to what goes as a whole.
TEST(RecordArena, TakesItsRecordsAlongWhenTheTableEnds) {
    const Region region(kRegionBytes);
    const auto arena = RecordArena::make(region.begin, region.bytes);
    struct Watched {
        RecordAllocator arena;
        int released = 0;
    } watched{arena->allocator()};
    ShardMemory shard;
    HeapMemory arrays;
    shard.arrays = arrays.arrays();
    shard.records = arena->allocator();
    shard.records.context = &watched;
    shard.records.allocate = [](void* self, std::size_t bytes) {
        const RecordAllocator& to = static_cast<Watched*>(self)->arena;
        return to.allocate(to.context, bytes);
    };
    shard.records.release = [](void* self, void* record, std::size_t bytes) {
        ++static_cast<Watched*>(self)->released;
        const RecordAllocator& to = static_cast<Watched*>(self)->arena;
        to.release(to.context, record, bytes);
    };
    TestReclaimer reclaimer;
    auto table =
        BindingTable::make({10, make_hash(), reclaimer.get(), arrays.arrays(), {&shard, 1}});
    ASSERT_NE(table, nullptr);
    ASSERT_EQ(add(*table, Phone(1)), ChangeResult::kOk);
    ASSERT_EQ(add(*table, Phone(2)), ChangeResult::kOk);
    ASSERT_EQ(drop_all(*table, Phone(2).aor), ChangeResult::kOk);
    reclaim_all(*table);
    EXPECT_EQ(watched.released, 1) << "while it lives it gives back what it doesn't need";
    table.reset();
    EXPECT_EQ(watched.released, 1);
}

TEST(RecordArena, TwoDoNotMix) {
    const Region one(kRegionBytes);
    const Region two(kRegionBytes);
    const auto arena_one = RecordArena::make(one.begin, one.bytes);
    const auto arena_two = RecordArena::make(two.begin, two.bytes);
    std::mt19937 random(1);
    for (int i = 0; i < 5000; ++i) {
        const std::size_t size = 100 + random() % 2000;
        const RecordAllocator a = arena_one->allocator();
        const RecordAllocator b = arena_two->allocator();
        void* in_one = a.allocate(a.context, size);
        void* in_two = b.allocate(b.context, size);
        ASSERT_TRUE(one.holds(in_one, size));
        ASSERT_TRUE(two.holds(in_two, size));
        if (i % 3 != 0) {
            a.release(a.context, in_one, size);
            b.release(b.context, in_two, size);
        }
    }
}

TEST(RecordArena, ARegionTooSmallIsRefused) {
    const Region region(kRegionBytes);
    EXPECT_EQ(RecordArena::make(region.begin, 4096), nullptr);
    EXPECT_EQ(RecordArena::make(nullptr, kRegionBytes), nullptr);
}

TEST(RecordArena, ThePlanHoldsAFullTable) {
    constexpr std::uint32_t kContacts = 50'000;
    const MemoryPlan plan = memory_plan(kContacts, 1);
    const Region region(plan.shard_records);
    const auto arena = RecordArena::make(region.begin, region.bytes);
    ASSERT_NE(arena, nullptr);
    HeapMemory arrays;
    TestReclaimer reclaimer;
    const ShardMemory shard{arrays.arrays(), arena->allocator()};
    const auto table = BindingTable::make(
        {kContacts, make_hash(), reclaimer.get(), arrays.arrays(), std::span(&shard, 1)});
    for (std::uint64_t n = 0; n < kContacts; ++n) {
        ASSERT_EQ(add(*table, Phone(n)), ChangeResult::kOk) << n;
    }
    EXPECT_EQ(add(*table, Phone(kContacts)), ChangeResult::kTableFull);
    // And holds it still after every record has been of another size.
    std::string aor;
    for (std::uint64_t n = 0; n < kContacts; ++n) {
        ASSERT_EQ(drop_all(*table, make_aor(n)), ChangeResult::kOk);
        Phone other(n);
        other.uri += std::string(n % 60, 'x');
        ASSERT_EQ(add(*table, other), ChangeResult::kOk) << n;
        table->reclaim_owner(0);
    }
}

}  // namespace
}  // namespace pinhole::table::test
