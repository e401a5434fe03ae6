// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/socket_errors.h"

#include "dataplane/io/socket_address.h"

#include <linux/errqueue.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

namespace pinhole::io {
namespace {

// What the kernel adds: sock_extended_err, and behind it who sent the ICMP message.
struct Extended {
    sock_extended_err error;
    sockaddr_in6 offender;
};

// By a router. What the kernel says of its own sending is no concern here: nothing is sent.
bool is_too_big(const sock_extended_err& error) {
    return error.ee_errno == EMSGSIZE &&
           (error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6);
}

void read_extended(msghdr& message, SocketError& out) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
        const bool is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
                              (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
        if (is_error && c->cmsg_len >= CMSG_LEN(sizeof(sock_extended_err))) {
            sock_extended_err error;
            std::memcpy(&error, CMSG_DATA(c), sizeof error);
            out.too_big = is_too_big(error);
            out.mtu = out.too_big ? error.ee_info : 0;
        }
    }
}

}  // namespace

std::optional<SocketError> read_socket_error(int fd) {
    sockaddr_storage destination{};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(Extended)) + CMSG_SPACE(sizeof(in6_pktinfo)) +
                                  CMSG_SPACE(sizeof(in_pktinfo))];
    // Of the payload that is quoted nothing is wanted.
    msghdr message{};
    message.msg_name = &destination;
    message.msg_namelen = sizeof destination;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
        // One for which the queue had no room left its mark all the same.
        int pending = 0;
        socklen_t length = sizeof pending;
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &length);
        return std::nullopt;
    }
    SocketError error;
    error.destination = from_sockaddr(destination).address;
    read_extended(message, error);
    return error;
}

}  // namespace pinhole::io
