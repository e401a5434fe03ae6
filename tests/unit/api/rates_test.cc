// SPDX-License-Identifier: BSD-3-Clause
// The ring of the last minutes' rates.
#include "control/api/rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinhole::api {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<CoreStatus> cores(std::uint64_t registers, std::uint64_t calls) {
    std::vector<CoreStatus> two(2);
    two[0].registers = registers;
    two[0].calls_in = calls;
    two[1].calls_out = calls;
    return two;
}

constexpr std::uint64_t kStep = RateHistory::kEvery_ms;

TEST(RateHistory, SharesByTheTimeThatPassed) {
    RateHistory history;
    history.add(1'000, cores(500, 0));
    EXPECT_THAT(history.read().per_s[0], IsEmpty()) << "what was before nobody knows";
    EXPECT_FALSE(history.due(1'000 + kStep - 1));
    EXPECT_TRUE(history.due(1'000 + kStep));
    history.add(1'000 + kStep, cores(520, 3));
    history.add(1'000 + 2 * kStep, cores(520, 3));
    EXPECT_THAT(history.read().per_s[0], ElementsAre(10, 0));
    EXPECT_THAT(history.read().per_s[1], ElementsAre(3, 0)) << "both cores', in and out";
    EXPECT_EQ(history.read().every_s, 2);
}

TEST(RateHistory, SpreadsWhatCameWhileItWasLate) {
    RateHistory history;
    history.add(1'000, cores(0, 0));
    history.add(1'000 + 5 * kStep, cores(100, 0));
    EXPECT_THAT(history.read().per_s[0], ElementsAre(10, 10, 10, 10, 10));
    history.add(1'000'000'000, cores(100, 0));
    EXPECT_THAT(history.read().per_s[0], SizeIs(RateHistory::kPoints));
}

TEST(RateHistory, KeepsTheLastOnesInOrder) {
    RateHistory history;
    std::uint64_t sum = 0;
    history.add(0, cores(0, 0));
    history.add(1, cores(0, 0));
    for (std::uint64_t n = 1; n <= RateHistory::kPoints + 7; ++n) {
        sum += 2 * n;
        history.add(1 + n * kStep, cores(sum, 0));
    }
    const Rates rates = history.read();
    ASSERT_THAT(rates.per_s[0], SizeIs(RateHistory::kPoints));
    EXPECT_EQ(rates.per_s[0].front(), 8);
    EXPECT_EQ(rates.per_s[0].back(), RateHistory::kPoints + 7);
    EXPECT_THAT(rates.per_s[4], Each(0));
}

}  // namespace
}  // namespace pinhole::api
