// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/registrar/path.h"

#include "dataplane/sip/elements.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/writer.h"
#include "dataplane/table/contact.h"

#include <algorithm>

namespace pinhole::registrar {
namespace {

constexpr std::uint16_t kDefaultPort = 5060;

std::string_view without_brackets(std::string_view host) {
    return host.size() > 2 && host.front() == '[' ? host.substr(1, host.size() - 2) : host;
}

// False: to nobody that a Path may lead to.
bool leads_to_peer(const sip::Uri& first, const RegistrarPolicy& policy, net::Flow& flow) {
    const auto address = net::parse_address(without_brackets(first.host));
    if (!address) {
        return true;
    }
    flow.theirs = *address;
    flow.their_udp_port = first.port != 0 ? first.port : kDefaultPort;
    return address->is_v4() == flow.ours.is_v4() && policy.is_path_peer(*address);
}

}  // namespace

Verdict read_path(const sip::Message& message, const net::Flow& flow, const RegistrarPolicy& policy,
                  std::span<char> room, Path& out) {
    if (!message.has(sip::HeaderId::kPath) || !policy.is_path_peer(flow.theirs)) {
        return Verdict::kOk;
    }
    out.flow = flow;
    sip::Writer route(room.data(), std::min(room.size(), table::kMaxPathBytes));
    sip::Elements elements(message, sip::HeaderId::kPath);
    std::string_view element;
    while (elements.next(element)) {
        sip::NameAddr hop;
        if (!sip::parse_name_addr(element, hop) || !hop.uri.is_sip() ||
            (route.size() == 0 && !leads_to_peer(hop.uri, policy, out.flow))) {
            return Verdict::kBadPath;
        }
        route.text(route.size() == 0 ? "" : ", ").unfolded(element);
        out.keeps_flows = hop.uri.has_param("ob");
    }
    if (route.overflow()) {
        return Verdict::kTextTooLong;
    }
    out.route = route.view();
    return Verdict::kOk;
}

}  // namespace pinhole::registrar
