// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/values.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <system_error>

namespace pinhole::config {
namespace {

constexpr std::size_t kMaxInterfaceName = 15;  // IFNAMSIZ less the NUL
constexpr std::size_t kMaxSocketPath = 107;    // sun_path less the NUL

struct DeviceKindName {
    DeviceKind kind;
    std::string_view name;
};
constexpr std::array<DeviceKindName, 5> kDeviceKinds{{{DeviceKind::kAfPacket, "af_packet"},
                                                      {DeviceKind::kAfXdp, "af_xdp"},
                                                      {DeviceKind::kPci, "pci"},
                                                      {DeviceKind::kMemif, "memif"},
                                                      {DeviceKind::kVdev, "vdev"}}};

bool is_alnum(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}
bool is_xdigit(char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_print(char c) {
    return std::isgraph(static_cast<unsigned char>(c)) != 0;
}

std::optional<std::uint16_t> read_port_number(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
        return std::nullopt;
    }
    return port;
}

struct HostPort {
    std::string_view host;  // without brackets
    std::optional<std::string_view> port;
    bool bracketed = false;
};

// "host", "host:port", "[v6]", "[v6]:port" and a bare "v6", which can have no port.
std::optional<HostPort> split_host_port(std::string_view text) {
    HostPort out;
    if (!text.empty() && text.front() == '[') {
        const auto close = text.find(']');
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        out.bracketed = true;
        out.host = text.substr(1, close - 1);
        const std::string_view rest = text.substr(close + 1);
        if (rest.empty()) {
            return out;
        }
        if (rest.front() != ':') {
            return std::nullopt;
        }
        out.port = rest.substr(1);
        return out;
    }
    if (std::count(text.begin(), text.end(), ':') == 1) {
        const auto colon = text.find(':');
        out.host = text.substr(0, colon);
        out.port = text.substr(colon + 1);
        return out;
    }
    out.host = text;
    return out;
}

// 0000:03:00.0
bool is_pci_address(std::string_view text) {
    constexpr std::string_view kForm = "xxxx:xx:xx.x";
    return text.size() == kForm.size() &&
           std::equal(text.begin(), text.end(), kForm.begin(), [](char have, char form) {
               return form == 'x' ? is_xdigit(have) : have == form;
           });
}

// RFC 1123 host name: labels of letters, digits and inner hyphens.
bool is_host_name(std::string_view text) {
    if (text.empty() || text.size() > 253) {
        return false;
    }
    while (!text.empty()) {
        const auto dot = text.find('.');
        const std::string_view label = text.substr(0, dot);
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
            !std::all_of(label.begin(), label.end(),
                         [](char c) { return is_alnum(c) || c == '-' || c == '_'; })) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(dot + 1);
    }
    return false;  // a dot at the end
}

// A name whose last label is digits alone is an address that went wrong, never a domain.
bool looks_numeric(std::string_view host) {
    const auto dot = host.rfind('.');
    const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
    return !last.empty() &&
           std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_unspecified(const net::Address& address) {
    return address == net::Address{} || address == net::Address::v4(0);
}

std::string_view bad_argument(DeviceKind kind, std::string_view argument) {
    switch (kind) {
        case DeviceKind::kAfPacket:
        case DeviceKind::kAfXdp:
            return is_interface_name(argument)
                       ? std::string_view{}
                       : "after the colon an interface name of 1 to 15 characters must stand";
        case DeviceKind::kPci:
            return is_pci_address(argument)
                       ? std::string_view{}
                       : "after the colon a PCI address in full must stand, such as 0000:03:00.0";
        case DeviceKind::kMemif:
            return argument.size() > 1 && argument.front() == '/' &&
                           argument.size() <= kMaxSocketPath &&
                           std::all_of(argument.begin(), argument.end(), is_print) &&
                           argument.find(',') == std::string_view::npos
                       ? std::string_view{}
                       : "after the colon the absolute path of a socket must stand, without "
                         "commas and at most 107 characters long; memif_id and memif_role are "
                         "keys of their own";
        case DeviceKind::kVdev:
            return !argument.empty() && argument.front() != ',' &&
                           std::all_of(argument.begin(), argument.end(), is_print)
                       ? std::string_view{}
                       : "after the colon a DPDK device must stand, such as net_tap0,iface=tap0";
    }
    return {};
}

}  // namespace

bool is_interface_name(std::string_view text) {
    return !text.empty() && text.size() <= kMaxInterfaceName && text != "." && text != ".." &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return is_print(c) && c != '/' && c != ':'; });
}

Reading<DeviceSpec> read_device(std::string_view text) {
    const auto colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    for (const DeviceKindName& kind : kDeviceKinds) {
        if (kind.name != name || colon == std::string_view::npos) {
            continue;
        }
        const std::string_view argument = text.substr(colon + 1);
        const std::string_view bad = bad_argument(kind.kind, argument);
        if (!bad.empty()) {
            return {std::nullopt, std::string(bad)};
        }
        return {DeviceSpec{kind.kind, std::string(argument)}, {}};
    }
    return {std::nullopt,
            "must be af_packet:INTERFACE, af_xdp:INTERFACE, pci:ADDRESS, memif:PATH or vdev:ARGS"};
}

Reading<net::Address> read_address(std::string_view text) {
    const auto address = net::parse_address(text);
    if (!address || is_unspecified(*address)) {
        return {std::nullopt,
                "must be one IPv4 or IPv6 address, without port, prefix length or zone"};
    }
    return {address, {}};
}

Reading<Peer> read_peer(std::string_view text) {
    if (text.find('/') != std::string_view::npos) {
        return {std::nullopt,
                "must be a single address: requests are sent to a peer, so a prefix can be none"};
    }
    const auto parts = split_host_port(text);
    const auto address = parts ? net::parse_address(parts->host) : std::nullopt;
    if (!address || is_unspecified(*address)) {
        return {std::nullopt,
                "must be an address, with a port or without (203.0.113.10, 203.0.113.10:5062, "
                "[2001:db8::1]:5060); names are not looked up"};
    }
    Peer peer{*address};
    if (parts->port) {
        const auto port = read_port_number(*parts->port);
        if (!port) {
            return {std::nullopt, "its port must be a number from 1 to 65535"};
        }
        peer.port = *port;
    }
    return {peer, {}};
}

Reading<Domain> read_domain(std::string_view text) {
    static constexpr std::string_view kForm =
        "must be a domain name or an address of ours, with a port or without (example.com, "
        "198.51.100.1:5080, [2001:db8::1])";
    const auto parts = split_host_port(text);
    if (!parts) {
        return {std::nullopt, std::string(kForm)};
    }
    Domain domain;
    domain.address = net::parse_address(parts->host);
    if (domain.address) {
        domain.host = net::to_string(*domain.address);
    } else if (!parts->bracketed && is_host_name(parts->host) && !looks_numeric(parts->host)) {
        domain.host.assign(parts->host);
        std::transform(domain.host.begin(), domain.host.end(), domain.host.begin(), [](char c) {
            return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        });
    } else {
        return {std::nullopt, std::string(kForm)};
    }
    if (parts->port) {
        const auto port = read_port_number(*parts->port);
        if (!port) {
            return {std::nullopt, "its port must be a number from 1 to 65535"};
        }
        domain.port = *port;
    }
    return {std::move(domain), {}};
}

Reading<Listen> read_listen(std::string_view text) {
    if (text.empty()) {
        return {Listen{}, {}};
    }
    const auto parts = split_host_port(text);
    const auto address = parts ? net::parse_address(parts->host) : std::nullopt;
    const auto port = parts && parts->port ? read_port_number(*parts->port) : std::nullopt;
    if (!address || !port) {
        return {std::nullopt,
                "must be ADDRESS:PORT, such as 127.0.0.1:9060 or [::]:9060, or \"\" for off"};
    }
    return {Listen{*address, *port}, {}};
}

std::string to_text(const DeviceSpec& device) {
    for (const DeviceKindName& kind : kDeviceKinds) {
        if (kind.kind == device.kind) {
            return std::string(kind.name) + ":" + device.argument;
        }
    }
    return device.argument;
}

std::string to_text(const net::Address& address) {
    return net::to_string(address);
}

namespace {
std::string host_port(const net::Address& address, std::uint16_t port) {
    const std::string host = net::to_string(address);
    return (address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}
}  // namespace

std::string to_text(const Peer& peer) {
    return host_port(peer.address, peer.port);
}

std::string to_text(const Domain& domain) {
    if (domain.port == 0) {
        return domain.host;
    }
    return domain.address ? host_port(*domain.address, domain.port)
                          : domain.host + ":" + std::to_string(domain.port);
}

std::string to_text(const Listen& listen) {
    return listen.enabled() ? host_port(listen.address, listen.port) : std::string{};
}

}  // namespace pinhole::config
