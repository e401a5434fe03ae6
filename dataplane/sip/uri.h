// SPDX-License-Identifier: BSD-3-Clause
// SIP, SIPS and other URIs (RFC 3261 §19.1): split and checked so that nothing can be smuggled
// through one (no control character, white space, quote or angle bracket anywhere), and brought to
// the one form that an AOR is stored under. Pure; any thread; views only.
#pragma once

#include "dataplane/net/address.h"
#include "dataplane/sip/params.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pinhole::sip {

enum class Scheme : std::uint8_t { kSip, kSips, kTel, kOther };

struct Uri {
    std::string_view text;  // the whole
    Scheme scheme;
    std::string_view
        user;  // raw, escapes and all; of tel: the number; of other schemes: all behind the colon
    std::string_view password;  // for completeness: never looked at
    std::string_view host;  // raw; an IPv6 reference with its brackets; empty but for sip and sips
    std::uint16_t port;     // 0: none
    std::string_view params;   // from the first ';' on, or empty
    std::string_view headers;  // behind the '?', or empty

    [[nodiscard]] bool is_sip() const { return scheme == Scheme::kSip || scheme == Scheme::kSips; }
    // ";lr", ";transport=udp"; value empty where there is none.
    [[nodiscard]] bool param(std::string_view name, std::string_view& value) const;
    [[nodiscard]] bool has_param(std::string_view name) const {
        std::string_view ignored;
        return param(name, ignored);
    }
};

// The URI alone: no angle brackets, no white space around it.
[[nodiscard]] bool parse_uri(std::string_view text, Uri& out);
// Of "[2001:db8::1]". RFC 3261's grammar can be read to ask for one colon too many before an IPv4
// address, "2001:db8:::192.0.2.1", and there are those who write it so (RFC 5118 §4.10).
[[nodiscard]] std::optional<net::Address> parse_ipv6_reference(std::string_view host);
// "host", "host:port", "[v6]:port", as sent-by and URIs have it.
[[nodiscard]] bool parse_host_port(std::string_view text, std::string_view& host,
                                   std::uint16_t& port);

// Decodes %XX; a '%' without two hex digits after it stays. Text without a '%' is given back as it
// is. None: longer than `capacity`, that of `out`.
[[nodiscard]] std::optional<std::string_view> unescape(std::string_view text, char* out,
                                                       std::size_t capacity);

inline constexpr std::size_t kMaxAor = 255;

// "user@host" (RFC 3261 §10.3 step 5): parameters, password and port gone, the host in lower case
// (an IPv6 address in its one text form), the user with its case kept and every escape decoded that
// may be; what must be escaped is %XX in upper case, so that one AOR has one form. `out` holds
// kMaxAor. None: not sip or sips, no user, or too long.
[[nodiscard]] std::optional<std::string_view> canonical_aor(const Uri& uri, char* out);
// The same for a bare user and host.
[[nodiscard]] std::optional<std::string_view> canonical_host(std::string_view host, char* out,
                                                             std::size_t capacity);

}  // namespace pinhole::sip
