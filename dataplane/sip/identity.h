// SPDX-License-Identifier: BSD-3-Clause
// Who we are: whether the host and port of a URI name this edge, by one of the configured domains
// or by one of our addresses with one of our SIP ports (RFC 3261 §16.4). Built by the control side,
// then immutable; any thread reads.
#pragma once

#include "dataplane/net/address.h"
#include "dataplane/sip/uri.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::sip {

class Identity {
  public:
    // As [registrar] domains has it: "example.com", "example.com:5080", "192.0.2.1",
    // "[2001:db8::1]:5060". False: it is none of these. The first one added is the default domain.
    [[nodiscard]] bool add_domain(std::string_view text);
    // The host of our Service-Route, which names us in a Route alone: nobody is registered under
    // it. False: no host and port.
    [[nodiscard]] bool add_route_host(const Uri& uri);
    // An address that we listen on, with the port.
    void add_local(const net::Address& address, std::uint16_t port);

    // A name without a port matches a URI without one or with any of our SIP ports or 5060; a name
    // with a port matches that one. An address of ours matches with a port that we listen on there
    // (none: 5060).
    [[nodiscard]] bool is_ours(const Uri& uri) const;
    [[nodiscard]] bool is_ours(std::string_view host, std::uint16_t port) const;
    // A Route that is ours to take off (RFC 3261 §16.4).
    [[nodiscard]] bool is_our_route(const Uri& uri) const;
    // One of our addresses, whether or not it is a domain too.
    [[nodiscard]] bool is_local_address(std::string_view host, std::uint16_t port) const;
    // Lower case, without port; empty if no domain was added.
    [[nodiscard]] std::string_view default_domain() const { return default_domain_; }

  private:
    struct Domain {
        std::string host;    // canonical: lower case, IPv6 in brackets
        std::uint16_t port;  // 0: any of ours
        auto operator<=>(const Domain&) const = default;
    };
    struct Local {
        net::Address address;
        std::uint16_t port;
        auto operator<=>(const Local&) const = default;
    };
    [[nodiscard]] bool is_domain(std::string_view canonical_host, std::uint16_t port) const {
        return is_one_of(domains_, canonical_host, port);
    }
    [[nodiscard]] bool is_one_of(const std::vector<Domain>& sorted, std::string_view canonical_host,
                                 std::uint16_t port) const;

    std::vector<Domain> domains_;  // sorted
    std::vector<Domain> route_hosts_;
    std::vector<Local> locals_;  // sorted
    std::vector<std::uint16_t> ports_;
    std::string default_domain_;
};

}  // namespace pinhole::sip
