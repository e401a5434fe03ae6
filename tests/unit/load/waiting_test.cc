// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/waiting.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace pinhole::load {
namespace {

TEST(Waiting, FindsWhatWasNotAnsweredInTime) {
    Waiting waiting(100);
    std::set<std::uint32_t> open{1, 2, 3};
    std::vector<std::uint32_t> lost;
    const auto sweep = [&](std::uint64_t now) {
        waiting.sweep(
            now, [&](const Ticket& t) { return open.count(t.phone) != 0; },
            [&](const Ticket& t) {
                lost.push_back(t.phone);
                open.erase(t.phone);
            });
    };
    waiting.add({1, 0}, 1000);
    waiting.add({2, 0}, 1010);
    waiting.add({3, 0}, 1020);
    sweep(1099);
    EXPECT_TRUE(lost.empty());
    open.erase(2);
    sweep(1100);
    EXPECT_EQ(lost, std::vector<std::uint32_t>{1});
    sweep(1119);
    EXPECT_EQ(lost.size(), 1U);
    sweep(5000);
    EXPECT_EQ(lost, (std::vector<std::uint32_t>{1, 3}));
    sweep(9000);
    EXPECT_EQ(lost.size(), 2U);
}

}  // namespace
}  // namespace pinhole::load
