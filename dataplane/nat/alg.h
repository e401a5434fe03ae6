// SPDX-License-Identifier: BSD-3-Clause
// What a gateway has made of a REGISTER on its way. Many read SIP and put their public address where
// the phone wrote its own (an ALG), some of them in some places only, or wrongly. Here what the message
// says is held against where it really came from: Via, Contact, From, the request URI as the digest has
// it, and Content-Length. An ALG that does it all well leaves a message as a phone without NAT writes
// it; then only what it has overlooked tells, the phone's own address in the Call-ID as a rule. A phone
// that writes its public address itself, learned by STUN or from `received`, is taken for the gateway's
// doing: from here it is the same. Looked at when a binding is made or changes, never for a refresh;
// nothing is decided by it, operators are told. Pure; any thread.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/sip/message.h"

#include <cstdint>
#include <string_view>

namespace pinhole::nat {

// Worse is more.
enum class Alg : std::uint8_t {
    kNone,        // nothing to be seen of one
    kConsistent,  // the public address and port wherever they belong, the phone's own where nobody looks
    kHalf,        // in one place and not in another, or the address without the port
    kBroken,  // an address that is neither the phone's nor the flow's, or a wrong Content-Length
    kCount
};

// `contact_uri` of the contact asked about; `flow` as the packet came. Behind a proxy it is the proxy's
// doing: kNone.
[[nodiscard]] Alg alg_of(const sip::Message& message, std::string_view contact_uri,
                         const net::Flow& flow);
// "none", "consistent", "half", "broken".
[[nodiscard]] std::string_view alg_name(Alg alg);

}  // namespace pinhole::nat
