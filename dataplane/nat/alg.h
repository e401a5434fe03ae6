// SPDX-License-Identifier: BSD-3-Clause
// What a gateway has made of a REGISTER on its way. Many gateways read SIP and put their public
// address where the phone wrote its own (an ALG); some do so in some places only, or wrongly. This
// compares what the message says with where it really came from: Via, Contact, From, the request
// URI as the digest has it, and Content-Length. A message that an ALG has changed correctly
// everywhere looks like that of a phone without NAT; then only what the ALG has overlooked tells,
// the phone's own address in the Call-ID as a rule. A phone that writes its public address itself,
// learned by STUN or from `received`, is taken for the gateway's doing: from here it looks the
// same. Called when a binding is made or changes, never for a refresh; it decides nothing, and only
// informs operators. Pure; any thread.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/sip/message.h"

#include <cstdint>
#include <string_view>

namespace pinhole::nat {

// Worse is more.
enum class Alg : std::uint8_t {
    kNone,        // nothing to be seen of one
    kConsistent,  // the public address and port where they belong, the phone's own elsewhere
    kHalf,        // in one place and not in another, or the address without the port
    kBroken,  // an address that is neither the phone's nor the flow's, or a wrong Content-Length
    kCount
};

// `contact_uri` is that of the contact asked about; `flow` as the packet came. Behind a proxy it
// would be the proxy's doing: kNone.
[[nodiscard]] Alg alg_of(const sip::Message& message, std::string_view contact_uri,
                         const net::Flow& flow);
// "none", "consistent", "half", "broken".
[[nodiscard]] std::string_view alg_name(Alg alg);

}  // namespace pinhole::nat
