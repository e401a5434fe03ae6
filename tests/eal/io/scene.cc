// SPDX-License-Identifier: BSD-3-Clause
#include "tests/eal/io/scene.h"

#include <sched.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace pinhole::io {

void enter_own_namespace() {
    if (unshare(CLONE_NEWNET) != 0) {
        std::perror("these tests need root: unshare");
        std::exit(1);
    }
    run("ip link set lo up");
}

bool run(const std::string& command) {
    const int result = std::system((command + " >&2").c_str());
    if (result != 0) {
        std::fprintf(stderr, "failed (%d): %s\n", result, command.c_str());
    }
    return result == 0;
}

FarSide::FarSide() : thread_([this] { loop(); }) {
    in([this] {
        thread_id_ = gettid();
        unshare(CLONE_NEWNET);
        pinhole::io::run("ip link set lo up");
    });
}

FarSide::~FarSide() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void FarSide::loop() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return over_ || work_ != nullptr; });
        if (over_) {
            return;
        }
        (*work_)();
        work_ = nullptr;
        changed_.notify_all();
    }
}

void FarSide::in(const std::function<void()>& work) {
    std::unique_lock lock(mutex_);
    work_ = &work;
    changed_.notify_all();
    changed_.wait(lock, [this] { return work_ == nullptr; });
}

bool FarSide::run(const std::string& command) {
    bool done = false;
    in([&] { done = pinhole::io::run(command); });
    return done;
}

bool lay_veth(FarSide& far) {
    return run("ip link add near address 02:00:00:00:00:01 type veth peer name far address "
               "02:00:00:00:00:02") &&
           run("ip link set far netns " + std::to_string(far.thread_id())) &&
           run("ip addr add 10.9.0.1/24 dev near && ip -6 addr add fd09::1/64 dev near nodad && ip "
               "link set near up") &&
           run("ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev near") &&
           far.run(
               "ip addr add 10.9.0.2/24 dev far && ip -6 addr add fd09::2/64 dev far nodad && ip "
               "link set far up") &&
           far.run("ip neigh add 10.9.0.1 lladdr 02:00:00:00:00:01 dev far") &&
           far.run("ip neigh add fd09::1 lladdr 02:00:00:00:00:01 dev far");
}

Settings settings_for(unsigned workers, std::vector<DeviceSettings> devices) {
    Settings settings;
    settings.workers = workers;
    settings.hugepages = HugepageMode::kOff;
    settings.devices = std::move(devices);
    return settings;
}

rte_mbuf* receive(std::uint16_t ethdev, std::uint16_t queue,
                  const std::function<bool(rte_mbuf*)>& wanted, unsigned polls) {
    for (unsigned poll = 0; poll < polls; ++poll) {
        rte_mbuf* burst[32];
        const unsigned n = rte_eth_rx_burst(ethdev, queue, burst, 32);
        rte_mbuf* found = nullptr;
        for (unsigned i = 0; i < n; ++i) {
            if (found == nullptr && wanted(burst[i])) {
                found = burst[i];
            } else {
                rte_pktmbuf_free(burst[i]);
            }
        }
        if (found != nullptr) {
            return found;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return nullptr;
}

std::string udp_payload(rte_mbuf* frame) {
    const auto* ethernet = rte_pktmbuf_mtod(frame, const rte_ether_hdr*);
    const bool v4 = ethernet->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4);
    const auto* ip4 = reinterpret_cast<const rte_ipv4_hdr*>(ethernet + 1);
    const auto* ip6 = reinterpret_cast<const rte_ipv6_hdr*>(ethernet + 1);
    if (!v4 && ethernet->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV6)) {
        return "";
    }
    if ((v4 ? ip4->next_proto_id : ip6->proto) != IPPROTO_UDP) {
        return "";
    }
    const std::size_t at = sizeof *ethernet + (v4 ? sizeof *ip4 : sizeof *ip6);
    const auto* udp = rte_pktmbuf_mtod_offset(frame, const rte_udp_hdr*, at);
    const std::size_t length = rte_be_to_cpu_16(udp->dgram_len) - sizeof *udp;
    if (at + sizeof *udp + length > frame->data_len) {
        return "(cut)";
    }
    return {rte_pktmbuf_mtod_offset(frame, const char*, at + sizeof *udp), length};
}

}  // namespace pinhole::io
