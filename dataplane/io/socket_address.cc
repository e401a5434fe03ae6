// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/socket_address.h"

#include <netinet/in.h>

#include <cstring>

namespace pinhole::io {

socklen_t to_sockaddr(const net::Endpoint& endpoint, sockaddr_storage& out) {
    out = {};
    if (endpoint.address.is_v4()) {
        auto& v4 = reinterpret_cast<sockaddr_in&>(out);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.udp_port);
        std::memcpy(&v4.sin_addr, endpoint.address.v4_bytes(), 4);
        return sizeof v4;
    }
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.udp_port);
    std::memcpy(&v6.sin6_addr, endpoint.address.bytes.data(), 16);
    return sizeof v6;
}

net::Endpoint from_sockaddr(const sockaddr_storage& in) {
    if (in.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(in);
        return {net::Address::v4_wire(&v4.sin_addr), ntohs(v4.sin_port)};
    }
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(in);
    return {net::Address::v6_wire(&v6.sin6_addr), ntohs(v6.sin6_port)};
}

}  // namespace pinhole::io
