// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/state.h"

#include <algorithm>
#include <set>

namespace pinhole::netlink {
namespace {

bool same_paths(const RouteUpdate& a, const RouteUpdate& b) {
    return a.type == b.type && std::equal(a.hops.begin(), a.hops.end(), b.hops.begin(),
                                          b.hops.end(), [](const NextHop& x, const NextHop& y) {
                                              return x.ifindex == y.ifindex &&
                                                     x.gateway == y.gateway;
                                          });
}

bool same_route(const RouteUpdate& a, const RouteUpdate& b) {
    return a.type == b.type && a.mtu == b.mtu && a.hops == b.hops;
}

// Adds one entry for each path that the kernel uses.
void append_entries(const RouteUpdate& route, std::vector<net::RouteEntry>& out) {
    net::RouteEntry entry;
    entry.prefix = route.prefix;
    entry.prefix_len = route.prefix_len;
    entry.type = route.type;
    entry.mtu = route.mtu;
    entry.metric = route.metric;
    if (route.hops.empty()) {
        out.push_back(entry);
    }
    for (const NextHop& hop : route.hops) {
        if (!hop.dead) {
            entry.ifindex = hop.ifindex;
            entry.gateway = hop.gateway;
            out.push_back(entry);
        }
    }
}

}  // namespace

bool InterfaceInfo::has(const Address& address) const {
    return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

void State::apply(const Update& update) {
    if (const auto* link = std::get_if<LinkUpdate>(&update)) {
        apply_link(*link);
    } else if (const auto* address = std::get_if<AddressUpdate>(&update)) {
        apply_address(*address);
    } else if (const auto* route = std::get_if<RouteUpdate>(&update)) {
        route->removed ? remove_route(*route) : apply_route(*route);
    } else if (const auto* neighbour = std::get_if<NeighbourUpdate>(&update)) {
        apply_neighbour(*neighbour);
    } else if (std::holds_alternative<NexthopObjectUpdate>(update)) {
        routes_doubtful_ = true;
    }
}

void State::apply_link(const LinkUpdate& update) {
    if (update.removed) {
        if (interfaces_.erase(update.ifindex) != 0) {
            dirty_ = routes_doubtful_ = true;
            forget_link(update.ifindex);
        }
        return;
    }
    InterfaceInfo info;
    info.ifindex = update.ifindex;
    info.name = update.name;
    info.mac = update.mac;
    info.mtu = update.mtu;
    info.admin_up = update.admin_up;
    info.up = update.admin_up && update.running;
    info.no_arp = update.no_arp;
    Interface& known = interfaces_[update.ifindex];
    known.dump = dump_;
    if (known.info == info) {
        return;
    }
    // A link that goes down takes IPv4 routes with it, and one that comes up revives paths, without
    // a word about either.
    routes_doubtful_ =
        routes_doubtful_ || known.info.up != info.up || known.info.admin_up != info.admin_up;
    known.info = std::move(info);
    dirty_ = true;
}

void State::forget_link(std::uint32_t ifindex) {
    const auto of_link = [ifindex](const auto& entry) { return entry.first.ifindex == ifindex; };
    std::erase_if(addresses_, of_link);
    std::erase_if(neighbours_, of_link);
}

void State::apply_address(const AddressUpdate& update) {
    const LinkAddress key{update.ifindex, update.address};
    if (update.removed || update.duplicate) {
        if (addresses_.erase(key) != 0) {
            // The kernel removes the routes that stood on it, silently where they are IPv4's.
            dirty_ = routes_doubtful_ = true;
        }
        return;
    }
    const auto [entry, inserted] = addresses_.try_emplace(key);
    entry->second = dump_;
    dirty_ = dirty_ || inserted;
}

State::RouteKey State::key_of(const RouteUpdate& update) {
    const bool by_link =
        !update.prefix.is_v4() && update.hops.size() == 1 && !update.hops[0].gateway;
    return {update.prefix, update.prefix_len, update.metric, by_link ? update.hops[0].ifindex : 0};
}

void State::apply_route(const RouteUpdate& update) {
    const auto [entry, inserted] = routes_.try_emplace(key_of(update));
    Route& known = entry->second;
    const bool named_in_this_dump = !inserted && dumping_ && known.dump == dump_;
    known.dump = dump_;
    if (!inserted && same_route(known.route, update)) {
        return;
    }
    if (inserted || update.replaces || (dumping_ && !named_in_this_dump)) {
        known.route = update;
        known.merged = false;
    } else if (!dumping_) {
        // Appended to a route, or beside one: which, only a dump tells.
        routes_doubtful_ = true;
        return;
    } else {
        // A second route of the same key. Of IPv6's (routers heard on several links) all are used,
        // of IPv4's the first.
        known.merged = true;
        if (update.prefix.is_v4()) {
            return;
        }
        known.route.hops.insert(known.route.hops.end(), update.hops.begin(), update.hops.end());
    }
    dirty_ = true;
}

void State::remove_route(const RouteUpdate& update) {
    const auto entry = routes_.find(key_of(update));
    if (entry == routes_.end()) {
        // Perhaps one path of a route with several, which has another key.
        routes_doubtful_ = routes_doubtful_ || !update.prefix.is_v4();
        return;
    }
    if (entry->second.merged || !same_paths(entry->second.route, update)) {
        routes_doubtful_ = true;
        return;
    }
    routes_.erase(entry);
    dirty_ = true;
}

void State::apply_neighbour(const NeighbourUpdate& update) {
    const LinkAddress key{update.entry.ifindex, update.entry.address};
    if (!update.entry.usable) {
        dirty_ = neighbours_.erase(key) != 0 || dirty_;
        return;
    }
    const auto [entry, inserted] = neighbours_.try_emplace(key);
    entry->second.dump = dump_;
    if (inserted || entry->second.mac != update.entry.mac) {
        entry->second.mac = update.entry.mac;
        dirty_ = true;
    }
}

void State::begin_dump(DumpKind kind) {
    dumping_ = kind;
    ++dump_;
    if (kind == DumpKind::kRoutesV4) {
        routes_doubtful_ = false;
    }
}

void State::end_dump(DumpKind kind) {
    dumping_.reset();
    std::size_t gone = 0;
    switch (kind) {
        case DumpKind::kLinks:
            gone = std::erase_if(interfaces_,
                                 [this](const auto& e) { return e.second.dump != dump_; });
            break;
        case DumpKind::kAddresses:
            gone = std::erase_if(addresses_, [this](const auto& e) { return e.second != dump_; });
            break;
        case DumpKind::kRoutesV4:
        case DumpKind::kRoutesV6:
            gone = std::erase_if(routes_, [this, kind](const auto& e) {
                const bool v4 = e.first.prefix.is_v4();
                return v4 == (kind == DumpKind::kRoutesV4) && e.second.dump != dump_;
            });
            break;
        case DumpKind::kNeighbours:
            gone = std::erase_if(neighbours_,
                                 [this](const auto& e) { return e.second.dump != dump_; });
            break;
    }
    dirty_ = dirty_ || gone != 0;
}

InterfaceInfo State::with_addresses(const Interface& interface) const {
    InterfaceInfo info = interface.info;
    for (auto it = addresses_.lower_bound({info.ifindex, {}});
         it != addresses_.end() && it->first.ifindex == info.ifindex; ++it) {
        info.addresses.push_back(it->first.address);
    }
    return info;
}

std::optional<InterfaceInfo> State::interface(std::string_view name) const {
    for (const auto& [ifindex, interface] : interfaces_) {
        if (interface.info.name == name) {
            return with_addresses(interface);
        }
    }
    return std::nullopt;
}

std::optional<InterfaceInfo> State::interface(std::uint32_t ifindex) const {
    const auto entry = interfaces_.find(ifindex);
    if (entry == interfaces_.end()) {
        return std::nullopt;
    }
    return with_addresses(entry->second);
}

bool State::neighbour_usable(const LinkAddress& neighbour) const {
    return neighbours_.contains(neighbour);
}

net::Fib State::build_fib(std::span<const net::PortInterface> ports) const {
    std::vector<net::RouteEntry> routes;
    routes.reserve(routes_.size());
    for (const auto& [key, route] : routes_) {
        append_entries(route.route, routes);
    }
    std::vector<net::NeighbourEntry> neighbours;
    neighbours.reserve(neighbours_.size());
    for (const auto& [key, neighbour] : neighbours_) {
        neighbours.push_back({key.ifindex, key.address, neighbour.mac, true});
    }
    std::vector<net::InterfaceEntry> interfaces;
    interfaces.reserve(interfaces_.size());
    for (const auto& [ifindex, interface] : interfaces_) {
        InterfaceInfo info = with_addresses(interface);
        interfaces.push_back(
            {ifindex, info.mac, info.mtu, info.up, info.no_arp, std::move(info.addresses)});
    }
    return {routes, neighbours, interfaces, ports};
}

std::vector<LinkAddress> State::gateways(std::span<const net::PortInterface> ports) const {
    std::set<LinkAddress> found;
    for (const auto& [key, route] : routes_) {
        for (const NextHop& hop : route.route.hops) {
            const auto is_ours = [&hop](const net::PortInterface& port) {
                return port.ifindex == hop.ifindex;
            };
            if (hop.gateway && std::any_of(ports.begin(), ports.end(), is_ours)) {
                found.insert({hop.ifindex, *hop.gateway});
            }
        }
    }
    return {found.begin(), found.end()};
}

}  // namespace pinhole::netlink
