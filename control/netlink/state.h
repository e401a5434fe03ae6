// SPDX-License-Identifier: BSD-3-Clause
// What is known of the kernel's links, addresses, routes and neighbours: kept current by updates,
// turned into a forwarding table on demand, in time linear in their number. Not every change of the
// kernel's routes is told by a message of its own; where one might have been missed, a dump is
// asked for. Pure; one thread, the service thread.
#pragma once

#include "control/netlink/messages.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::netlink {

// An interface, as start-up checks and status want it.
struct InterfaceInfo {
    std::uint32_t ifindex = 0;
    std::string name;
    Mac mac{};
    std::uint32_t mtu = 0;
    bool admin_up = false;
    bool up = false;  // admin_up and with a carrier
    bool no_arp = false;
    std::vector<Address> addresses;

    [[nodiscard]] bool has(const Address& address) const;
    bool operator==(const InterfaceInfo&) const = default;
};

class State {
  public:
    void apply(const Update& update);

    // A dump replaces what it dumps: begin, apply() its messages, end. What it did not name is gone
    // at the end.
    void begin_dump(DumpKind kind);
    void end_dump(DumpKind kind);
    // It broke off: nothing is gone for not having been named.
    void abort_dump() { dumping_.reset(); }

    // Something changed that a forwarding table shows.
    [[nodiscard]] bool dirty() const { return dirty_; }
    void clear_dirty() { dirty_ = false; }
    // The routes may have changed in ways that no message tells: dump them again.
    [[nodiscard]] bool routes_doubtful() const { return routes_doubtful_; }

    [[nodiscard]] std::optional<InterfaceInfo> interface(std::string_view name) const;
    [[nodiscard]] std::optional<InterfaceInfo> interface(std::uint32_t ifindex) const;

    [[nodiscard]] net::Fib build_fib(std::span<const net::PortInterface> ports) const;

    // The gateways of routes that leave by the given interfaces, each once.
    [[nodiscard]] std::vector<LinkAddress> gateways(
        std::span<const net::PortInterface> ports) const;
    [[nodiscard]] bool neighbour_usable(const LinkAddress& neighbour) const;

    [[nodiscard]] std::size_t route_count() const { return routes_.size(); }
    [[nodiscard]] std::size_t neighbour_count() const { return neighbours_.size(); }

  private:
    // One route of the kernel's. Two IPv6 routes of one prefix and metric by different links are
    // two routes, unless they have gateways, which makes them paths of one.
    struct RouteKey {
        Address prefix;
        std::uint8_t prefix_len = 0;
        std::uint32_t metric = 0;
        std::uint32_t link = 0;
        auto operator<=>(const RouteKey&) const = default;
    };
    struct Route {
        RouteUpdate route;
        std::uint32_t dump = 0;  // the last dump that named it
        bool merged = false;     // of several messages: a removal is not understood without a dump
    };
    struct Neighbour {
        Mac mac{};
        std::uint32_t dump = 0;
    };
    struct Interface {
        InterfaceInfo info;
        std::uint32_t dump = 0;
    };

    static RouteKey key_of(const RouteUpdate& update);
    void apply_link(const LinkUpdate& update);
    void forget_link(std::uint32_t ifindex);
    void apply_address(const AddressUpdate& update);
    void apply_route(const RouteUpdate& update);
    void remove_route(const RouteUpdate& update);
    void apply_neighbour(const NeighbourUpdate& update);
    [[nodiscard]] InterfaceInfo with_addresses(const Interface& interface) const;

    std::map<std::uint32_t, Interface> interfaces_;
    std::map<LinkAddress, std::uint32_t> addresses_;  // the value: the last dump that named it
    std::map<RouteKey, Route> routes_;
    std::map<LinkAddress, Neighbour> neighbours_;
    std::uint32_t dump_ = 0;
    std::optional<DumpKind> dumping_;
    bool dirty_ = false;
    bool routes_doubtful_ = false;
};

}  // namespace pinhole::netlink
