// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/bucket.h"

#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace pinhole::table::test {
namespace {

// One bucket, so that all hashes meet in it.
struct TestBuckets {
    explicit TestBuckets(std::uint32_t overflow_lines)
        : overflow_memory(overflow_lines),
          overflow{overflow_memory.data(), FreeList(overflow_lines)} {
        index.attach(&first, 1, &overflow);
    }
    Record* make(int n) {
        memories.push_back(std::make_unique<std::uint64_t[]>(16));
        const std::string aor = make_aor(static_cast<std::uint64_t>(n));
        return RecordBuilder(memories.back().get(), 128, hash(n), aor, 0).record();
    }
    static std::uint64_t hash(int n) { return std::uint64_t(n % 3) << 32; }  // three tags
    bool add(int n) {
        const auto place = index.reserve(hash(n));
        if (place.cell != nullptr) {
            index.put(place, make(n));
        }
        return place.cell != nullptr;
    }
    // True: a line came free and went back.
    bool remove(int n) {
        std::uint32_t line = 0;
        const bool freed = index.clear(index.locate(hash(n), make_aor(std::uint64_t(n))), line);
        if (freed) {
            overflow.push(line);
        }
        return freed;
    }
    bool has(int n) const { return index.find(hash(n), make_aor(std::uint64_t(n))) != nullptr; }

    BucketLine first{};
    std::vector<BucketLine> overflow_memory;
    OverflowLines overflow;
    BucketIndex index;
    std::vector<std::unique_ptr<std::uint64_t[]>> memories;
};

TEST(BucketIndex, ChainsLinesUntilThePoolIsUsedUp) {
    TestBuckets t(3);
    for (int n = 0; n < 28; ++n) {
        ASSERT_TRUE(t.add(n)) << n;
    }
    EXPECT_FALSE(t.add(28));
    for (int n = 0; n < 28; ++n) {
        EXPECT_TRUE(t.has(n)) << n;
    }
    EXPECT_FALSE(t.has(28));
    int visited = 0;
    t.index.for_each(0, [&](const Record&) { ++visited; });
    EXPECT_EQ(visited, 28);
}

TEST(BucketIndex, AFreedCellIsUsedBeforeANewLine) {
    TestBuckets t(1);
    for (int n = 0; n < 14; ++n) {
        ASSERT_TRUE(t.add(n));
    }
    EXPECT_FALSE(t.remove(3));
    EXPECT_FALSE(t.has(3));
    EXPECT_TRUE(t.add(20));
    EXPECT_TRUE(t.has(20));
    EXPECT_FALSE(t.add(21));
}

TEST(BucketIndex, AnEmptiedLineGoesBackFromTheMiddleOfTheChain) {
    TestBuckets t(2);
    for (int n = 0; n < 21; ++n) {
        ASSERT_TRUE(t.add(n));
    }
    for (int n = 7; n < 13; ++n) {
        EXPECT_FALSE(t.remove(n));
    }
    EXPECT_TRUE(t.remove(13));
    for (int n = 14; n < 21; ++n) {
        EXPECT_TRUE(t.has(n)) << n;
    }
    for (int n = 30; n < 37; ++n) {
        EXPECT_TRUE(t.add(n)) << "by the line that went back";
    }
    EXPECT_FALSE(t.add(37));
    EXPECT_TRUE(t.has(36));
    EXPECT_TRUE(t.has(20));
}

TEST(BucketIndex, TheFirstLineStaysHoweverEmpty) {
    TestBuckets t(1);
    ASSERT_TRUE(t.add(0));
    EXPECT_FALSE(t.remove(0));
    EXPECT_TRUE(t.add(1));
    EXPECT_TRUE(t.has(1));
}

// Full, and phones come and go for long: nobody may be turned away for want of a line.
TEST(BucketIndex, LinesEnoughForAFullTableInChurn) {
    constexpr std::uint32_t kRecords = 100'000;
    const std::uint32_t pool = BucketIndex::overflow_lines_for(kRecords, 1);
    EXPECT_LT(pool, kRecords / 12);
    std::vector<BucketLine> lines(BucketIndex::lines_for(kRecords));
    std::vector<BucketLine> overflow_memory(pool);
    OverflowLines overflow{overflow_memory.data(), FreeList(pool)};
    BucketIndex index;
    index.attach(lines.data(), static_cast<std::uint32_t>(lines.size()), &overflow);
    std::mt19937_64 random(1);
    struct Memory {
        alignas(Record) std::array<std::byte, 32> bytes;
    };
    std::vector<Memory> memories(kRecords);
    std::vector<std::uint64_t> hashes(kRecords);
    const auto come = [&](std::uint32_t n) {
        hashes[n] = random();
        const auto place = index.reserve(hashes[n]);
        ASSERT_NE(place.cell, nullptr) << n;
        Memory& memory = memories[n];
        RecordBuilder built(memory.bytes.data(), memory.bytes.size(), hashes[n], "a@b", 0);
        index.put(place, built.record());
    };
    for (std::uint32_t n = 0; n < kRecords; ++n) {
        come(n);
    }
    for (std::uint32_t turn = 0; turn < 6 * kRecords && !HasFatalFailure(); ++turn) {
        const auto n = static_cast<std::uint32_t>(random() % kRecords);
        std::uint32_t line = 0;
        if (index.clear(index.locate(hashes[n], "a@b"), line)) {
            overflow.push(line);
        }
        come(n);
    }
}

}  // namespace
}  // namespace pinhole::table::test
