// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/alg.h"

#include "dataplane/net/address.h"
#include "dataplane/sip/credentials.h"
#include "dataplane/sip/text.h"
#include "dataplane/sip/uri.h"
#include "dataplane/sip/via.h"

#include <algorithm>
#include <array>
#include <optional>

namespace pinhole::nat {
namespace {

using sip::HeaderId;

constexpr std::uint16_t kSipPort = 5060;

// Where a host in the message points.
enum class Place : std::uint8_t {
    kUnsaid,     // a name
    kInside,     // an address that only the phone's own network knows
    kFlow,       // the address that the packet came from
    kEdge,       // our own
    kElsewhere,  // another
};

struct Spot {
    Place place = Place::kUnsaid;
    std::uint16_t port = kSipPort;
    net::Address address;
};

// Addresses that no gateway shows outside (RFC 1918, 3927, 6598, 4193, 4291).
bool is_inside(const net::Address& address) {
    if (!address.is_v4()) {
        return (address.bytes[0] & 0xfe) == 0xfc ||
               (address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80) ||
               address == net::parse_address("::1").value();
    }
    const auto b = address.v4_bytes();
    return b[0] == 0 || b[0] == 10 || b[0] == 127 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
           (b[0] == 192 && b[1] == 168) || (b[0] == 169 && b[1] == 254) ||
           (b[0] == 100 && (b[1] & 0xc0) == 64);
}

Spot spot_of(std::string_view host, std::uint16_t port, const net::Flow& flow) {
    if (host.size() > 2 && host.front() == '[') {
        host = host.substr(1, host.size() - 2);
    }
    Spot spot;
    spot.port = port == 0 ? kSipPort : port;
    const auto address = net::parse_address(host);
    if (!address) {
        return spot;
    }
    spot.address = *address;
    spot.place = *address == flow.theirs ? Place::kFlow
                 : *address == flow.ours ? Place::kEdge
                 : is_inside(*address)   ? Place::kInside
                                         : Place::kElsewhere;
    return spot;
}

Spot spot_of(const sip::NameAddr* address, const net::Flow& flow) {
    return address == nullptr ? Spot{} : spot_of(address->uri.host, address->uri.port, flow);
}

// What a phone has written of itself where an ALG seldom looks.
bool shows_inside(const sip::Message& message, const net::Flow& flow) {
    const std::string_view call_id = message.call_id();
    const std::size_t at = call_id.rfind('@');
    std::string_view host;
    std::uint16_t port = 0;
    const bool by_call_id = at != std::string_view::npos &&
                            sip::parse_host_port(call_id.substr(at + 1), host, port) &&
                            spot_of(host, port, flow).place == Place::kInside;
    return by_call_id || spot_of(message.from_address(), flow).place == Place::kInside;
}

// The two places where a phone says how it is reached.
Alg judge(const Spot& via, const Spot& contact, const net::Flow& flow, bool inside) {
    if (via.place == Place::kEdge || contact.place == Place::kEdge) {
        return Alg::kBroken;
    }
    if (via.place == Place::kElsewhere || contact.place == Place::kElsewhere) {
        return via.address == contact.address ? Alg::kNone : Alg::kBroken;
    }
    if (via.place != contact.place || (via.place == Place::kFlow && via.port != contact.port)) {
        return Alg::kHalf;
    }
    if (via.place != Place::kFlow || !inside) {
        return Alg::kNone;
    }
    return via.port == flow.their_udp_port ? Alg::kConsistent : Alg::kHalf;
}

// The digest is over the request URI as the phone wrote it; no ALG can make one anew.
bool request_uri_differs(const sip::Message& message) {
    sip::Credentials credentials;
    sip::Uri signed_uri;
    const sip::Uri* uri = message.uri();
    return uri != nullptr &&
           sip::read_credentials(message.first(HeaderId::kAuthorization), credentials) ==
               sip::CredentialsRead::kOk &&
           sip::parse_uri(credentials.uri, signed_uri) &&
           !sip::equals_ci(signed_uri.host, uri->host);
}

// Something stands behind the end of the body.
bool is_longer_than_said(const sip::Message& message) {
    const std::string_view behind =
        message.datagram.substr(message.lines.body + message.content_length);
    return std::any_of(behind.begin(), behind.end(),
                       [](char c) { return !sip::is_lws(c) && c != '\0'; });
}

}  // namespace

Alg alg_of(const sip::Message& message, std::string_view contact_uri, const net::Flow& flow) {
    const sip::Via* top = message.top_via();
    sip::Uri uri;
    if (top == nullptr || sip::came_by_proxy(message) || !sip::parse_uri(contact_uri, uri)) {
        return Alg::kNone;
    }
    if (is_longer_than_said(message)) {
        return Alg::kBroken;
    }
    Spot via = spot_of(top->host, top->port, flow);
    Spot contact = spot_of(uri.host, uri.port, flow);
    // Where one is a name, the other has to do.
    if (via.place == Place::kUnsaid) {
        via = contact;
    } else if (contact.place == Place::kUnsaid) {
        contact = via;
    }
    const Alg reach = judge(via, contact, flow, shows_inside(message, flow));
    const bool elsewhere_half = request_uri_differs(message) ||
                                (spot_of(message.from_address(), flow).place == Place::kFlow &&
                                 spot_of(message.to_address(), flow).place != Place::kFlow);
    return elsewhere_half ? std::max(reach, Alg::kHalf) : reach;
}

std::string_view alg_name(Alg alg) {
    constexpr std::array<std::string_view, static_cast<std::size_t>(Alg::kCount)> kNames{
        "none", "consistent", "half", "broken"};
    const auto n = static_cast<std::size_t>(alg);
    return n < kNames.size() ? kNames[n] : kNames[0];
}

}  // namespace pinhole::nat
