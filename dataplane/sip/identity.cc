// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/identity.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace pinhole::sip {
namespace {

constexpr std::uint16_t kDefaultPort = 5060;
constexpr std::size_t kMaxHost = 255;

std::optional<net::Address> address_of(std::string_view host) {
    return !host.empty() && host.front() == '[' ? parse_ipv6_reference(host)
                                                : net::parse_address(host);
}

// In the form that domains are stored in; none: no host.
std::optional<std::string_view> stored_form(std::string_view host, std::span<char> buffer) {
    if (host.size() > 1 && host.back() == '.') {
        host.remove_suffix(1);  // a rooted name is the same name
    }
    return canonical_host(host, buffer.data(), buffer.size());
}

template <class T>
void insert_sorted(std::vector<T>& into, T value) {
    const auto at = std::lower_bound(into.begin(), into.end(), value);
    if (at == into.end() || *at != value) {
        into.insert(at, std::move(value));
    }
}

}  // namespace

bool Identity::add_domain(std::string_view text) {
    std::string_view host;
    std::uint16_t port = 0;
    std::array<char, kMaxHost> buffer;
    if (!parse_host_port(text, host, port)) {
        return false;
    }
    const auto stored = stored_form(host, buffer);
    if (!stored || stored->empty()) {
        return false;
    }
    if (domains_.empty()) {
        default_domain_ = *stored;
    }
    insert_sorted(domains_, Domain{std::string(*stored), port});
    return true;
}

void Identity::add_local(const net::Address& address, std::uint16_t port) {
    insert_sorted(locals_, Local{address, port});
    insert_sorted(ports_, port);
}

bool Identity::add_route_host(const Uri& uri) {
    std::array<char, kMaxHost> buffer;
    const auto stored = stored_form(uri.host, buffer);
    if (!stored || stored->empty()) {
        return false;
    }
    insert_sorted(route_hosts_, Domain{std::string(*stored), uri.port});
    return true;
}

bool Identity::is_our_route(const Uri& uri) const {
    std::array<char, kMaxHost> buffer;
    const auto stored = stored_form(uri.host, buffer);
    return is_ours(uri) || (uri.is_sip() && stored && is_one_of(route_hosts_, *stored, uri.port));
}

bool Identity::is_one_of(const std::vector<Domain>& sorted, std::string_view canonical,
                         std::uint16_t port) const {
    auto at = std::lower_bound(
        sorted.begin(), sorted.end(), canonical,
        [](const Domain& domain, std::string_view host) { return domain.host < host; });
    for (; at != sorted.end() && at->host == canonical; ++at) {
        if (at->port != 0) {
            if (at->port == (port == 0 ? kDefaultPort : port)) {
                return true;
            }
        } else if (port == 0 || port == kDefaultPort ||
                   std::binary_search(ports_.begin(), ports_.end(), port)) {
            return true;
        }
    }
    return false;
}

bool Identity::is_local_address(std::string_view host, std::uint16_t port) const {
    const auto address = address_of(host);
    return address && std::binary_search(locals_.begin(), locals_.end(),
                                         Local{*address, port == 0 ? kDefaultPort : port});
}

bool Identity::is_ours(std::string_view host, std::uint16_t port) const {
    if (is_domain(host, port)) {  // as it is stored: nearly always
        return true;
    }
    std::array<char, kMaxHost> buffer;
    const auto stored = stored_form(host, buffer);
    return (stored && is_domain(*stored, port)) || is_local_address(host, port);
}

bool Identity::is_ours(const Uri& uri) const {
    return uri.is_sip() && is_ours(uri.host, uri.port);
}

}  // namespace pinhole::sip
