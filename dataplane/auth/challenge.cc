// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/challenge.h"

namespace pinhole::auth {

std::size_t write_challenges(sip::HeaderId header, const DigestPolicy& policy,
                             const Subscribers& subscribers, std::string_view nonce, bool stale,
                             std::size_t most, sip::Writer& out) {
    std::size_t written = 0;
    for (const Algorithm algorithm : policy.algorithms) {
        if (written == most || !subscribers.offers(algorithm)) {
            continue;
        }
        out.text(sip::header_name(header)).text(": Digest realm=\"").text(policy.nonces.realm());
        out.text("\",nonce=\"").text(nonce).text("\",algorithm=").text(name_of(algorithm));
        out.text(",qop=\"auth\"").text(stale ? ",stale=true\r\n" : "\r\n");
        ++written;
    }
    return written;
}

}  // namespace pinhole::auth
