// SPDX-License-Identifier: BSD-3-Clause
// Which capabilities are kept, and that every thread gives up the others.
#include "control/machine/privileges.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>

namespace pinhole::machine {
namespace {

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

// The thread sanitizer runs threads of its own, which block all signals: keep_only() then says that
// some could not be reached.
#ifdef __SANITIZE_THREAD__
constexpr bool kAllReachable = false;
#else
constexpr bool kAllReachable = true;
#endif

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
    const bool all_reached = !keep_only(kAdmin).has_value();
    go.store(true);
    other.join();
    const Capabilities wanted = before & kAdmin;
    return all_reached == kAllReachable && held() == wanted && of_thread == wanted ? 0 : 1;
}

int status_of_child(int (*run)()) {
    const pid_t child = fork();
    if (child == 0) {
        _exit(run());
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
}

TEST(Privileges, AreGivenUpByEveryThread) {
    EXPECT_EQ(status_of_child(give_up_in_child), 0);
}

// pthread_create() holds signals back while it clones, so a thread that has been told can make one
// more, with all that it has. Here it takes its time over that.
int give_up_while_a_thread_is_made() {
    constexpr Capabilities kAdmin = Capabilities{1} << CAP_NET_ADMIN;
    const Capabilities wanted = held() & kAdmin;
    std::atomic<bool> is_held_back{false};
    std::atomic<bool> go{false};
    std::atomic<int> wrong{0};
    std::thread maker([&] {
        sigset_t all;
        sigset_t before;
        sigset_t pending;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        is_held_back = true;
        do {
            sigpending(&pending);
        } while (sigismember(&pending, SIGRTMIN + 1) == 0);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));  // the list is read by now
        std::thread made([&] {
            pthread_sigmask(SIG_SETMASK, &before, nullptr);
            go.wait(false);
            wrong += held() == wanted ? 0 : 1;
        });
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        made.join();
        wrong += held() == wanted ? 0 : 1;
    });
    while (!is_held_back.load()) {
        std::this_thread::yield();
    }
    const bool all_reached = !keep_only(kAdmin).has_value();
    go.store(true);
    go.notify_all();
    maker.join();
    return all_reached && wrong.load() == 0 ? 0 : 1;
}

TEST(Privileges, AreGivenUpByAThreadThatIsMadeMeanwhile) {
    if (!kAllReachable) {
        GTEST_SKIP() << "the thread sanitizer's own threads can't be reached";
    }
    EXPECT_EQ(status_of_child(give_up_while_a_thread_is_made), 0);
}

}  // namespace
}  // namespace pinhole::machine
