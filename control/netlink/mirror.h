// SPDX-License-Identifier: BSD-3-Clause
// The kernel's links, addresses, routes (main table) and neighbours, mirrored through netlink.
// Belongs to the service thread, which polls poll_fd(), calls process(), and when build_due() says
// so builds a forwarding table and publishes it. May block in the kernel for as long as a dump
// takes.
#pragma once

#include "control/netlink/resolver.h"
#include "control/netlink/state.h"

#include <memory>
#include <string>

struct mnl_socket;

namespace pinhole::netlink {

class Mirror {
  public:
    // Subscribes, then dumps: nothing is missed in between. Null with a sentence in `error` if the
    // kernel refuses.
    [[nodiscard]] static std::unique_ptr<Mirror> open(std::string& error);
    ~Mirror();
    Mirror(const Mirror&) = delete;
    Mirror& operator=(const Mirror&) = delete;

    // Readable when process() has something to do.
    [[nodiscard]] int poll_fd() const;
    // Takes in what the kernel has told, without waiting for more; dumps again after an overrun
    // (ENOBUFS) or where the routes have become doubtful. Call it when poll_fd() is readable, and
    // every 100 ms or so besides.
    void process(std::uint64_t now_ms);

    // Which interfaces are ours. Gateways of routes by them are kept resolved.
    void set_ports(std::span<const net::PortInterface> ports);

    // A table is to be built now: something changed, and the last one is kBuildEveryMs old, or four
    // times as long as it took.
    static constexpr std::uint64_t kBuildEveryMs = 20;
    [[nodiscard]] bool dirty() const;
    [[nodiscard]] bool build_due(std::uint64_t now_ms) const;
    // How long until build_due(), for the poll's timeout; -1 when nothing has changed.
    [[nodiscard]] int build_wait_ms(std::uint64_t now_ms) const;
    [[nodiscard]] net::Fib build_fib(std::uint64_t now_ms);
    // How long the last build took, told by who has a clock; spaces the next.
    void build_took(std::uint64_t ms);

    // Asks the kernel to resolve a next hop that a lookup lacked (HopOutcome::kNoNeighbour);
    // rate-limited, so it may be called for every packet.
    void resolve(std::uint32_t ifindex, const Address& address, std::uint64_t now_ms);
    // Has the kernel keep it resolved, for the few that matter: core peers on the link. Gateways
    // are kept without being asked for.
    void keep_resolved(std::uint32_t ifindex, const Address& address);

    [[nodiscard]] const State& state() const;
    [[nodiscard]] std::optional<InterfaceInfo> interface(std::string_view name) const;
    [[nodiscard]] std::optional<InterfaceInfo> interface(std::uint32_t ifindex) const;

    [[nodiscard]] std::uint64_t overruns() const;  // how often the kernel told more than we read
    [[nodiscard]] std::uint64_t dumps() const;     // dumps made, the first ones included

  private:
    struct Closer {
        void operator()(mnl_socket* socket) const;
    };
    using Socket = std::unique_ptr<mnl_socket, Closer>;

    Mirror() = default;
    bool dump_all(std::string& error);
    bool dump(DumpKind kind, std::string& error);
    bool dump_once(DumpKind kind, bool& interrupted, std::string& error);
    void take(const void* buffer, std::size_t len, std::uint64_t now_ms);
    void redump_where_needed(std::uint64_t now_ms);
    void keep_gateways();
    void drain_answers();
    void send_resolve(std::uint32_t ifindex, const Address& address, Keep keep);

    Socket events_;
    Socket requests_;
    std::vector<char> buffer_;
    State state_;
    Resolver resolver_;
    std::vector<net::PortInterface> ports_;
    std::vector<State::Gateway> kept_;  // asked to be kept, sorted
    std::uint32_t sequence_ = 0;
    std::uint64_t last_build_ms_ = 0;
    std::uint64_t build_every_ms_ = kBuildEveryMs;
    std::uint64_t last_redump_ms_ = 0;
    std::uint64_t overruns_ = 0;
    std::uint64_t dumps_ = 0;
    bool built_ = false;
    bool everything_doubtful_ = false;
};

}  // namespace pinhole::netlink
