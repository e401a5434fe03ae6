// SPDX-License-Identifier: BSD-3-Clause
// A flow as bytes inside a branch or a token: 14 in IPv4, 38 in IPv6. Internal to this folder.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/tokens/pack.h"

namespace pinhole::route {

[[nodiscard]] constexpr std::size_t flow_bytes(bool ipv6) {
    return 2 + 2 + 2 + 2 * (ipv6 ? 16 : 4);
}

[[nodiscard]] inline bool needs_ipv6(const net::Flow& flow) {
    return !flow.theirs.is_v4() || !flow.ours.is_v4();
}

// port | ours | our UDP port | theirs | their UDP port
template <std::size_t kCapacity>
void pack_flow(const net::Flow& flow, tokens::Packer<kCapacity>& into) {
    const std::size_t skip = needs_ipv6(flow) ? 0 : 12;
    into.number(flow.port, 2);
    into.raw(flow.ours.bytes.data() + skip, 16 - skip).number(flow.our_udp_port, 2);
    into.raw(flow.theirs.bytes.data() + skip, 16 - skip).number(flow.their_udp_port, 2);
}

inline void unpack_address(tokens::Unpacker& from, bool ipv6, net::Address& out) {
    if (ipv6) {
        from.raw(out.bytes.data(), 16);
    } else {
        out = net::Address::v4(static_cast<std::uint32_t>(from.number(4)));
    }
}

[[nodiscard]] inline net::Flow unpack_flow(tokens::Unpacker& from, bool ipv6) {
    net::Flow flow;
    flow.port = static_cast<net::PortIndex>(from.number(2));
    unpack_address(from, ipv6, flow.ours);
    flow.our_udp_port = static_cast<std::uint16_t>(from.number(2));
    unpack_address(from, ipv6, flow.theirs);
    flow.their_udp_port = static_cast<std::uint16_t>(from.number(2));
    return flow;
}

}  // namespace pinhole::route
