// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/uri_compare.h"

#include "dataplane/sip/params.h"
#include "dataplane/sip/text.h"

#include <algorithm>
#include <array>

namespace pinhole::sip {
namespace {

// One character of `text`, an escape decoded; advances.
int next_decoded(std::string_view& text) {
    const char c = text.front();
    if (c == '%' && text.size() >= 3 && is(text[1], kHex) && is(text[2], kHex)) {
        const auto digit = [](char h) { return is(h, kDigit) ? h - '0' : lower(h) - 'a' + 10; };
        const int value = digit(text[1]) * 16 + digit(text[2]);
        text.remove_prefix(3);
        return value;
    }
    text.remove_prefix(1);
    return static_cast<unsigned char>(c);
}

// "%61" is "a" (§19.1.4, third rule). Users and passwords keep their case; all else does not.
bool same_escaped(std::string_view a, std::string_view b, bool keep_case) {
    while (!a.empty() && !b.empty()) {
        int x = next_decoded(a);
        int y = next_decoded(b);
        if (!keep_case && x < 128 && y < 128) {
            x = static_cast<unsigned char>(lower(static_cast<char>(x)));
            y = static_cast<unsigned char>(lower(static_cast<char>(y)));
        }
        if (x != y) {
            return false;
        }
    }
    return a.empty() && b.empty();
}

// These differ even from their absence, whatever their default is.
constexpr std::array<std::string_view, 5> kMustMatch{"user", "ttl", "method", "maddr", "transport"};

// Every parameter of `a` that `b` must have, or has, is the same there.
bool params_agree(const Uri& a, const Uri& b) {
    std::string_view rest = a.params;
    Param param;
    while (next_param(rest, param)) {
        std::string_view other;
        if (b.param(param.name, other)) {
            if (!same_escaped(param.has_value ? param.value : std::string_view{}, other, false)) {
                return false;
            }
        } else if (std::any_of(kMustMatch.begin(), kMustMatch.end(), [&](std::string_view name) {
                       return equals_ci(name, param.name);
                   })) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool same_uri(std::string_view a, std::string_view b) {
    if (a == b) {
        return true;
    }
    Uri x;
    Uri y;
    if (!parse_uri(a, x) || !parse_uri(b, y)) {
        return false;
    }
    // Header parts are never a contact's reachability; as text they are compared whole.
    return x.is_sip() && x.scheme == y.scheme && same_escaped(x.user, y.user, true) &&
           same_escaped(x.password, y.password, true) && equals_ci(x.host, y.host) &&
           x.port == y.port && equals_ci(x.headers, y.headers) && params_agree(x, y) &&
           params_agree(y, x);
}

}  // namespace pinhole::sip
