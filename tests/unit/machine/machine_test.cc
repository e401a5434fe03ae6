// SPDX-License-Identifier: BSD-3-Clause
// What pinhole asks of the machine that it runs on: cores of its own, capabilities it may give up,
// and a watchdog that is called in time.
#include "control/machine/cpu_advice.h"
#include "control/machine/privileges.h"
#include "control/machine/watchdog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

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

config::Config with_port(config::DeviceKind kind, std::uint16_t sip_port = 5060) {
    config::Config config;
    config.ports.resize(1);
    config.ports[0].device.kind = kind;
    config.ports[0].sip_ports = {sip_port};
    return config;
}

// Of those that a user without rights is given by the unit.
std::string kept_by_service(const config::Config& config) {
    constexpr Capabilities kByUnit =
        Capabilities{1} << CAP_NET_RAW | Capabilities{1} << CAP_NET_ADMIN |
        Capabilities{1} << CAP_IPC_LOCK | Capabilities{1} << CAP_BPF |
        Capabilities{1} << CAP_SYS_ADMIN | Capabilities{1} << CAP_NET_BIND_SERVICE;
    return names(needed(config) & kByUnit);
}

TEST(Privileges, AreWhatThePortKindNeeds) {
    using Kind = config::DeviceKind;
    EXPECT_EQ(kept_by_service(with_port(Kind::kAfPacket)), "CAP_NET_ADMIN");
    EXPECT_EQ(kept_by_service(with_port(Kind::kMemif)), "CAP_NET_ADMIN");
    EXPECT_EQ(kept_by_service(with_port(Kind::kAfXdp)), "CAP_NET_ADMIN CAP_BPF");
    EXPECT_EQ(kept_by_service(with_port(Kind::kPci)), "CAP_NET_ADMIN CAP_IPC_LOCK");
    EXPECT_EQ(kept_by_service(with_port(Kind::kAfPacket, 506)),
              "CAP_NET_BIND_SERVICE CAP_NET_ADMIN");
    EXPECT_EQ(names(0), "none");
}

TEST(Privileges, LetRootReadAgainWhatItHasRead) {
    const Capabilities kept = needed(with_port(config::DeviceKind::kAfPacket));
    EXPECT_NE(kept & Capabilities{1} << CAP_DAC_READ_SEARCH, 0U);
    EXPECT_EQ(kept & Capabilities{1} << CAP_SYS_ADMIN, 0U);
}

// In a child, for they are gone for good. A thread that is there already gives them up as well.
int give_up_in_child() {
    constexpr Capabilities kAdmin = Capabilities{1} << CAP_NET_ADMIN;
    std::atomic<bool> go{false};
    Capabilities of_thread = ~Capabilities{0};
    std::thread other([&] {
        while (!go.load()) {
            std::this_thread::yield();
        }
        of_thread = held();
    });
    const Capabilities before = held();
    const bool kept = !keep_only(kAdmin).has_value();
    go.store(true);
    other.join();
    const Capabilities wanted = before & kAdmin;
    return kept && held() == wanted && of_thread == wanted ? 0 : 1;
}

TEST(Privileges, AreGivenUpByEveryThread) {
    const pid_t child = fork();
    if (child == 0) {
        _exit(give_up_in_child());
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(Watchdog, IsCalledThreeTimesAPeriod) {
    Watchdog watchdog(3'000'000);
    EXPECT_TRUE(watchdog.due(5'000));
    EXPECT_FALSE(watchdog.due(5'999));
    EXPECT_TRUE(watchdog.due(6'000));
    EXPECT_TRUE(watchdog.due(60'000));
    EXPECT_FALSE(watchdog.due(60'001));
}

TEST(Watchdog, IsStillIfNobodyListens) {
    Watchdog watchdog(0);
    EXPECT_FALSE(watchdog.due(1'000'000));
}

}  // namespace
}  // namespace pinhole::machine
