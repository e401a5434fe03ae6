// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/publisher.h"

#include "control/daemon/settings.h"
#include "dataplane/sip/uri.h"

#include <algorithm>
#include <utility>

namespace pinhole::daemon {
namespace {

// What SIP is never served at: a link-local address means nothing without its link, and nobody has
// a multicast one.
bool serves_sip(const net::Address& address) {
    if (address.is_v4()) {
        return address.v4_host_order() >> 28 != 0xe;
    }
    const bool link_local = address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
    return !link_local && address.bytes[0] != 0xff;
}

bool same_endpoints(const edge::Surroundings& a, const edge::Surroundings& b) {
    return std::equal(a.ports.begin(), a.ports.end(), b.ports.begin(), b.ports.end(),
                      [](const edge::PortView& x, const edge::PortView& y) {
                          return x.endpoints == y.endpoints;
                      });
}

// An endpoint of the port in the peer's family: what we send to the peer from.
const net::Endpoint* endpoint_for(const edge::PortView& port, const net::Address& peer) {
    const auto found =
        std::find_if(port.endpoints.begin(), port.endpoints.end(),
                     [&](const net::Endpoint& e) { return e.address.is_v4() == peer.is_v4(); });
    return found == port.endpoints.end() ? nullptr : &*found;
}

}  // namespace

Publisher::Publisher(std::shared_ptr<const config::Config> config, const io::Ports& ports,
                     netlink::Mirror& mirror, io::Qsbr& qsbr, const tokens::Keys& keys)
    : ports_(ports), mirror_(mirror), qsbr_(qsbr), keys_(keys) {
    use_config(std::move(config), false);
}

void Publisher::use_config(std::shared_ptr<const config::Config> config, bool draining) {
    const std::uint32_t edition = live_settings_ == nullptr ? 1 : live_settings_->edition + 1;
    config_ = std::move(config);
    auto next = std::make_shared<edge::LiveSettings>(live_settings_of(*config_));
    next->edition = edition;
    next->draining = draining;
    live_settings_ = std::move(next);
}

bool Publisher::publish(std::uint64_t now_ms) {
    auto next = std::make_unique<edge::Surroundings>(edge::Surroundings{
        .fib = mirror_.build_fib(now_ms), .keys = keys_, .settings = live_settings_});
    for (const config::Domain& domain : config_->registrar.domains) {
        std::string text = domain.address.has_value() && !domain.address->is_v4()
                               ? "[" + domain.host + "]"
                               : domain.host;
        if (domain.port != 0) {
            text += ":" + std::to_string(domain.port);
        }
        (void)next->identity.add_domain(text);  // the loader has checked it
    }
    if (sip::Uri route; !config_->registrar.service_route.empty() &&
                        sip::parse_uri(config_->registrar.service_route.front(), route)) {
        (void)next->identity.add_route_host(route);
    }
    for (std::size_t i = 0; i < config_->ports.size(); ++i) {
        next->ports.push_back({endpoints_of(i, next->fib), role_of(config_->ports[i].role)});
        for (const net::Endpoint& endpoint : next->ports.back().endpoints) {
            next->identity.add_local(endpoint.address, endpoint.udp_port);
        }
    }
    next->peers = route::Peers(peer_flows(*next));
    next->emergency = route::Emergency(config_->emergency.numbers, config_->emergency.unregistered);
    keep_peers_resolved(next->fib);

    const bool changed = current_ == nullptr || !same_endpoints(*current_, *next);
    // Pairs with the workers' acquire load.
    published_.store(next.get(), std::memory_order_release);
    if (current_ != nullptr) {
        retired_.push_back({std::move(current_), qsbr_.start()});
    }
    current_ = std::move(next);
    return changed;
}

void Publisher::reclaim() {
    while (!retired_.empty() && qsbr_.passed(retired_.front().token)) {
        retired_.pop_front();
    }
}

// The interface's own addresses, or those of the configured ones that the kernel has at this
// moment, wherever it has them: an address of VRRP comes and goes, an anycast address may stand on
// the loopback.
std::vector<net::Endpoint> Publisher::endpoints_of(std::size_t port, const net::Fib& fib) const {
    const config::Port& wanted = config_->ports[port];
    std::vector<net::Address> addresses;
    if (wanted.addresses.empty()) {
        if (const auto interface = mirror_.interface(ports_.ports()[port].ifindex)) {
            addresses = interface->addresses;
        }
    } else {
        std::copy_if(wanted.addresses.begin(), wanted.addresses.end(),
                     std::back_inserter(addresses),
                     [&](const net::Address& a) { return fib.is_local(a); });
    }
    std::vector<net::Endpoint> endpoints;
    for (const net::Address& address : addresses) {
        if (!serves_sip(address)) {
            continue;
        }
        for (const std::uint16_t sip_port : wanted.sip_ports) {
            endpoints.push_back({address, sip_port});
        }
    }
    return endpoints;
}

// A peer on the link is a next hop that a call should not have to wait for; the gateways are kept
// without our asking.
void Publisher::keep_peers_resolved(const net::Fib& fib) {
    std::vector<netlink::LinkAddress> on_link;
    for (const config::Peer& peer : config_->core.peers) {
        const net::Hop hop = fib.lookup(peer.address, 0);
        const bool ours =
            hop.outcome == net::HopOutcome::kOk || hop.outcome == net::HopOutcome::kNoNeighbour;
        if (ours && hop.next_hop == peer.address) {
            on_link.push_back({hop.ifindex, hop.next_hop});
        }
    }
    mirror_.keep_resolved(std::move(on_link));
}

// By the port that the kernel routes the peer by; while there is no route, by the first port that
// may speak to the core.
std::vector<net::Flow> Publisher::peer_flows(const edge::Surroundings& around) const {
    std::vector<net::Flow> flows;
    for (const config::Peer& peer : config_->core.peers) {
        net::Flow flow;
        flow.theirs = peer.address;
        flow.their_udp_port = peer.port;
        const net::Hop hop = around.fib.lookup(peer.address, 0);
        const bool routed =
            hop.outcome == net::HopOutcome::kOk || hop.outcome == net::HopOutcome::kNoNeighbour;
        for (std::size_t i = 0; i < around.ports.size(); ++i) {
            const std::size_t at = routed ? (hop.port + i) % around.ports.size() : i;
            const net::Endpoint* ours = around.ports[at].role == edge::Role::kAccess
                                            ? nullptr
                                            : endpoint_for(around.ports[at], peer.address);
            if (ours != nullptr) {
                flow.ours = ours->address;
                flow.our_udp_port = ours->udp_port;
                flow.port = static_cast<net::PortIndex>(at);
                break;
            }
        }
        flows.push_back(flow);
    }
    return flows;
}

}  // namespace pinhole::daemon
