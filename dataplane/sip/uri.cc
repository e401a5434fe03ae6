// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/uri.h"

#include "dataplane/sip/text.h"

#include <array>
#include <cstring>
#include <optional>

namespace pinhole::sip {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char l = lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// The byte that "%XX" at `i` stands for, or -1.
int escaped_byte(std::string_view text, std::size_t i) {
    if (text[i] != '%' || text.size() - i < 3 || !is(text[i + 1], kHex) || !is(text[i + 2], kHex)) {
        return -1;
    }
    return hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]);
}

bool valid_user(std::string_view user, std::uint8_t classes) {
    for (std::size_t i = 0; i < user.size(); ++i) {
        if (is(user[i], classes)) {
            continue;
        }
        if (escaped_byte(user, i) < 0) {
            return false;
        }
        i += 2;
    }
    return true;
}

// user[:password]; both checked.
bool parse_userinfo(std::string_view text, Uri& out) {
    const std::size_t colon = text.find(':');
    out.user = text.substr(0, colon);
    if (colon != std::string_view::npos) {
        out.password = text.substr(colon + 1);
    }
    return !out.user.empty() && valid_user(out.user, kUserChar | kUserTolerated) &&
           valid_user(out.password, kUserChar | kUserTolerated);
}

bool parse_sip(std::string_view rest, Uri& out) {
    const std::size_t at = rest.find('@');
    if (at != std::string_view::npos) {
        if (!parse_userinfo(rest.substr(0, at), out)) {
            return false;
        }
        rest.remove_prefix(at + 1);
        // '@' may stand nowhere else unescaped: two of them are two readings of one URI.
        if (rest.find('@') != std::string_view::npos) {
            return false;
        }
    }
    if (const std::size_t question = rest.find('?'); question != std::string_view::npos) {
        out.headers = rest.substr(question + 1);
        rest = rest.substr(0, question);
    }
    if (const std::size_t semicolon = rest.find(';'); semicolon != std::string_view::npos) {
        out.params = rest.substr(semicolon);
        rest = rest.substr(0, semicolon);
    }
    return valid_params(out.params) && parse_host_port(rest, out.host, out.port);
}

bool parse_tel(std::string_view rest, Uri& out) {
    const std::size_t semicolon = rest.find(';');
    out.user = rest.substr(0, semicolon);
    if (semicolon != std::string_view::npos) {
        out.params = rest.substr(semicolon);
    }
    return !out.user.empty() && valid_params(out.params);
}

// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
bool valid_scheme(std::string_view scheme) {
    const auto alpha = [](char c) { return lower(c) >= 'a' && lower(c) <= 'z'; };
    for (const char c : scheme) {
        if (!alpha(c) && !is(c, kDigit) && c != '+' && c != '-' && c != '.') {
            return false;
        }
    }
    return !scheme.empty() && alpha(scheme.front());
}

bool valid_ipv6_reference(std::string_view host) {
    const std::string_view inside = host.substr(1, host.size() - 2);
    for (const char c : inside) {
        if (!is(c, kHex) && c != ':' && c != '.') {
            return false;
        }
    }
    return parse_ipv6_reference(host).has_value();
}

// No empty label; a dot at the end is the root's. IPv4 addresses are names of this kind too.
bool valid_host_name(std::string_view host) {
    char before = '.';
    for (const char c : host) {
        if (!is(c, kHostChar) || (c == '.' && before == '.')) {
            return false;
        }
        before = c;
    }
    return !host.empty();
}

}  // namespace

std::optional<net::Address> parse_ipv6_reference(std::string_view host) {
    const std::size_t colons = host.find(":::");
    if (colons == std::string_view::npos || host.find(':', colons + 3) != std::string_view::npos ||
        host.find('.', colons) == std::string_view::npos || host.size() > net::kMaxAddressText) {
        return net::parse_address(host);
    }
    std::array<char, net::kMaxAddressText> text;
    std::memcpy(text.data(), host.data(), colons);
    std::memcpy(text.data() + colons, host.data() + colons + 1, host.size() - colons - 1);
    return net::parse_address({text.data(), host.size() - 1});
}

bool Uri::param(std::string_view name, std::string_view& value) const {
    Param found;
    if (!find_param(params, name, found)) {
        return false;
    }
    value = found.value;
    return true;
}

bool parse_host_port(std::string_view text, std::string_view& host, std::uint16_t& port) {
    port = 0;
    std::size_t end = text.find(':');
    if (!text.empty() && text.front() == '[') {
        const std::size_t bracket = text.find(']');
        if (bracket == std::string_view::npos) {
            return false;
        }
        end = bracket + 1;
        host = text.substr(0, end);
        if (!valid_ipv6_reference(host)) {
            return false;
        }
    } else {
        host = trim_back(text.substr(0, end));
        if (!valid_host_name(host)) {
            return false;
        }
    }
    // White space around the colon is only a Via's (COLON = SWS ":" SWS); a URI has none anywhere.
    std::string_view rest = end < text.size() ? trim(text.substr(end)) : std::string_view{};
    if (rest.empty()) {
        return true;
    }
    Decimal number;
    if (rest.front() != ':' || !parse_decimal(trim_front(rest.substr(1)), 65535, number) ||
        number.overflow || number.value == 0) {
        return false;
    }
    port = static_cast<std::uint16_t>(number.value);
    return true;
}

bool parse_uri(std::string_view text, Uri& out) {
    out = Uri{};
    out.text = text;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || !all(text, kUriChar)) {
        return false;
    }
    const std::string_view scheme = text.substr(0, colon);
    const std::string_view rest = text.substr(colon + 1);
    if (equals_ci(scheme, "sip")) {
        out.scheme = Scheme::kSip;
        return parse_sip(rest, out);
    }
    if (equals_ci(scheme, "sips")) {
        out.scheme = Scheme::kSips;
        return parse_sip(rest, out);
    }
    if (equals_ci(scheme, "tel")) {
        out.scheme = Scheme::kTel;
        return parse_tel(rest, out);
    }
    out.scheme = Scheme::kOther;
    out.user = rest;
    return valid_scheme(scheme) && !rest.empty();
}

std::optional<std::string_view> unescape(std::string_view text, char* out, std::size_t capacity) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (n == capacity) {
            return std::nullopt;
        }
        const int byte = escaped_byte(text, i);
        out[n++] = byte < 0 ? text[i] : static_cast<char>(byte);
        i += byte < 0 ? 0 : 2;
    }
    return std::string_view(out, n);
}

std::optional<std::string_view> canonical_host(std::string_view host, char* out,
                                               std::size_t capacity) {
    if (!host.empty() && host.front() == '[') {
        const auto address = parse_ipv6_reference(host);
        char text[net::kMaxAddressText];
        const std::size_t len = address ? net::format_host(*address, text) : 0;
        if (len == 0 || len > capacity) {
            return std::nullopt;
        }
        std::memcpy(out, text, len);
        return std::string_view(out, len);
    }
    if (!host.empty() && host.back() == '.') {  // the root's dot: the same name
        host.remove_suffix(1);
    }
    if (host.empty() || host.size() > capacity) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < host.size(); ++i) {
        out[i] = lower(host[i]);
    }
    return std::string_view(out, host.size());
}

std::optional<std::string_view> canonical_aor(const Uri& uri, char* out) {
    if (!uri.is_sip() || uri.user.empty()) {
        return std::nullopt;
    }
    constexpr std::string_view kHex16 = "0123456789ABCDEF";
    std::size_t n = 0;
    for (std::size_t i = 0; i < uri.user.size(); ++i) {
        if (n + 4 > kMaxAor) {  // an escape, and the '@'
            return std::nullopt;
        }
        const int escaped = escaped_byte(uri.user, i);
        const auto c = static_cast<unsigned char>(escaped < 0 ? uri.user[i] : escaped);
        i += escaped < 0 ? 0 : 2;
        if (is(static_cast<char>(c), kUserChar)) {
            out[n++] = static_cast<char>(c);
        } else {
            out[n++] = '%';
            out[n++] = kHex16[c >> 4];
            out[n++] = kHex16[c & 15];
        }
    }
    out[n++] = '@';
    const auto host = canonical_host(uri.host, out + n, kMaxAor - n);
    if (!host) {
        return std::nullopt;
    }
    return std::string_view(out, n + host->size());
}

}  // namespace pinhole::sip
