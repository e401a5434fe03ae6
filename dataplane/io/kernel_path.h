// SPDX-License-Identifier: BSD-3-Clause
// The kernel's share of the packets: frames to and from the TAPs of the ports that the kernel does
// not see, sockets that keep the kernel from answering SIP and report ICMP errors, and what it
// reassembled for an af_xdp port. The service thread alone.
#pragma once

#include "dataplane/edge/surroundings.h"
#include "dataplane/io/mesh.h"
#include "dataplane/io/port.h"
#include "dataplane/io/silence.h"
#include "dataplane/io/socket_errors.h"

#include <poll.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace pinhole::io {

class KernelPath {
  public:
    KernelPath(Ports& ports, Mesh& mesh);

    // Sockets and XDP programs for these endpoints: all that can be had, and the first error's
    // sentence where one can't. Then it is worth asking again.
    [[nodiscard]] Status follow(const edge::Surroundings& around);
    // What to wait for, appended.
    void add_polls(std::vector<pollfd>& polls) const;
    // ICMP errors for what we have sent, a bounded number a socket: `heard(const SocketError&)`.
    // `polled` is what add_polls() gave, after poll().
    template <class Heard>
    void read_errors(std::span<const pollfd> polled, Heard&& heard) {
        for (const pollfd& socket : polled) {
            for (unsigned i = 0; (socket.revents & POLLERR) != 0 && i < kErrorsARead; ++i) {
                const auto error = read_socket_error(socket.fd);
                if (!error.has_value()) {
                    break;
                }
                heard(*error);
            }
        }
    }
    // Moves what there is, a bounded number of packets each way. Returns whether there was any.
    bool move();

  private:
    static constexpr unsigned kErrorsARead = 64;

    // Each returns whether there was a packet.
    [[nodiscard]] bool to_kernel(DeviceIndex device, Tap& tap);
    [[nodiscard]] bool from_kernel(DeviceIndex device, Tap& tap);
    [[nodiscard]] bool is_af_xdp(DeviceIndex device) const;
    [[nodiscard]] bool read_socket(std::size_t socket);
    void hand_in(rte_mbuf* mbuf, DeviceIndex device, ParcelKind kind);

    Ports& ports_;
    Mesh& mesh_;
    // Of all ports together: an anycast address may be served at several, and is bound once.
    SilenceSockets silent_{SilenceMode::kSilent};
    SilenceSockets listening_{SilenceMode::kListening};
};

}  // namespace pinhole::io
