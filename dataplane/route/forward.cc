// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/forward.h"

#include "dataplane/route/reply_target.h"
#include "dataplane/sip/elements.h"
#include "dataplane/sip/reply.h"
#include "dataplane/sip/text.h"

#include <algorithm>

namespace pinhole::route {
namespace {

using sip::HeaderId;
using sip::Message;
using sip::Writer;

constexpr unsigned kInitialMaxForwards = 70;  // RFC 3261 §16.6 step 3

// Header lines first .. last-1 as they are.
void copy_lines(const Message& message, std::size_t first, std::size_t last, Writer& out) {
    if (message.plain()) {
        const std::size_t from = message.line_offset(first);
        out.text(message.datagram.substr(from, message.line_offset(last) - from));
        return;
    }
    for (std::size_t i = first; i < last; ++i) {
        out.text(message.name(i)).text(": ").unfolded(message.value(i)).text("\r\n");
    }
}

bool is_claim(HeaderId id) {
    return id == HeaderId::kPAssertedIdentity || id == HeaderId::kPPreferredIdentity ||
           id == HeaderId::kRemotePartyId;
}

// Copies all header lines in long runs; a line for which `concerns(id)` is handed to `rewrite(i)`
// instead.
template <class Concerns, class Rewrite>
void copy_headers(const Message& message, Writer& out, Concerns&& concerns, Rewrite&& rewrite) {
    std::size_t first = 0;
    for (std::size_t i = 0; i < message.header_count(); ++i) {
        if (concerns(message.id(i))) {
            copy_lines(message, first, i, out);
            rewrite(i);
            first = i + 1;
        }
    }
    copy_lines(message, first, message.header_count(), out);
}

// The first of our Routes' successors: where it stands. header == kNoHeader: none is left.
struct FirstRoute {
    std::uint8_t header = sip::kNoHeader;
    std::size_t offset = 0;  // in that header's value
};
FirstRoute first_route_left(const Message& request, std::size_t ours) {
    sip::Elements routes(request, HeaderId::kRoute);
    std::string_view element;
    for (std::size_t i = 0; routes.next(element); ++i) {
        if (i == ours) {
            const std::string_view value = request.value(routes.header());
            return {routes.header(), static_cast<std::size_t>(element.data() - value.data())};
        }
    }
    return {};
}

void write_via(const net::Flow& to, const BranchText& branch, Writer& out) {
    out.text("Via: SIP/2.0/UDP ").host(to.ours).character(':').number(to.our_udp_port);
    out.text(";rport;branch=").text(branch.view()).text("\r\n");
}

void write_record_route(const net::Flow& side, const TokenText& token, Writer& out) {
    out.text("Record-Route: <sip:").text(token.view()).character('@').host(side.ours);
    out.character(':').number(side.our_udp_port).text(";lr>\r\n");
}

// One where both sides reach us at the same address; else two (RFC 5658): on top the one for the
// side that the request goes to, whose token leads back to where it came from.
void write_record_routes(const Message& request, const net::Flow& arrival, const ForwardPlan& plan,
                         const tokens::Keys& keys, Writer& out) {
    Token token = plan.token;
    const net::Flow& leave = plan.to.flow;
    if (arrival.ours == leave.ours && arrival.our_udp_port == leave.our_udp_port) {
        token.direction = Direction::kBoth;
        write_record_route(leave, make_token(keys, token, request.call_id()), out);
        return;
    }
    token.direction = plan.to.to_phone ? Direction::kToCore : Direction::kToPhone;
    write_record_route(leave, make_token(keys, token, request.call_id()), out);
    token.direction = plan.to.to_phone ? Direction::kToPhone : Direction::kToCore;
    write_record_route(arrival, make_token(keys, token, request.call_id()), out);
}

// The client's Via, told where it came from (RFC 3261 §18.2.1, RFC 3581 §4), and those behind it in
// its line.
void write_client_via(const Message& request, const TopVia& top, const net::Flow& arrival,
                      Writer& out) {
    sip::ReplyVia from = reply_via(answer_flow(top.via, arrival), arrival);
    from.add_rport =
        false;  // the answer finds its way by our branch: no need to add what it didn't ask for
    out.text("Via: ");
    sip::write_received_via(top.via, from, out, request.plain());
    out.unfolded(behind(request.value(top.header), top.via.text), request.plain()).text("\r\n");
}

}  // namespace

bool read_top_via(const Message& message, TopVia& out) {
    if (message.top_via() == nullptr) {
        return false;
    }
    out.header = message.first_index(HeaderId::kVia);
    out.via = *message.top_via();
    return true;
}

bool wants_record_route(sip::Method method, const sip::NameAddr& to) {
    switch (method) {
        case sip::Method::kNotify:
            return true;
        case sip::Method::kInvite:
        case sip::Method::kSubscribe:
        case sip::Method::kRefer:
        case sip::Method::kOther:
            return to.tag.empty();  // a dialog's request has one (RFC 3261 §12.2)
        default:
            return false;
    }
}

bool write_request(const Message& request, const TopVia& top, const net::Flow& arrival,
                   const ForwardPlan& plan, const tokens::Keys& keys, Writer& out) {
    const net::Flow back = answer_flow(top.via, arrival);
    out.text(request.method_text).character(' ').text(plan.request_uri).text(" SIP/2.0\r\n");
    write_via(plan.to.flow,
              make_branch(keys, plan.key_id, back, plan.to, transaction_hash(request, top.via)),
              out);
    if (plan.record_route) {
        write_record_routes(request, arrival, plan, keys, out);
    }
    if (request.max_forwards == Message::kNoMaxForwards) {
        out.header("Max-Forwards", kInitialMaxForwards);
    }
    if (!plan.asserted.empty()) {
        out.text("P-Asserted-Identity: <sip:").text(plan.asserted).text(">\r\n");
    }
    const FirstRoute route = first_route_left(request, plan.our_routes);
    if (!plan.path.empty() && (!plan.path_if_no_route || route.header == sip::kNoHeader)) {
        out.header("Route", plan.path);
    }
    copy_headers(
        request, out,
        [&](HeaderId id) {
            return id == HeaderId::kVia || id == HeaderId::kMaxForwards ||
                   (id == HeaderId::kRoute && plan.our_routes != 0) ||
                   (plan.drop_claims && is_claim(id)) ||
                   (plan.spent_header != sip::kNoHeader && id == HeaderId::kProxyAuthorization);
        },
        [&](std::size_t i) {
            if (is_claim(request.id(i)) || i == plan.spent_header) {
                return;
            }
            if (i == top.header) {
                write_client_via(request, top, arrival, out);
            } else if (request.id(i) == HeaderId::kMaxForwards) {
                out.header("Max-Forwards", request.max_forwards - 1u);
            } else if (request.id(i) != HeaderId::kRoute || i > route.header) {
                copy_lines(request, i, i + 1, out);
            } else if (i == route.header) {
                out.text("Route: ").unfolded(request.value(i).substr(route.offset)).text("\r\n");
            }
        });
    out.text("\r\n").text(request.body());
    return !out.overflow();
}

bool write_response(const Message& response, const TopVia& top, const ResponsePlan& plan,
                    Writer& out) {
    const bool replaced = plan.status != 0;
    out.text("SIP/2.0 ").number(replaced ? plan.status : response.status).character(' ');
    out.clean(replaced ? plan.reason : response.reason).text("\r\n");
    copy_headers(
        response, out,
        [&](HeaderId id) { return id == HeaderId::kVia || (plan.drop_claims && is_claim(id)); },
        [&](std::size_t i) {
            if (is_claim(response.id(i))) {
                return;
            }
            if (i != top.header) {
                copy_lines(response, i, i + 1, out);
                return;
            }
            std::string_view rest = behind(response.value(i), top.via.text);
            while (!rest.empty() && (rest.front() == ',' || sip::is_lws(rest.front()))) {
                rest.remove_prefix(1);
            }
            if (!rest.empty()) {
                out.text("Via: ").unfolded(rest).text("\r\n");
            }
        });
    out.text("\r\n").text(response.body());
    return !out.overflow();
}

}  // namespace pinhole::route
