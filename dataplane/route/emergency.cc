// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/emergency.h"

#include "dataplane/sip/text.h"

#include <algorithm>
#include <array>

namespace pinhole::route {
namespace {

constexpr std::string_view kUrn = "urn:";
constexpr std::string_view kSos = "service:sos";

// RFC 5031 §4.1: "service" and its labels don't mind case, and a label may have others below it.
bool is_sos(const sip::Uri& uri) {
    if (!sip::starts_with_ci(uri.text, kUrn)) {
        return false;
    }
    const std::string_view service = uri.text.substr(kUrn.size());
    return sip::starts_with_ci(service, kSos) &&
           (service.size() == kSos.size() || service[kSos.size()] == '.');
}

// RFC 3966 §3: these mean nothing in a number.
bool is_separator(char c) {
    return c == '-' || c == '.' || c == '(' || c == ')';
}

}  // namespace

bool Emergency::has_number(std::string_view user) const {
    // RFC 3261 §19.1.6: a number in a user part brings its parameters along.
    user = user.substr(0, user.find(';'));
    std::array<char, 4 * kMaxNumber> decoded;
    const auto plain = sip::unescape(user, decoded.data(), decoded.size());
    if (!plain) {
        return false;
    }
    std::array<char, kMaxNumber> digits;
    std::size_t size = 0;
    for (const char c : *plain) {
        if (is_separator(c)) {
            continue;
        }
        if (size == digits.size()) {
            return false;
        }
        digits[size++] = c;
    }
    const std::string_view number{digits.data(), size};
    return std::find(numbers_.begin(), numbers_.end(), number) != numbers_.end();
}

bool Emergency::is_target(const sip::Uri& uri, const sip::Identity& identity) const {
    switch (uri.scheme) {
        case sip::Scheme::kTel:
            return has_number(uri.user);
        case sip::Scheme::kSip:
        case sip::Scheme::kSips:
            return !uri.user.empty() && has_number(uri.user) && identity.is_ours(uri);
        case sip::Scheme::kOther:
            break;
    }
    return is_sos(uri);
}

bool Emergency::is_call(const sip::Message& request, const sip::Uri& uri,
                        const sip::Identity& identity) const {
    switch (request.method) {
        case sip::Method::kInvite:
        case sip::Method::kAck:
        case sip::Method::kCancel:
        case sip::Method::kMessage:
            return is_target(uri, identity);
        default:
            return false;
    }
}

}  // namespace pinhole::route
