// SPDX-License-Identifier: BSD-3-Clause
// Answers to requests (RFC 3261 §8.2.6): what must be repeated is copied from the request, the top
// Via says where the packet came from (§18.2.1, RFC 3581 §4), whatever it said itself. Pure; one
// thread a Writer.
#pragma once

#include "dataplane/net/address.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/via.h"
#include "dataplane/sip/writer.h"

#include <cstdint>
#include <string_view>

namespace pinhole::sip {

// Where the request really came from, for the top Via.
struct ReplyVia {
    net::Address source;
    std::uint16_t source_port;
    // Without `rport` in the request, write one anyway (the answer goes to the source port all the
    // same). False for the client with no NAT between, which is answered at its Via's port.
    bool add_rport = true;
    // How often, in seconds, a client that offers keepalives (a `keep` without value) is to send
    // them (RFC 6223 §4.3). 0: we ask for none.
    std::uint32_t keep_s = 0;
};

struct Reply {
    unsigned code;
    std::string_view reason;  // empty: reason_phrase(code)
    ReplyVia via;
    std::string_view
        to_tag;  // token; added where the request's To has none; empty: none is (100 Trying)
    std::string_view extra_headers;  // whole lines with CRLF, ours and clean
};

// The request is answerable(). False: it did not fit, or the top Via can't be read; then what
// stands in the writer is nothing to send.
[[nodiscard]] bool write_reply(const Message& request, const Reply& reply, Writer& out);

// The top Via as an answer or a forwarded request carries it: the same, but `received` and `rport`
// tell where the packet came from. No header name, no line end. `plain` as in Writer::unfolded().
void write_received_via(const Via& via, const ReplyVia& from, Writer& out, bool plain = false);

// "OK"; for a code without a phrase of its own that of its class (RFC 3261 §21).
[[nodiscard]] std::string_view reason_phrase(unsigned code);

}  // namespace pinhole::sip
