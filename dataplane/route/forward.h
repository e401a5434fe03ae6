// SPDX-License-Identifier: BSD-3-Clause
// The text of what is forwarded. A request gets another request line, our Via and perhaps
// Record-Route on top, one Max-Forwards less, and loses our Routes; a response loses our Via.
// Everything else is copied as it came, byte for byte, the body always; only folds and bare line
// feeds become what all can read alike (RFC 3261 §7.3.1). Pure; any thread.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/route/branch.h"
#include "dataplane/route/token.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/via.h"
#include "dataplane/sip/writer.h"
#include "dataplane/tokens/keys.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pinhole::route {

// The top Via, with the header it stands in.
struct TopVia {
    sip::Via via = {};
    std::uint8_t header = sip::kNoHeader;
};
[[nodiscard]] bool read_top_via(const sip::Message& message, TopVia& out);

struct ForwardPlan {
    std::string_view request_uri;
    Destination to;
    std::uint8_t key_id = 0;        // for the branch
    std::size_t our_routes = 0;     // to be taken off
    std::string_view path;          // a Route of its own on top of those that are left ...
    bool path_if_no_route = false;  // ... or only where none is: a dialog has its own
    bool record_route = false;      // with `token`, once or twice
    Token token;                    // its direction is set by the writer
    bool drop_claims = false;       // who a phone says it is (RFC 3325) goes no further ...
    std::string_view asserted;      // ... but this AOR, if it isn't empty
    std::uint8_t spent_header = sip::kNoHeader;  // credentials that were for us
};

// `arrival` is the flow the request came by. False: it did not fit.
[[nodiscard]] bool write_request(const sip::Message& request, const TopVia& top,
                                 const net::Flow& arrival, const ForwardPlan& plan,
                                 const tokens::Keys& keys, sip::Writer& out);

struct ResponsePlan {
    unsigned status = 0;  // not 0: with `reason` in place of the response's own
    std::string_view reason;
    bool drop_claims = false;  // as a request's
};

// Without its top Via.
[[nodiscard]] bool write_response(const sip::Message& response, const TopVia& top,
                                  const ResponsePlan& plan, sip::Writer& out);

// Can this request make a dialog whose further requests have to come by here? Initial ones of any
// method but those that never do, and every NOTIFY (RFC 6665 §4.3: a NOTIFY makes the dialog).
[[nodiscard]] bool wants_record_route(sip::Method method, const sip::NameAddr& to);

// What follows `element` in the value that it is part of.
[[nodiscard]] inline std::string_view behind(std::string_view value, std::string_view element) {
    return value.substr(static_cast<std::size_t>(element.data() - value.data()) + element.size());
}

}  // namespace pinhole::route
