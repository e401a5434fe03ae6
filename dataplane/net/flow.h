// SPDX-License-Identifier: BSD-3-Clause
// A flow is how a phone is reached, whole: our port, our address and UDP port, its address and UDP
// port. A gateway lets a packet in only if it comes from exactly where the phone's own went, so
// pings and calls leave by the flow that the REGISTER came by. Pure; any thread.
#pragma once

#include "dataplane/net/address.h"

#include <cstdint>
#include <string>
#include <type_traits>

namespace pinhole::net {

// A logical port of ours: a device and, later, a VLAN on it. An index into the configured [[port]]
// tables, never a DPDK port id.
using PortIndex = std::uint16_t;

// 40 bytes: five words, so that it can be read and written a word at a time under a record's
// sequence word.
//   ours[16] theirs[16] our_udp_port theirs_udp_port port reserved
struct alignas(8) Flow {
    Address ours;
    Address theirs;
    std::uint16_t our_udp_port = 0;    // host order
    std::uint16_t their_udp_port = 0;  // host order
    PortIndex port = 0;
    std::uint16_t reserved = 0;  // always 0, so that the whole compares as memory

    [[nodiscard]] bool is_v4() const { return theirs.is_v4(); }
    bool operator==(const Flow&) const = default;
};
static_assert(sizeof(Flow) == 40 && std::is_trivially_copyable_v<Flow>);

// "67.194.23.55:32947" or "[2001:db8::1]:5060": the far end, as operators read it.
[[nodiscard]] std::string far_end(const Flow& flow);
[[nodiscard]] std::string near_end(const Flow& flow);

}  // namespace pinhole::net
