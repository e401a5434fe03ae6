// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/fib.h"

#include <algorithm>
#include <unordered_map>

namespace pinhole::net {
namespace {

constexpr unsigned kAddressBits = 128;
// Where IPv4's own 32 bits begin within an Address.
constexpr unsigned kV4Bits = 96;

// The first `bits` of a half that stands in memory order.
std::uint64_t half_mask(unsigned bits) {
    return bits == 0 ? 0 : __builtin_bswap64(~std::uint64_t{0} << (64 - bits));
}

unsigned whole_len(const RouteEntry& route) {
    const bool v4 = route.prefix.is_v4();
    return std::min<unsigned>(route.prefix_len, v4 ? 32 : kAddressBits) + (v4 ? kV4Bits : 0);
}

// Open addressing at no more than half of the slots.
std::size_t slots_for(std::size_t entries) {
    return std::bit_ceil(2 * entries + 2);
}

bool is_link_local(const Address& a) {
    return a.bytes[0] == 0xfe && (a.bytes[1] & 0xc0U) == 0x80;
}

RouteEntry local_route(const Address& address, std::uint32_t ifindex) {
    RouteEntry route;
    route.prefix = address;
    route.prefix_len = address.is_v4() ? 32 : kAddressBits;
    route.type = RouteType::kLocal;
    route.ifindex = ifindex;
    return route;
}

}  // namespace

Fib::Words Fib::mask_of(unsigned len) {
    return {half_mask(std::min(len, 64U)), half_mask(len > 64 ? len - 64 : 0)};
}

// Routes into paths, with the interfaces looked up by index.
class Fib::PathMaker {
  public:
    PathMaker(std::span<const InterfaceEntry> interfaces, std::span<const PortInterface> ports) {
        for (const InterfaceEntry& interface : interfaces) {
            links_[interface.ifindex].interface = &interface;
        }
        for (const PortInterface& port : ports) {
            links_[port.ifindex].port = port.port;
        }
    }

    Path operator()(const RouteEntry& route) const {
        Path path;
        path.ifindex = route.ifindex;
        path.has_gateway = route.gateway.has_value();
        path.gateway = route.gateway.value_or(Address{});
        const auto link = links_.find(route.ifindex);
        if (route.type == RouteType::kLocal) {
            path.verdict = HopOutcome::kLocal;
        } else if (route.type != RouteType::kUnicast) {
            path.verdict = HopOutcome::kRefused;
        } else if (link == links_.end() || !link->second.port) {
            path.verdict = HopOutcome::kNotOurPort;
        } else if (link->second.interface != nullptr && link->second.interface->up) {
            const InterfaceEntry& interface = *link->second.interface;
            path.verdict = HopOutcome::kOk;
            path.port = *link->second.port;
            path.no_arp = interface.no_arp;
            path.src_mac = interface.mac;
            const std::uint32_t mtu = std::min<std::uint32_t>(interface.mtu, 65535);
            path.mtu = static_cast<std::uint16_t>(
                route.mtu == 0 ? mtu : std::min<std::uint32_t>(mtu, route.mtu));
        }
        return path;
    }

  private:
    struct Link {
        const InterfaceEntry* interface = nullptr;
        std::optional<PortIndex> port;
    };
    std::unordered_map<std::uint32_t, Link> links_;
};

Fib::Fib(std::span<const RouteEntry> routes, std::span<const NeighbourEntry> neighbours,
         std::span<const InterfaceEntry> interfaces, std::span<const PortInterface> ports) {
    // Our own addresses come first and with the best metric: no route of the main table hides them.
    std::vector<RouteEntry> all;
    all.reserve(routes.size() + interfaces.size() * 4);
    for (const InterfaceEntry& interface : interfaces) {
        for (const Address& address : interface.addresses) {
            all.push_back(local_route(address, interface.ifindex));
        }
    }
    all.insert(all.end(), routes.begin(), routes.end());
    add_routes(all, interfaces, ports);
    add_neighbours(neighbours);
}

std::size_t Fib::slot_for(const Words& prefix, unsigned len) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t i = hash_of(prefix, len) & mask;
    while (slots_[i].len_plus_one != 0 &&
           (slots_[i].len_plus_one != len + 1 || slots_[i].prefix != prefix)) {
        i = (i + 1) & mask;
    }
    return i;
}

// Three passes, each linear: who has the best metric of each prefix and how often, where each
// prefix's paths begin, and the paths themselves.
void Fib::add_routes(std::span<const RouteEntry> routes, std::span<const InterfaceEntry> interfaces,
                     std::span<const PortInterface> ports) {
    slots_.resize(slots_for(routes.size()));
    std::vector<std::uint32_t> best(slots_.size());
    std::array<bool, kAddressBits + 1> occurs_v4{};
    std::array<bool, kAddressBits + 1> occurs_v6{};
    for (const RouteEntry& route : routes) {
        const unsigned len = whole_len(route);
        (route.prefix.is_v4() ? occurs_v4 : occurs_v6)[len] = true;
        const Words prefix = masked(words_of(route.prefix), mask_of(len));
        const std::size_t i = slot_for(prefix, len);
        PrefixSlot& slot = slots_[i];
        if (slot.len_plus_one == 0 || route.metric < best[i]) {
            prefixes_ += slot.len_plus_one == 0 ? 1 : 0;
            slot = {prefix, 0, 1, static_cast<std::uint8_t>(len + 1)};
            best[i] = route.metric;
        } else if (route.metric == best[i] && slot.path_count < kMaxPaths) {
            ++slot.path_count;
        }
    }
    std::uint32_t paths = 0;
    for (PrefixSlot& slot : slots_) {
        slot.first_path = paths;
        paths += slot.path_count;
        slot.path_count = 0;
    }
    paths_.resize(paths);
    const PathMaker make_path(interfaces, ports);
    for (const RouteEntry& route : routes) {
        const unsigned len = whole_len(route);
        const std::size_t i = slot_for(masked(words_of(route.prefix), mask_of(len)), len);
        PrefixSlot& slot = slots_[i];
        if (route.metric == best[i] && slot.path_count < kMaxPaths) {
            paths_[slot.first_path + slot.path_count++] = make_path(route);
        }
    }
    for (unsigned len = kAddressBits + 1; len-- > 0;) {
        if (occurs_v4[len]) {
            lengths_v4_.push_back({mask_of(len), len});
        }
        if (occurs_v6[len]) {
            lengths_v6_.push_back({mask_of(len), len});
        }
    }
}

void Fib::add_neighbours(std::span<const NeighbourEntry> neighbours) {
    neighbour_slots_.resize(slots_for(neighbours.size()));
    for (const NeighbourEntry& neighbour : neighbours) {
        if (!neighbour.usable || neighbour.ifindex == 0) {
            continue;
        }
        NeighbourSlot& slot =
            neighbour_slots_[neighbour_slot(words_of(neighbour.address), neighbour.ifindex)];
        neighbour_count_ += slot.ifindex == 0 ? 1 : 0;
        slot = {words_of(neighbour.address), neighbour.ifindex, neighbour.mac};
    }
}

std::size_t Fib::neighbour_slot(const Words& address, std::uint32_t ifindex) const {
    const std::size_t mask = neighbour_slots_.size() - 1;
    std::size_t i = hash_of(address, ifindex) & mask;
    while (neighbour_slots_[i].ifindex != 0 &&
           (neighbour_slots_[i].ifindex != ifindex || neighbour_slots_[i].address != address)) {
        i = (i + 1) & mask;
    }
    return i;
}

// The longest prefix that the address is in, or nullptr.
const Fib::PrefixSlot* Fib::find(const Address& dst) const {
    const Words words = words_of(dst);
    for (const Length& length : dst.is_v4() ? lengths_v4_ : lengths_v6_) {
        const PrefixSlot& slot = slots_[slot_for(masked(words, length.mask), length.len)];
        if (slot.len_plus_one != 0) {
            return &slot;
        }
    }
    return nullptr;
}

bool Fib::is_local(const Address& address) const {
    const PrefixSlot* slot = find(address);
    return slot != nullptr && paths_[slot->first_path].verdict == HopOutcome::kLocal;
}

// The path to take, or, where none can be taken, one that says why not.
const Fib::Path& Fib::choose(std::span<const Path> paths, const Address& dst, PortIndex preferred) {
    const Path* why_not = &paths.front();
    if (why_not->verdict == HopOutcome::kLocal) {
        return *why_not;
    }
    std::size_t usable = 0;
    for (const Path& path : paths) {
        if (path.verdict == HopOutcome::kOk) {
            if (path.port == preferred) {
                return path;
            }
            ++usable;
        } else if (path.verdict == HopOutcome::kNotOurPort) {
            why_not = &path;
        }
    }
    if (usable == 0) {
        return *why_not;
    }
    std::size_t nth = hash_of(words_of(dst), 0) % usable;
    for (const Path& path : paths) {
        if (path.verdict == HopOutcome::kOk && nth-- == 0) {
            return path;
        }
    }
    return *why_not;
}

Hop Fib::lookup(const Address& dst, PortIndex preferred) const {
    Hop hop;
    const PrefixSlot* slot = find(dst);
    if (slot == nullptr) {
        return hop;
    }
    const Path& path =
        choose(std::span(paths_).subspan(slot->first_path, slot->path_count), dst, preferred);
    hop.outcome = path.verdict;
    hop.ifindex = path.ifindex;
    if (hop.outcome != HopOutcome::kOk) {
        return hop;
    }
    // A link-local address says nothing without its link, and only the flow's own port is known to
    // be it.
    if (path.port != preferred && is_link_local(dst)) {
        hop.outcome = HopOutcome::kNoRoute;
        return hop;
    }
    hop.port = path.port;
    hop.mtu = path.mtu;
    hop.src_mac = path.src_mac;
    hop.next_hop = path.has_gateway ? path.gateway : dst;
    if (path.no_arp) {
        return hop;
    }
    const NeighbourSlot& neighbour =
        neighbour_slots_[neighbour_slot(words_of(hop.next_hop), path.ifindex)];
    if (neighbour.ifindex == 0) {
        hop.outcome = HopOutcome::kNoNeighbour;
    } else {
        hop.dst_mac = neighbour.mac;
    }
    return hop;
}

}  // namespace pinhole::net
