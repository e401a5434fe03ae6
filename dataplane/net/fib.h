// SPDX-License-Identifier: BSD-3-Clause
// The forwarding table: where a packet for an address leaves, and to which MAC. An immutable
// snapshot of the kernel's main table, its neighbours and its interfaces: built by the service
// thread, published to the workers by RCU outside this file; lookup() may be called by any thread
// and allocates nothing.
//
// Longest prefix first, by one hash probe for each prefix length that occurs: two probes for a host
// with a subnet and a default route. (rte_lpm takes 64 MB a copy, whatever it holds.) Policy rules,
// other tables and VRFs are not looked at: the main table alone.
#pragma once

#include "dataplane/net/address.h"
#include "dataplane/net/flow.h"
#include "dataplane/net/wire.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pinhole::net {

enum class RouteType : std::uint8_t { kUnicast, kBlackhole, kUnreachable, kProhibit, kLocal };

// Several entries of the same prefix and the same (lowest) metric are equal paths.
struct RouteEntry {
    Address prefix;               // 0.0.0.0 as IPv4 for a default route of IPv4
    std::uint8_t prefix_len = 0;  // within the family: 0 to 32, 0 to 128
    RouteType type = RouteType::kUnicast;
    std::uint16_t mtu = 0;  // 0: the interface's
    std::uint32_t ifindex = 0;
    std::uint32_t metric = 0;
    std::optional<Address> gateway;  // of either family: IPv4 via IPv6 is allowed (RFC 8950)

    bool operator==(const RouteEntry&) const = default;
};

struct NeighbourEntry {
    std::uint32_t ifindex = 0;
    Address address;
    Mac mac{};
    bool usable = false;  // the MAC may be sent to: reachable, stale, delay, probe, permanent

    bool operator==(const NeighbourEntry&) const = default;
};

struct InterfaceEntry {
    std::uint32_t ifindex = 0;
    Mac mac{};
    std::uint32_t mtu = 0;
    bool up = false;      // administratively up and with a carrier
    bool no_arp = false;  // loopback, tunnels: every next hop has the MAC 0
    std::vector<Address> addresses;

    bool operator==(const InterfaceEntry&) const = default;
};

// Which of the kernel's interfaces are ours.
struct PortInterface {
    std::uint32_t ifindex = 0;
    PortIndex port = 0;
};

enum class HopOutcome : std::uint8_t {
    kOk,
    kNoRoute,      // no route, or only by interfaces that are down
    kRefused,      // a blackhole, unreachable or prohibit route
    kNotOurPort,   // the route leaves by an interface that is no port of pinhole's
    kLocal,        // an address of this host
    kNoNeighbour,  // next_hop on ifindex has no MAC yet: have the kernel asked
    kCount
};

struct Hop {
    HopOutcome outcome = HopOutcome::kNoRoute;
    PortIndex port = 0;
    std::uint16_t mtu = 0;  // IP's, at most 65535
    Mac dst_mac{};
    Mac src_mac{};
    std::uint32_t ifindex = 0;
    Address next_hop;  // the gateway, or the destination itself

    [[nodiscard]] bool ok() const { return outcome == HopOutcome::kOk; }
};

class Fib {
  public:
    Fib() = default;
    Fib(std::span<const RouteEntry> routes, std::span<const NeighbourEntry> neighbours,
        std::span<const InterfaceEntry> interfaces, std::span<const PortInterface> ports);

    // Among equal paths the one by `preferred` is taken if there is one (pass the flow's port),
    // else one by the hash of the destination, always the same for the same table.
    [[nodiscard]] Hop lookup(const Address& dst, PortIndex preferred) const;

    // Whether the address is one of this host's.
    [[nodiscard]] bool is_local(const Address& address) const;

    [[nodiscard]] std::size_t routes() const { return prefixes_; }
    [[nodiscard]] std::size_t neighbours() const { return neighbour_count_; }

  private:
    // More equal paths than this are not told apart.
    static constexpr std::uint16_t kMaxPaths = 256;

    // What a lookup needs of a route and its interface, together.
    struct Path {
        Address gateway;
        std::uint32_t ifindex = 0;
        std::uint16_t mtu = 0;
        PortIndex port = 0;
        HopOutcome verdict = HopOutcome::kNoRoute;  // all that is known without the neighbour
        bool has_gateway = false;
        bool no_arp = false;
        Mac src_mac{};
    };
    class PathMaker;
    // An address, or a mask, as two words in memory order: what is masked, hashed and compared.
    struct Words {
        std::uint64_t high = 0;
        std::uint64_t low = 0;
        bool operator==(const Words&) const = default;
    };
    // A prefix length that occurs.
    struct Length {
        Words mask;
        unsigned len = 0;  // of the whole 128 bits
    };
    // A prefix and its paths; empty where len_plus_one is 0.
    struct PrefixSlot {
        Words prefix;
        std::uint32_t first_path = 0;
        std::uint16_t path_count = 0;
        std::uint8_t len_plus_one = 0;  // of the whole 128 bits
    };
    struct NeighbourSlot {
        Words address;
        std::uint32_t ifindex = 0;  // 0: empty
        Mac mac{};
    };

    // Three that must be inlined: passed in memory, each word would be waited for.
    static Words words_of(const Address& address) {
        Words words;
        std::memcpy(&words.high, address.bytes.data(), sizeof words.high);
        std::memcpy(&words.low, address.bytes.data() + sizeof words.high, sizeof words.low);
        return words;
    }
    static Words masked(const Words& address, const Words& mask) {
        return {address.high & mask.high, address.low & mask.low};
    }
    // What is hashed comes from the kernel's tables, not from packets, so no key is needed.
    static std::uint64_t hash_of(const Words& words, std::uint64_t salt) {
        const auto product =
            static_cast<unsigned __int128>(words.high ^ salt ^ 0x9e3779b97f4a7c15U) *
            (words.low ^ salt << 32 ^ 0xd6e8feb86659fd93U);
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
    static Words mask_of(unsigned len);
    void add_routes(std::span<const RouteEntry> routes, std::span<const InterfaceEntry> interfaces,
                    std::span<const PortInterface> ports);
    void add_neighbours(std::span<const NeighbourEntry> neighbours);
    // Where the key stands, or the empty slot where it would: never full, so both end.
    [[nodiscard]] std::size_t slot_for(const Words& prefix, unsigned len) const;
    [[nodiscard]] std::size_t neighbour_slot(const Words& address, std::uint32_t ifindex) const;
    [[nodiscard]] const PrefixSlot* find(const Address& dst) const;
    [[nodiscard]] static const Path& choose(std::span<const Path> paths, const Address& dst,
                                            PortIndex preferred);

    std::vector<PrefixSlot> slots_;  // open addressing, a power of two, at most half full
    std::vector<NeighbourSlot> neighbour_slots_;  // likewise
    std::vector<Path> paths_;
    std::vector<Length> lengths_v4_;  // longest first
    std::vector<Length> lengths_v6_;
    std::size_t prefixes_ = 0;
    std::size_t neighbour_count_ = 0;
};

}  // namespace pinhole::net
