// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/other_port.h"

#include "dataplane/net/address.h"
#include "dataplane/sip/uri.h"

namespace pinhole::nat {

std::optional<net::Flow> other_port(const table::ContactView& contact) {
    constexpr std::uint16_t kSipPort = 5060;
    sip::Uri uri;
    if (!contact.path.empty() || !sip::parse_uri(contact.uri, uri) || !uri.is_sip()) {
        return std::nullopt;
    }
    std::string_view host = uri.host;
    if (host.size() > 2 && host.front() == '[') {
        host = host.substr(1, host.size() - 2);
    }
    const auto address = net::parse_address(host);
    net::Flow flow = contact.state.flow;
    flow.their_udp_port = uri.port == 0 ? kSipPort : uri.port;
    if (!address || *address != flow.theirs || flow == contact.state.flow) {
        return std::nullopt;
    }
    return flow;
}

}  // namespace pinhole::nat
