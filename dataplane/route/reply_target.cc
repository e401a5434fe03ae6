// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/reply_target.h"

namespace pinhole::route {
namespace {

constexpr std::uint16_t kDefaultPort = 5060;

bool names(std::string_view host, const net::Address& address) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    const auto parsed = net::parse_address(host);
    return parsed && *parsed == address;
}

}  // namespace

net::Flow answer_flow(const sip::Via& top, const net::Flow& arrival) {
    net::Flow out = arrival;
    if (!top.has_rport && names(top.host, arrival.theirs)) {
        out.their_udp_port = top.port != 0 ? top.port : kDefaultPort;
    }
    return out;
}

net::Flow answer_flow(const sip::Message& request, const net::Flow& arrival) {
    const sip::Via* top = request.top_via();
    return top != nullptr ? answer_flow(*top, arrival) : arrival;
}

sip::ReplyVia reply_via(const net::Flow& answer, const net::Flow& arrival) {
    return {arrival.theirs, arrival.their_udp_port,
            answer.their_udp_port == arrival.their_udp_port};
}

}  // namespace pinhole::route
