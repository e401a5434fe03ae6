// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/via.h"

#include "dataplane/sip/text.h"
#include "dataplane/sip/uri.h"

namespace pinhole::sip {
namespace {

// Takes the part before the next '/' off `rest`; white space around the slash is allowed (SLASH =
// SWS "/" SWS).
bool take_until_slash(std::string_view& rest, std::string_view& part) {
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) {
        return false;
    }
    part = trim(rest.substr(0, slash));
    rest = trim_front(rest.substr(slash + 1));
    return true;
}

// "2.0", or what a request of another version has: its 505 must find its way (RFC 4475 §3.1.2.16).
bool is_version(std::string_view text) {
    const std::size_t dot = text.find('.');
    return dot != std::string_view::npos && dot != 0 && dot + 1 != text.size() &&
           all(text.substr(0, dot), kDigit) && all(text.substr(dot + 1), kDigit);
}

std::uint32_t number_or_zero(std::string_view text, std::uint32_t max) {
    Decimal number;
    return parse_decimal(text, max, number) && !number.overflow ? number.value : 0;
}

void take_param(const Param& param, Via& out) {
    if (equals_ci(param.name, "branch")) {
        out.branch = out.branch.empty() ? param.value : out.branch;
    } else if (equals_ci(param.name, "rport")) {
        out.has_rport = true;
        out.rport = static_cast<std::uint16_t>(number_or_zero(param.value, 65535));
    } else if (equals_ci(param.name, "received")) {
        out.received = param.value;
    } else if (equals_ci(param.name, "maddr")) {
        out.maddr = param.value;
    } else if (equals_ci(param.name, "ttl")) {
        out.ttl = static_cast<std::uint8_t>(number_or_zero(param.value, 255));
    }
}

// False: one too many.
bool tell(std::string_view text, bool is_keep, Via& out) {
    if (out.told_count == Via::kMaxTold) {
        return false;
    }
    out.told[out.told_count++] = {text, is_keep};
    return true;
}

bool read_params(std::string_view params, Via& out) {
    std::string_view rest = params;
    const char* begin = rest.data();  // of a parameter, at the ';' before it
    bool keeps = false;
    Param param;
    while (next_param(rest, param)) {
        take_param(param, out);
        const char* const end = param.text.data() + param.text.size();
        const bool is_keep = !keeps && !param.has_value && equals_ci(param.name, "keep");
        keeps = keeps || is_keep;
        if (is_keep || equals_ci(param.name, "rport") || equals_ci(param.name, "received")) {
            if (!tell({begin, static_cast<std::size_t>(end - begin)}, is_keep, out)) {
                return false;
            }
        }
        begin = end;
    }
    out.params = params.substr(0, static_cast<std::size_t>(begin - params.data()));
    return rest.empty();
}

}  // namespace

bool Via::has_magic_cookie() const {
    return branch.size() > kMagicCookie.size() && starts_with_ci(branch, kMagicCookie);
}

bool parse_via(std::string_view element, Via& out) {
    out = Via{};
    out.text = trim(element);
    std::string_view rest = out.text;
    std::string_view protocol;
    if (!take_until_slash(rest, protocol) || !take_until_slash(rest, out.version) ||
        !equals_ci(protocol, "SIP") || !is_version(out.version)) {
        return false;
    }
    std::size_t n = 0;
    while (n < rest.size() && is(rest[n], kToken)) {
        ++n;
    }
    out.transport = rest.substr(0, n);
    rest.remove_prefix(n);
    if (n == 0 || rest.empty() || !is_lws(rest.front())) {
        return false;
    }
    const std::size_t semicolon = rest.find(';');
    out.sent_by = trim(rest.substr(0, semicolon));
    if (!parse_host_port(out.sent_by, out.host, out.port)) {
        return false;
    }
    if (semicolon == std::string_view::npos) {
        return true;
    }
    return read_params(rest.substr(semicolon), out);
}

}  // namespace pinhole::sip
