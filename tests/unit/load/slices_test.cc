// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/slices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinhole::load {
namespace {

constexpr std::uint64_t kBegin = 7'000'000'000;

// A slice's answers, all in its first half.
void fill(Slices& slices, std::uint64_t slice, std::uint64_t answers, std::uint64_t ns) {
    for (std::uint64_t i = 0; i < answers; ++i) {
        slices.record(kBegin + slice * Slices::kSlice_ns + i * 1'000, ns);
    }
}

TEST(Slices, EachHasItsOwnPercentile) {
    Slices slices;
    fill(slices, 0, 2'000, 100);
    fill(slices, 1, 2'000, 200);
    fill(slices, 2, 1'900, 50);
    fill(slices, 2, 100, 90);  // five in a hundred
    EXPECT_THAT(slices.p99s(), testing::ElementsAre(100, 200)) << "the third isn't over";
    fill(slices, 3, 2'000, 80);
    EXPECT_THAT(slices.p99s(), testing::ElementsAre(100, 200, 90));
    EXPECT_EQ(slices.median_p99(), 100U);
    fill(slices, 4, 1, 1);
    EXPECT_EQ(slices.median_p99(), 90U) << "of four the second";
}

TEST(Slices, AStallDecidesOverItsOwnAlone) {
    Slices slices;
    for (std::uint64_t slice = 0; slice < 10; ++slice) {
        fill(slices, slice, 2'000, slice == 4 ? 3'000'000 : 100);
    }
    fill(slices, 10, 1, 1);
    ASSERT_EQ(slices.p99s().size(), 10U);
    EXPECT_GE(slices.p99s()[4], 3'000'000U);
    EXPECT_EQ(slices.median_p99(), 100U);
}

TEST(Slices, FewAnswersMakeNone) {
    Slices slices;
    EXPECT_EQ(slices.median_p99(), 0U);
    fill(slices, 0, Slices::kFewest - 1, 100);
    fill(slices, 1, Slices::kFewest, 300);
    fill(slices, 2, 1, 1);
    EXPECT_THAT(slices.p99s(), testing::ElementsAre(300));
}

}  // namespace
}  // namespace pinhole::load
