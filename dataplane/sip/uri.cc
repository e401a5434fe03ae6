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

bool valid_user(std::string_view user, std::uint16_t classes) {
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

// What parts a SIP URI, found in one walk. 0: an ordinary character.
enum Mark : std::uint8_t { kBad = 1, kAt, kSemicolon, kQuestion };
constexpr std::array<std::uint8_t, 256> make_marks() {
    std::array<std::uint8_t, 256> marks{};
    for (std::size_t c = 0; c < marks.size(); ++c) {
        marks[c] = (kCharClass[c] & kUriChar) != 0 ? 0 : kBad;
    }
    marks['@'] = kAt;
    marks[';'] = kSemicolon;
    marks['?'] = kQuestion;
    return marks;
}
constexpr std::array<std::uint8_t, 256> kMarks = make_marks();

// userinfo@ host:port ;params ?headers. A ';' or '?' before the '@' is the user's.
struct SipParts {
    std::size_t at = std::string_view::npos;
    std::size_t semicolon = std::string_view::npos;
    std::size_t question = std::string_view::npos;

    // False: a character that no URI has, or a second '@', which would be a second reading.
    bool find(std::string_view text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            const std::uint8_t mark = kMarks[static_cast<unsigned char>(text[i])];
            if (mark == 0) [[likely]] {
                continue;
            }
            if (mark == kBad || (mark == kAt && at != std::string_view::npos)) {
                return false;
            }
            if (mark == kAt) {
                at = i;
                semicolon = question = std::string_view::npos;
            } else if (mark == kQuestion) {
                question = question == std::string_view::npos ? i : question;
            } else if (question == std::string_view::npos && semicolon == std::string_view::npos) {
                semicolon = i;
            }
        }
        return true;
    }
};

bool parse_sip(std::string_view text, Uri& out) {
    SipParts parts;
    if (!parts.find(text)) {
        return false;
    }
    std::size_t begin = 0;
    if (parts.at != std::string_view::npos) {
        if (!parse_userinfo(text.substr(0, parts.at), out)) {
            return false;
        }
        begin = parts.at + 1;
    }
    std::size_t end = text.size();
    if (parts.question != std::string_view::npos) {
        out.headers = text.substr(parts.question + 1);
        end = parts.question;
    }
    if (parts.semicolon != std::string_view::npos) {
        out.params = text.substr(parts.semicolon, end - parts.semicolon);
        end = parts.semicolon;
    }
    return (out.params.empty() || valid_params(out.params)) &&
           parse_host_port(text.substr(begin, end - begin), out.host, out.port);
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

// Of the name that stands at the front; 0: none does. No empty label; a dot at the end is the
// root's. IPv4 addresses are names of this kind too.
std::size_t host_name_length(std::string_view text) {
    std::size_t label = 0;  // where it begins
    for (std::size_t n = 0; n < text.size(); ++n) {
        if (is(text[n], kHostLabel)) [[likely]] {
            continue;
        }
        if (text[n] != '.') {
            return n;
        }
        if (n == label) {
            return 0;
        }
        label = n + 1;
    }
    return text.size();
}

// No SIP URI.
bool parse_other(std::string_view text, Uri& out) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || !all(text, kUriChar)) {
        return false;
    }
    const std::string_view scheme = text.substr(0, colon);
    const std::string_view rest = text.substr(colon + 1);
    if (equals_ci(scheme, "tel")) {
        out.scheme = Scheme::kTel;
        return parse_tel(rest, out);
    }
    out.scheme = Scheme::kOther;
    out.user = rest;
    return valid_scheme(scheme) && !rest.empty();
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
    std::size_t end = 0;
    if (!text.empty() && text.front() == '[') {
        end = text.find(']') + 1;  // 0: none
        host = text.substr(0, end);
        if (end == 0 || !valid_ipv6_reference(host)) {
            return false;
        }
    } else {
        end = host_name_length(text);
        host = text.substr(0, end);
        if (end == 0) {
            return false;
        }
    }
    // White space around the colon is only a Via's (COLON = SWS ":" SWS); a URI has none anywhere.
    const std::string_view rest = trim(text.substr(end));
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
    if (starts_with_ci(text, "sip:")) [[likely]] {
        out.scheme = Scheme::kSip;
        return parse_sip(text.substr(4), out);
    }
    if (starts_with_ci(text, "sips:")) {
        out.scheme = Scheme::kSips;
        return parse_sip(text.substr(5), out);
    }
    return parse_other(text, out);
}

std::optional<std::string_view> unescape(std::string_view text, char* out, std::size_t capacity) {
    if (text.find('%') == std::string_view::npos) {
        return text.size() <= capacity ? std::optional(text) : std::nullopt;
    }
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
