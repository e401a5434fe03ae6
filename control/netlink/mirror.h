// SPDX-License-Identifier: BSD-3-Clause
// The kernel's links, addresses, routes (main table) and neighbours, mirrored through netlink.
// Belongs to the service thread, which polls poll_fd(), calls process(), and when build_due() says
// so builds a forwarding table and publishes it. May block in the kernel for as long as a dump
// takes. Time is handed in, from any clock that doesn't go back.
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
    // kernel refuses. Sees the network namespace of the calling thread.
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

    // A table is to be built now: something changed, and the last build is kBuildEveryMs ago,
    // and four times as long as it took.
    static constexpr std::uint64_t kBuildEveryMs = 20;
    [[nodiscard]] bool dirty() const { return state_.dirty() || ports_changed_; }
    [[nodiscard]] bool build_due(std::uint64_t now_ms) const;
    // How long until build_due(), for poll()'s timeout; -1 while nothing has changed.
    [[nodiscard]] int build_wait_ms(std::uint64_t now_ms) const;
    [[nodiscard]] net::Fib build_fib(std::uint64_t now_ms);
    // How long the last build took, told by who has a clock; it spaces the next.
    void build_took(std::uint64_t ms);

    // Asks the kernel to resolve a next hop that a lookup lacked (HopOutcome::kNoNeighbour).
    // Rate-limited, so it may be called for every such packet.
    void resolve(std::uint32_t ifindex, const Address& address, std::uint64_t now_ms);
    // Has the kernel keep these resolved, for the few that matter: core peers on the link. They
    // replace those asked for before. Gateways are kept without being asked for.
    void keep_resolved(std::vector<LinkAddress> neighbours);

    [[nodiscard]] const State& state() const { return state_; }
    [[nodiscard]] std::optional<InterfaceInfo> interface(std::string_view name) const {
        return state_.interface(name);
    }
    [[nodiscard]] std::optional<InterfaceInfo> interface(std::uint32_t ifindex) const {
        return state_.interface(ifindex);
    }

    // How often the kernel told more than we read.
    [[nodiscard]] std::uint64_t overruns() const { return overruns_; }
    // How often routes, or all, were dumped again.
    [[nodiscard]] std::uint64_t redumps() const { return redumps_; }
    // The errno of the last question that the kernel refused, 0 if none was: EPERM means that we
    // lack CAP_NET_ADMIN, ENOBUFS that its neighbour table is full
    // (net.ipv4.neigh.default.gc_thresh3).
    [[nodiscard]] int resolve_errno() const { return resolve_errno_; }

  private:
    static constexpr std::uint64_t kRedumpEveryMs = 100;
    static constexpr std::uint64_t kKeepEveryMs = 1000;

    struct Closer {
        void operator()(mnl_socket* socket) const;
    };
    using Socket = std::unique_ptr<mnl_socket, Closer>;

    Mirror();
    [[nodiscard]] bool open_sockets(std::string& error);
    [[nodiscard]] bool dump(std::initializer_list<DumpKind> kinds, std::string& error);
    enum class Dumped : std::uint8_t { kWhole, kAgain, kFailed };
    [[nodiscard]] Dumped dump_once(DumpKind kind, std::string& error);
    [[nodiscard]] bool receive_events(std::uint64_t now_ms);
    void take(const void* buffer, std::size_t len, std::uint64_t now_ms);
    void redump_where_needed(std::uint64_t now_ms);
    void update_kept();
    void ask_for_kept(std::uint64_t now_ms);
    void send_resolve(const LinkAddress& neighbour, Keep keep);
    void read_refusals();

    Socket events_;
    Socket requests_;
    std::vector<char> buffer_;
    State state_;
    Resolver resolver_;
    std::vector<net::PortInterface> ports_;
    std::vector<LinkAddress> pinned_;  // by keep_resolved()
    std::vector<LinkAddress> kept_;    // pinned and gateways, sorted: the kernel manages these
    std::uint32_t sequence_ = 0;
    std::uint64_t build_every_ms_ = kBuildEveryMs;
    std::uint64_t next_build_ms_ = 0;
    std::uint64_t next_redump_ms_ = 0;
    std::uint64_t next_keep_ms_ = 0;
    std::uint64_t overruns_ = 0;
    std::uint64_t redumps_ = 0;
    int resolve_errno_ = 0;
    bool ports_changed_ = false;
    bool everything_doubtful_ = false;
};

}  // namespace pinhole::netlink
