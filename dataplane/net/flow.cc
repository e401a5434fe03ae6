// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/flow.h"

namespace pinhole::net {
namespace {

std::string host_port(const Address& address, std::uint16_t port) {
    std::array<char, kMaxAddressText> host;
    const std::size_t len = format_host(address, host.data());
    return std::string(host.data(), len) + ':' + std::to_string(port);
}

}  // namespace

std::string far_end(const Flow& flow) {
    return host_port(flow.theirs, flow.their_udp_port);
}
std::string near_end(const Flow& flow) {
    return host_port(flow.ours, flow.our_udp_port);
}

}  // namespace pinhole::net
