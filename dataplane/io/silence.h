// SPDX-License-Identifier: BSD-3-Clause
// Sockets bound to our SIP addresses and ports, so that the kernel, which sees the same packets
// (af_packet) or the ones that the XDP program lets pass (af_xdp), does not answer SIP with ICMP
// port unreachable. A silent socket takes nothing: a filter drops every datagram before it is
// queued. A listening one (af_xdp) is read: datagrams that came in fragments, or to a queue without
// an XDP socket, arrive there whole. Of either kind the kernel says which ICMP errors have come for
// what was sent from its address and port (socket_errors.h). Service thread.
#pragma once

#include "dataplane/io/result.h"
#include "dataplane/io/settings.h"
#include "dataplane/net/address.h"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace pinhole::io {

enum class SilenceMode : std::uint8_t { kSilent, kListening };

struct KernelDatagram {
    net::Endpoint from;
    net::Endpoint to;
    unsigned ifindex = 0;    // where it came in
    std::size_t length = 0;  // of the payload, in the buffer given
    bool truncated = false;  // longer than the buffer
};

class SilenceSockets {
  public:
    explicit SilenceSockets(SilenceMode mode) : mode_(mode) {}
    ~SilenceSockets();
    SilenceSockets(SilenceSockets&& other) noexcept;
    SilenceSockets& operator=(SilenceSockets&&) = delete;

    // Binds what is new and closes what is no longer named. Addresses need not be up yet (VRRP).
    // All that can be had are bound; the error is the first one's that can't, with what holds the
    // port named as address:port. Asked again, it tries those again.
    Status set(std::span<const net::Endpoint> endpoints);

    // Closes what is not named. Two sets that an endpoint passes between do this before they bind.
    void keep(std::span<const net::Endpoint> endpoints);

    [[nodiscard]] std::size_t size() const { return sockets_.size(); }
    // For poll(): POLLIN when listening, and POLLERR when an ICMP error has come. They change with
    // set().
    [[nodiscard]] int fd(std::size_t i) const { return sockets_[i].fd; }
    // One datagram from that socket, if there is one.
    [[nodiscard]] std::optional<KernelDatagram> read_datagram(std::size_t i,
                                                              std::span<std::byte> payload);

  private:
    struct Socket {
        net::Endpoint endpoint;
        int fd;
    };

    SilenceMode mode_;
    std::vector<Socket> sockets_;
};

}  // namespace pinhole::io
