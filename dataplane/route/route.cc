// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/route.h"

#include "dataplane/route/local.h"
#include "dataplane/route/request.h"
#include "dataplane/route/response.h"

namespace pinhole::route {

bool is_for_registrar(const sip::Message& message, const sip::Identity& identity) {
    return message.is_request && message.method == sip::Method::kRegister &&
           message.uri() != nullptr && identity.is_ours(*message.uri());
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
    if (code == 0 || !message.answerable() || message.top_via() == nullptr) {
        return Decision::drop(DropReason::kMalformed);
    }
    return reply(message, arrival, context, {.code = code, .reason = sip::reason_of(error)}, out);
}

}  // namespace pinhole::route
