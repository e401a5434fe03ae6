// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/route.h"

#include "dataplane/route/local.h"
#include "dataplane/route/request.h"
#include "dataplane/route/response.h"
#include "dataplane/sip/uri.h"
#include "dataplane/sip/via.h"

namespace pinhole::route {

bool is_for_registrar(const sip::Message& message, const sip::Identity& identity) {
    sip::Uri uri;
    return message.is_request && message.method == sip::Method::kRegister &&
           sip::parse_uri(message.request_uri, uri) && identity.is_ours(uri);
}

Decision decide(const sip::Message& message, const Arrival& arrival, const Context& context,
                sip::Writer& out) {
    return message.is_request ? decide_request(message, arrival, context, out)
                              : decide_response(message, arrival, context, out);
}

Decision decide_malformed(const sip::Message& message, sip::ParseError error,
                          const Arrival& arrival, const Context& context, sip::Writer& out) {
    if (error == sip::ParseError::kKeepalive) {
        return Decision::drop(DropReason::kKeepalive);
    }
    const unsigned code = sip::status_of(error);
    if (error == sip::ParseError::kNotSip || error == sip::ParseError::kTooLong) {
        return Decision::drop(DropReason::kNotSip);
    }
    sip::Via top;
    if (code == 0 || !message.answerable() || !sip::top_via(message, top)) {
        return Decision::drop(DropReason::kMalformed);
    }
    return reply(message, arrival, context, {.code = code, .reason = sip::reason_of(error)}, out);
}

}  // namespace pinhole::route
