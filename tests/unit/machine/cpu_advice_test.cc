// SPDX-License-Identifier: BSD-3-Clause
// Whether workers have cores of their own.
#include "control/machine/cpu_advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace pinhole::machine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST(CpuList, IsReadAsTheKernelWritesIt) {
    EXPECT_THAT(read_cpu_list("0-2,5"), ElementsAre(0, 1, 2, 5));
    EXPECT_THAT(read_cpu_list("7\n"), ElementsAre(7));
    EXPECT_THAT(read_cpu_list(""), IsEmpty());
    EXPECT_THAT(read_cpu_list("3,x"), ElementsAre(3));
    EXPECT_THAT(read_cpu_list("4-"), IsEmpty());
    EXPECT_THAT(read_cpu_list("0-4294967295"), SizeIs(4'096));
}

// Twins are 0 and 4, 1 and 5, 2 and 6, 3 and 7.
CpuFacts eight_cpus(std::string isolated) {
    return {std::move(isolated), [](unsigned cpu) {
                return std::to_string(cpu % 4) + "," + std::to_string(cpu % 4 + 4);
            }};
}

TEST(CpuAdvice, SaysNothingOfCoresOfTheirOwn) {
    EXPECT_FALSE(advise({}, eight_cpus("")));
    EXPECT_FALSE(advise({2, 3}, eight_cpus("2-3,6-7")));
    EXPECT_FALSE(advise({1}, {"1", [](unsigned) { return std::string(); }}));
}

TEST(CpuAdvice, NamesCoresThatTheKernelUsesToo) {
    const auto advice = advise({2, 3}, eight_cpus("3,6-7"));
    ASSERT_TRUE(advice);
    EXPECT_THAT(*advice, HasSubstr("CPU 2 with"));
    EXPECT_THAT(*advice, HasSubstr("isolcpus=2,3"));
    EXPECT_THAT(*advice, Not(HasSubstr("twin")));
}

TEST(CpuAdvice, NamesTwinsThatWork) {
    const auto of_others = advise({2}, eight_cpus("2"));
    ASSERT_TRUE(of_others);
    EXPECT_THAT(*of_others, HasSubstr("CPU 6 is the hyper-twin"));
    const auto of_workers = advise({2, 6}, eight_cpus("2,6"));
    ASSERT_TRUE(of_workers);
    EXPECT_THAT(*of_workers, HasSubstr("twin"));
    EXPECT_THAT(*of_workers, Not(HasSubstr("isolcpus")));
}

}  // namespace
}  // namespace pinhole::machine
