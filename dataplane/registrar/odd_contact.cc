// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/registrar/odd_contact.h"

#include "dataplane/net/address.h"
#include "dataplane/sip/text.h"
#include "dataplane/sip/uri.h"

namespace pinhole::registrar {
namespace {

bool is_loopback(const net::Address& address) {
    return address.is_v4() ? address.v4_bytes()[0] == 127
                           : address == net::parse_address("::1").value();
}

bool is_multicast(const net::Address& address) {
    return address.is_v4() ? address.v4_bytes()[0] >> 4 == 0xe : address.bytes[0] == 0xff;
}

std::string_view without_brackets(std::string_view host) {
    return host.size() > 2 && host.front() == '[' ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

std::optional<OddContact> odd_contact(std::string_view uri, const sip::Identity& identity) {
    sip::Uri contact;
    if (!sip::parse_uri(uri, contact) || !contact.is_sip()) {
        return std::nullopt;
    }
    if (identity.is_ours(contact)) {
        return OddContact::kOurs;
    }
    if (sip::equals_ci(contact.host, "localhost")) {
        return OddContact::kLoopback;
    }
    const auto address = net::parse_address(without_brackets(contact.host));
    if (!address) {
        return std::nullopt;
    }
    if (is_loopback(*address)) {
        return OddContact::kLoopback;
    }
    return is_multicast(*address) ? std::optional(OddContact::kMulticast) : std::nullopt;
}

}  // namespace pinhole::registrar
