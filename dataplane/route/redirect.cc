// SPDX-License-Identifier: BSD-3-Clause
// Redirection (RFC 3261 §8.3): the core picks among an AOR's phones itself. A NAT admits our flow
// alone, so what the core is given are URIs at this edge, each with a token for one contact.
#include "dataplane/route/local.h"
#include "dataplane/route/lookup.h"
#include "dataplane/route/relay.h"

#include <array>

namespace pinhole::route {
namespace {

// "Contact: <sip:TOKEN@[v6]:65535>;q=0.123" and its line end.
constexpr std::size_t kMaxContactLine = 128;

void write_edge_uri(const Request& request, const Callable& contact, sip::Writer& out) {
    const net::Flow& arrival = request.arrival.flow;
    const Token token{.contact = contact.id(), .direction = Direction::kTarget};
    const TokenText text = make_token(request.context.keys, token, request.message.call_id());
    out.text("Contact: <sip:").text(text.view()).character('@').host(arrival.ours);
    out.character(':').number(arrival.our_udp_port).text(">;q=").qvalue(contact.standing.q);
    out.text("\r\n");
}

}  // namespace

Decision redirect(const Request& request, sip::Writer& out) {
    if (request.message.method == sip::Method::kCancel) {
        return nowhere(request, 481, out);  // what it cancels was answered at once
    }
    Callables contacts;
    switch (lookup_all(request.uri(), request.context, contacts)) {
        case LookupResult::kFound:
            break;
        case LookupResult::kContended:
            return Decision::drop(DropReason::kContended);
        case LookupResult::kUnavailable:
            return nowhere(request, 480, out);
        case LookupResult::kUnknown:
            return nowhere(request, 404, out);
    }
    std::array<char, table::kMaxContactsPerAor * kMaxContactLine> buffer;
    sip::Writer lines(buffer.data(), buffer.size());
    for (const Callable& contact : contacts.all()) {
        write_edge_uri(request, contact, lines);
    }
    return reply(request.message, request.arrival, request.context,
                 {.code = 302, .headers = lines.view(), .required_bytes = lines.size()}, out);
}

std::optional<table::ContactId> edge_uri_target(const Request& request) {
    if (!request.uri_is_ours || request.uri().user.size() != kContactTokenChars) {
        return std::nullopt;
    }
    const auto token =
        read_token(request.context.keys, request.uri().user, request.message.call_id());
    if (!token || token->direction != Direction::kTarget) {
        return std::nullopt;
    }
    return token->contact;
}

}  // namespace pinhole::route
