// SPDX-License-Identifier: BSD-3-Clause
// Netlink messages to and from plain structs, apart from any socket, so that they are tested on
// bytes. What a message leaves out or gets wrong makes it "not for us", never an error. Pure but
// for libmnl's macros; any thread.
#pragma once

#include "dataplane/net/fib.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

struct nlmsghdr;

namespace pinhole::netlink {

using net::Address;
using net::Mac;

// An address as it is known on one link: ours, a neighbour's or a gateway's.
struct LinkAddress {
    std::uint32_t ifindex = 0;
    Address address;
    auto operator<=>(const LinkAddress&) const = default;
};

struct LinkUpdate {
    bool removed = false;
    std::uint32_t ifindex = 0;
    std::string name;
    Mac mac{};
    std::uint32_t mtu = 0;
    bool admin_up = false;
    bool running = false;
    bool no_arp = false;
};

struct AddressUpdate {
    bool removed = false;
    std::uint32_t ifindex = 0;
    Address address;
    std::uint8_t prefix_len = 0;
    bool duplicate = false;  // another host has it (IPv6): not ours
};

struct NextHop {
    std::uint32_t ifindex = 0;
    bool dead = false;  // the kernel doesn't use it: its link is down
    std::optional<Address> gateway;

    bool operator==(const NextHop&) const = default;
};

struct RouteUpdate {
    bool removed = false;
    bool replaces = false;  // `ip route replace`: takes the place of what has the same key
    Address prefix;
    std::uint8_t prefix_len = 0;
    std::uint32_t metric = 0;
    std::uint16_t mtu = 0;
    net::RouteType type = net::RouteType::kUnicast;
    std::vector<NextHop> hops;  // none for blackhole and the like
};

struct NeighbourUpdate {
    bool removed = false;
    bool stale = false;  // usable, but not confirmed of late
    net::NeighbourEntry entry;
};

// A nexthop object changed (`ip nexthop`, FRR): routes that name it may have, without a message of
// their own.
struct NexthopObjectUpdate {};

// monostate: of no interest (another table, a cached route, a bridge's entry, malformed).
using Update = std::variant<std::monostate, LinkUpdate, AddressUpdate, RouteUpdate, NeighbourUpdate,
                            NexthopObjectUpdate>;
// `message` lies whole in a buffer: its nlmsg_len has been checked against it (mnl_nlmsg_ok).
[[nodiscard]] Update parse_message(const nlmsghdr* message);

enum class DumpKind : std::uint8_t { kLinks, kAddresses, kRoutesV4, kRoutesV6, kNeighbours };

// A request into `buffer`, which holds kRequestLen bytes or more and is aligned as nlmsghdr is.
// Returns it as a header.
inline constexpr std::size_t kRequestLen = 128;
nlmsghdr* write_dump_request(void* buffer, DumpKind kind, std::uint32_t sequence);

enum class Keep : std::uint8_t {
    kOnce,     // the kernel asks now, and forgets in its time
    kManaged,  // the kernel keeps it resolved (Linux 5.16; an older one asks once)
};
// Asks the kernel to resolve a neighbour.
nlmsghdr* write_resolve_request(void* buffer, std::uint32_t ifindex, const Address& address,
                                Keep keep, std::uint32_t sequence);

}  // namespace pinhole::netlink
