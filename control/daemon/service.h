// SPDX-License-Identifier: BSD-3-Clause
// The service loop: it does what may block, in the main thread. Netlink in and surroundings out,
// new keys, the kernel's share of the packets, what ICMP says of the paths, signals, and the watch
// over the other threads' heartbeats. If it stalls for seconds, no worker notices.
#pragma once

#include "control/daemon/control_thread.h"
#include "control/daemon/key_service.h"
#include "control/daemon/peer_log.h"
#include "control/daemon/publisher.h"
#include "control/netlink/mirror.h"
#include "dataplane/io/kernel_path.h"
#include "dataplane/io/mesh.h"
#include "dataplane/io/worker.h"
#include "dataplane/net/path_mtus.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pinhole::daemon {

class Service {
  public:
    Service(netlink::Mirror& mirror, Publisher& publisher, io::KernelPath& kernel, io::Mesh& mesh,
            KeyService& keys, PeerLog& peers, net::PathMtus& path_mtus, IcmpCounters& icmp);

    // Before the workers start: what they need of the world, and the sockets that keep the kernel
    // quiet.
    [[nodiscard]] io::Status prepare();
    // Until a signal that ends us is read from `signal_fd`; SIGHUP has `reload` called. `tidy` is
    // called every round, and ends it too by false.
    void run(int signal_fd, const std::function<void()>& reload, const std::function<bool()>& tidy);

    // Monotonic milliseconds.
    [[nodiscard]] static std::uint64_t now_ms();

  private:
    void follow_kernel(std::uint64_t now_ms);
    void rotate_keys(std::uint64_t now_ms);
    void follow_endpoints(std::uint64_t now_ms, bool changed);
    // Until there is something to do; while `busy`, a moment.
    void sleep(std::vector<pollfd>& polls, bool busy);
    // Whether any was wanted.
    [[nodiscard]] bool ask_for_neighbours(std::uint64_t now_ms);
    void hear(const io::SocketError& error, std::uint64_t now_ms);
    void forget_paths(std::uint64_t now_ms);

    netlink::Mirror& mirror_;
    Publisher& publisher_;
    io::KernelPath& kernel_;
    io::Mesh& mesh_;
    KeyService& keys_;
    PeerLog& peers_;
    net::PathMtus& path_mtus_;
    IcmpCounters& icmp_;
    bool followed_ = true;  // sockets and steering are as the endpoints are
    std::uint64_t next_try_ms_ = 0;
    std::uint64_t next_expiry_ms_ = 0;
    bool new_keys_ = false;  // to be published
};

}  // namespace pinhole::daemon
