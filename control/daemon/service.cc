// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/service.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>

namespace pinhole::daemon {
namespace {

// How often the loop looks at what to reclaim, save and tell the supervisor; packets from the
// workers or from the kernel end the sleep.
constexpr int kWait_ms = 50;
// While packets come: they are moved each millisecond, so that a flood of them doesn't have the
// workers ring for each.
constexpr int kBusyWait_ms = 1;
constexpr std::uint64_t kTryAgain_ms = 1000;
constexpr std::uint64_t kExpirePaths_ms = 1000;

}  // namespace

Service::Service(netlink::Mirror& mirror, Publisher& publisher, io::KernelPath& kernel,
                 io::Mesh& mesh, KeyService& keys, PeerLog& peers, net::PathMtus& path_mtus,
                 IcmpCounters& icmp)
    : mirror_(mirror),
      publisher_(publisher),
      kernel_(kernel),
      mesh_(mesh),
      keys_(keys),
      peers_(peers),
      path_mtus_(path_mtus),
      icmp_(icmp) {}

std::uint64_t Service::now_ms() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
}

io::Status Service::prepare() {
    mirror_.process(now_ms());
    publisher_.publish(now_ms());
    return kernel_.follow(publisher_.current());
}

void Service::run(int signal_fd, const std::function<void()>& reload,
                  const std::function<bool()>& tidy) {
    std::vector<pollfd> polls;
    bool busy = false;
    for (;;) {
        polls.assign({{signal_fd, POLLIN, 0},
                      {mirror_.poll_fd(), POLLIN, 0},
                      {mesh_.bell().fd(), POLLIN, 0}});
        const std::size_t own = polls.size();
        kernel_.add_polls(polls);
        sleep(polls, busy);
        signalfd_siginfo signal{};
        if ((polls[0].revents & POLLIN) != 0 &&
            read(signal_fd, &signal, sizeof signal) == sizeof signal) {
            if (signal.ssi_signo != SIGHUP) {
                return;
            }
            reload();
        }
        const std::uint64_t now = now_ms();
        kernel_.read_errors(std::span(polls).subspan(own),
                            [&](const io::SocketError& error) { hear(error, now); });
        forget_paths(now);
        busy = kernel_.move();
        rotate_keys(now);
        follow_kernel(now);
        busy |= ask_for_neighbours(now);
        publisher_.reclaim();
        peers_.follow();
        if (!tidy()) {
            return;
        }
    }
}

void Service::sleep(std::vector<pollfd>& polls, bool busy) {
    const int build = mirror_.build_wait_ms(now_ms());
    int wait = busy ? kBusyWait_ms : kWait_ms;
    wait = build < 0 ? wait : std::min(wait, build);
    if (!busy) {
        mesh_.bell().await();
        wait = mesh_.service_has_work() ? 0 : wait;
    }
    (void)poll(polls.data(), polls.size(), wait);
    if (!busy) {
        mesh_.bell().rise();
    }
}

void Service::follow_kernel(std::uint64_t now) {
    mirror_.process(now);
    bool changed = false;
    if (new_keys_ || mirror_.build_due(now)) {
        changed = publisher_.publish(now);
        new_keys_ = false;
        mirror_.build_took(now_ms() - now);
    }
    if (changed || (!followed_ && now >= next_try_ms_)) {
        follow_endpoints(now, changed);
    }
}

void Service::rotate_keys(std::uint64_t now) {
    if (keys_.turn(now)) {
        publisher_.use_keys(keys_.keys());
        new_keys_ = true;
    }
}

// Whoever has one of our UDP ports may end, or be ended by the operator who reads of it.
void Service::follow_endpoints(std::uint64_t now, bool changed) {
    const io::Status done = kernel_.follow(publisher_.current());
    if (!done && (changed || followed_)) {
        spdlog::error("{}", done.error().message);
    } else if (done && !followed_) {
        spdlog::info("the kernel's side follows all addresses again");
    }
    followed_ = done.ok();
    next_try_ms_ = now + kTryAgain_ms;
}

bool Service::ask_for_neighbours(std::uint64_t now) {
    std::array<io::Unresolved, 64> asked;
    const unsigned n = mesh_.unresolved().take(asked.data(), asked.size());
    for (unsigned i = 0; i < n; ++i) {
        mirror_.resolve(asked[i].ifindex, asked[i].next_hop, now);
    }
    return n != 0;
}

// What leaves by no port of ours, or needs no cutting by the link's MTU, is nothing to learn of.
void Service::hear(const io::SocketError& error, std::uint64_t now) {
    if (!error.too_big) {
        icmp_.other.add();
        return;
    }
    const net::Hop hop = publisher_.current().fib.lookup(error.destination, 0);
    if (path_mtus_.learn(error.destination, error.mtu, hop.mtu, now / 1000) !=
        net::PathMtus::Heard::kLearned) {
        icmp_.ignored.add();
        return;
    }
    icmp_.learned.add();
    spdlog::debug("packets to {} may be {} bytes long", net::to_string(error.destination),
                  path_mtus_.find(error.destination));
}

void Service::forget_paths(std::uint64_t now) {
    if (now >= next_expiry_ms_) {
        path_mtus_.expire(now / 1000);
        next_expiry_ms_ = now + kExpirePaths_ms;
    }
}

}  // namespace pinhole::daemon
