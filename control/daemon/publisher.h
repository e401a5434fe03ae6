// SPDX-License-Identifier: BSD-3-Clause
// Makes the workers' Surroundings from the kernel's view, the configuration and the keys, publishes
// them by one pointer, and frees the old ones when no worker can hold them any more. The service
// thread alone, except that any thread may read what is published while it is online in the QSBR.
#pragma once

#include "control/config/config.h"
#include "control/netlink/mirror.h"
#include "dataplane/edge/surroundings.h"
#include "dataplane/io/port.h"
#include "dataplane/io/qsbr.h"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace pinhole::daemon {

class Publisher {
  public:
    Publisher(std::shared_ptr<const config::Config> config, const io::Ports& ports,
              netlink::Mirror& mirror, io::Qsbr& qsbr, const tokens::Keys& keys);

    // From the next publish() on.
    void use_keys(const tokens::Keys& keys) { keys_ = keys; }

    // Likewise. `draining`: no new bindings are taken.
    void use_config(std::shared_ptr<const config::Config> config, bool draining);

    // The present view of the kernel, published. Returns whether our endpoints have changed since
    // the last call: then sockets and XDP programs are to follow.
    bool publish(std::uint64_t now_ms);
    // Frees what has come out of use.
    void reclaim();

    [[nodiscard]] const edge::SurroundingsPointer& pointer() const { return published_; }
    // What was last published; only for the thread that publishes.
    [[nodiscard]] const edge::Surroundings& current() const { return *current_; }

  private:
    [[nodiscard]] std::vector<net::Endpoint> endpoints_of(std::size_t port,
                                                          const net::Fib& fib) const;
    void keep_peers_resolved(const net::Fib& fib);
    [[nodiscard]] std::vector<net::Flow> peer_flows(const edge::Surroundings& around) const;

    std::shared_ptr<const config::Config> config_;
    std::shared_ptr<const edge::LiveSettings> live_settings_;
    const io::Ports& ports_;
    netlink::Mirror& mirror_;
    io::Qsbr& qsbr_;
    tokens::Keys keys_;
    edge::SurroundingsPointer published_{nullptr};
    std::unique_ptr<const edge::Surroundings> current_;
    struct Retired {
        std::unique_ptr<const edge::Surroundings> old;
        std::uint64_t token;
    };
    std::deque<Retired> retired_;
};

}  // namespace pinhole::daemon
