// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/silence.h"

#include "dataplane/io/errors.h"
#include "dataplane/io/socket_address.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace pinhole::io {
namespace {

std::string endpoint_text(const net::Endpoint& endpoint) {
    char text[net::kMaxAddressText];
    const std::size_t length = net::format_host(endpoint.address, text);
    return std::string(text, length) + ":" + std::to_string(endpoint.udp_port);
}

void set_option(int fd, int level, int option, int value) {
    setsockopt(fd, level, option, &value, sizeof value);
}

// Every datagram is dropped before it is queued; a small buffer stands behind in case it is not.
// The ICMP errors that wait to be read, which no filter sees, need that much.
constexpr int kErrorBytes = 64 * 1024;
void take_nothing(int fd) {
    sock_filter drop[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    const sock_fprog program{1, drop};
    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    set_option(fd, SOL_SOCKET, SO_RCVBUF, kErrorBytes);
}

Error cannot_bind(const net::Endpoint& endpoint, int why) {
    const std::string where = endpoint_text(endpoint);
    if (why == EADDRINUSE) {
        return {ErrorCode::kBusy, "another program on this host has UDP " + where +
                                      ": `ss -lunp` names it; stop it, or set another sip_port"};
    }
    if (why == EACCES || why == EPERM) {
        return {ErrorCode::kNoPermission,
                "UDP " + where +
                    " may not be bound: run as root, or give CAP_NET_BIND_SERVICE to the service"};
    }
    return system_error("cannot bind UDP " + where, why);
}

Result<int> bind_socket(const net::Endpoint& endpoint, SilenceMode mode) {
    const bool v4 = endpoint.address.is_v4();
    const int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return cannot_bind(endpoint, errno);
    }
    if (mode == SilenceMode::kSilent) {
        take_nothing(fd);
    }
    if (v4) {
        set_option(fd, IPPROTO_IP, IP_FREEBIND, 1);
        set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
        set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
    } else {
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
        set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    }
    sockaddr_storage address;
    const socklen_t length = to_sockaddr(endpoint, address);
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0) {
        const int why = errno;
        close(fd);
        return cannot_bind(endpoint, why);
    }
    return fd;
}

void read_packet_info(msghdr& message, KernelDatagram& datagram) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            in_pktinfo info;
            std::memcpy(&info, CMSG_DATA(c), sizeof info);
            datagram.ifindex = static_cast<unsigned>(info.ipi_ifindex);
            datagram.to.address = net::Address::v4_wire(&info.ipi_addr);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info;
            std::memcpy(&info, CMSG_DATA(c), sizeof info);
            datagram.ifindex = info.ipi6_ifindex;
            datagram.to.address = net::Address::v6_wire(&info.ipi6_addr);
        }
    }
}

}  // namespace

SilenceSockets::SilenceSockets(SilenceSockets&& other) noexcept
    : mode_(other.mode_), sockets_(std::exchange(other.sockets_, {})) {}

SilenceSockets::~SilenceSockets() {
    for (const Socket& s : sockets_) {
        close(s.fd);
    }
}

void SilenceSockets::keep(std::span<const net::Endpoint> endpoints) {
    std::erase_if(sockets_, [&](const Socket& s) {
        const bool gone =
            std::find(endpoints.begin(), endpoints.end(), s.endpoint) == endpoints.end();
        if (gone) {
            close(s.fd);
        }
        return gone;
    });
}

Status SilenceSockets::set(std::span<const net::Endpoint> endpoints) {
    keep(endpoints);
    Status first_failure;
    for (const net::Endpoint& endpoint : endpoints) {
        if (std::any_of(sockets_.begin(), sockets_.end(),
                        [&](const Socket& s) { return s.endpoint == endpoint; })) {
            continue;
        }
        Result<int> fd = bind_socket(endpoint, mode_);
        if (fd) {
            sockets_.push_back({endpoint, *fd});
        } else if (first_failure) {
            first_failure = fd.error();
        }
    }
    return first_failure;
}

std::optional<KernelDatagram> SilenceSockets::read_datagram(std::size_t i,
                                                            std::span<std::byte> payload) {
    sockaddr_storage from;
    iovec buffer{payload.data(), payload.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo))];
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &buffer;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t n = recvmsg(sockets_[i].fd, &message, MSG_DONTWAIT);
    if (n < 0) {
        return std::nullopt;
    }
    KernelDatagram datagram;
    datagram.from = from_sockaddr(from);
    datagram.to = sockets_[i].endpoint;
    datagram.length = static_cast<std::size_t>(n);
    datagram.truncated = (message.msg_flags & MSG_TRUNC) != 0;
    read_packet_info(message, datagram);
    return datagram;
}

}  // namespace pinhole::io
