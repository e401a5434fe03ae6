// SPDX-License-Identifier: BSD-3-Clause
// The ICMP errors that the kernel keeps for a UDP socket (IP_RECVERR): what has come of datagrams
// that were sent from its address and port, by whomever. The kernel has checked that the quoted
// packet is one of those; that it was ever sent, nobody can. Service thread.
#pragma once

#include "dataplane/net/address.h"

#include <cstdint>
#include <optional>

namespace pinhole::io {

struct SocketError {
    net::Address destination;  // of the datagram that came to nothing
    // Packet Too Big (RFC 4443 §3.2), or Fragmentation Needed (RFC 792, RFC 1191 §4): `mtu` is what
    // the router says would have passed. Else an error of another kind, and 0.
    bool too_big = false;
    std::uint32_t mtu = 0;
};

// The next one, without waiting. When there is none the socket has no error pending either: poll()
// says POLLERR no more until another comes.
[[nodiscard]] std::optional<SocketError> read_socket_error(int fd);

}  // namespace pinhole::io
