// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/bucket.h"

#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <memory>
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

}  // namespace
}  // namespace pinhole::table::test
