// SPDX-License-Identifier: BSD-3-Clause
// Capabilities belong to a thread, and DPDK has made its threads before the ports could be opened:
// so each thread is sent a signal, whose handler gives up its own. This is what the C library does
// for setuid(), but not for capabilities.
#include "control/machine/privileges.h"

#include <dirent.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace pinhole::machine {
namespace {

constexpr Capabilities bit(unsigned capability) {
    return Capabilities{1} << capability;
}

struct Name {
    unsigned number;
    const char* name;
};
constexpr std::array kNames{Name{CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE"},
                            Name{CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"},
                            Name{CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE"},
                            Name{CAP_NET_ADMIN, "CAP_NET_ADMIN"},
                            Name{CAP_NET_RAW, "CAP_NET_RAW"},
                            Name{CAP_IPC_LOCK, "CAP_IPC_LOCK"},
                            Name{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
                            Name{CAP_SYS_NICE, "CAP_SYS_NICE"},
                            Name{CAP_BPF, "CAP_BPF"}};

// Written before a signal is sent, read by the handler.
std::atomic<Capabilities> to_keep{0};
// Threads that have none left to give up, and those of them that still had some.
std::atomic<unsigned> done{0};
std::atomic<unsigned> had_more{0};

// Only system calls: it is a signal handler.
void give_up() {
    const Capabilities kept = to_keep.load(std::memory_order_acquire);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    if (syscall(SYS_capget, &header, sets.data()) != 0) {
        return;
    }
    bool has_more = false;
    for (std::size_t i = 0; i < sets.size(); ++i) {
        const auto mask = static_cast<std::uint32_t>(kept >> (32 * i));
        has_more = has_more || (sets[i].permitted & ~mask) != 0;
        sets[i].permitted &= mask;
        sets[i].effective &= mask;
        sets[i].inheritable &= mask;
    }
    // The ambient set goes with the permitted one.
    if (syscall(SYS_capset, &header, sets.data()) == 0 &&
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        had_more.fetch_add(has_more ? 1 : 0, std::memory_order_relaxed);
        done.fetch_add(1, std::memory_order_release);  // pairs with the load in wait_for()
    }
}

void on_signal(int /*signal*/) {
    const int saved = errno;
    give_up();
    errno = saved;
}

// How many threads but the calling one were sent the signal.
unsigned signal_others(int signal) {
    unsigned sent = 0;
    DIR* const tasks = opendir("/proc/self/task");
    if (tasks == nullptr) {
        return 0;
    }
    for (const dirent* task = readdir(tasks); task != nullptr; task = readdir(tasks)) {
        const auto id = static_cast<pid_t>(std::strtol(task->d_name, nullptr, 10));
        if (id > 0 && id != gettid() && syscall(SYS_tgkill, getpid(), id, signal) == 0) {
            ++sent;
        }
    }
    closedir(tasks);
    return sent;
}

bool wait_for(unsigned threads) {
    constexpr int kPatience_ms = 5'000;  // a busy machine may keep a thread waiting
    constexpr timespec kPause{0, 1'000'000};
    for (int i = 0; i < kPatience_ms && done.load(std::memory_order_acquire) < threads; ++i) {
        nanosleep(&kPause, nullptr);
    }
    return done.load(std::memory_order_acquire) >= threads;
}

}  // namespace

Capabilities needed(const config::Config& config) {
    // Neighbours are asked of the kernel for every kind, and TAPs and filters are looked after.
    Capabilities all = bit(CAP_NET_ADMIN);
    // If root has started it: a reload must be able to read what the start could read, and keys and
    // journal continue to be written. The unit's user has neither to begin with.
    all |= bit(CAP_DAC_OVERRIDE) | bit(CAP_DAC_READ_SEARCH);
    for (const config::Port& port : config.ports) {
        for (const std::uint16_t number : port.sip_ports) {
            // The sockets that keep the kernel quiet follow its addresses.
            all |= number < 1024 ? bit(CAP_NET_BIND_SERVICE) : 0;
        }
        if (port.device.kind == config::DeviceKind::kAfXdp) {
            all |= bit(CAP_BPF);
        }
        if (port.device.kind == config::DeviceKind::kPci) {
            all |= bit(CAP_IPC_LOCK);
        }
    }
    return all;
}

std::string names(Capabilities capabilities) {
    std::string text;
    for (const Name& known : kNames) {
        if ((capabilities & bit(known.number)) != 0) {
            text.append(text.empty() ? "" : " ").append(known.name);
        }
    }
    return text.empty() ? "none" : text;
}

Capabilities held() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    if (syscall(SYS_capget, &header, sets.data()) != 0) {
        return 0;
    }
    return sets[0].permitted | Capabilities{sets[1].permitted} << 32;
}

std::optional<std::string> keep_only(Capabilities kept) {
    const int signal = SIGRTMIN + 1;
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    if (sigaction(signal, &action, &before) != 0) {
        return "no handler for a signal may be set";
    }
    to_keep.store(kept, std::memory_order_release);  // pairs with the load in give_up()
    done.store(0, std::memory_order_relaxed);
    give_up();
    bool reached = done.load(std::memory_order_relaxed) == 1;
    // A thread may be made by one that has not been reached yet (the HTTP servers make theirs when
    // they first run), and is not in the list that was read. Once a whole list had nothing left to
    // give up, neither has whom they make.
    constexpr int kMostLists = 100;
    bool all_done = false;
    for (int i = 0; reached && !all_done && i < kMostLists; ++i) {
        done.store(0, std::memory_order_relaxed);
        had_more.store(0, std::memory_order_relaxed);
        reached = wait_for(signal_others(signal));
        all_done = had_more.load(std::memory_order_relaxed) == 0;
    }
    // A thread that is late must find the handler still: it stays.
    return reached && all_done ? std::nullopt
                               : std::optional<std::string>("some threads could not be reached");
}

}  // namespace pinhole::machine
