// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/route_set.h"

#include "dataplane/sip/elements.h"
#include "dataplane/sip/name_addr.h"

namespace pinhole::route {
namespace {

// More of ours than this in a row is no route set that we made; the rest stays where it is.
constexpr std::size_t kMaxOurs = 8;

bool next_of_ours(sip::Elements& routes, const sip::Identity& identity, sip::NameAddr& out) {
    std::string_view element;
    return routes.next(element) && sip::parse_name_addr(element, out) &&
           identity.is_our_route(out.uri);
}

// An edge URI's token is no Route's.
std::optional<Token> read_route_token(const tokens::Keys& keys, std::string_view user,
                                      std::string_view call_id) {
    const auto token = read_token(keys, user, call_id);
    return token && token->direction != Direction::kTarget ? token : std::nullopt;
}

bool is_partner(const Token& first, const Token& second) {
    return first.contact == second.contact && first.flow == second.flow &&
           first.peer == second.peer && first.direction != Direction::kBoth &&
           second.direction != Direction::kBoth && first.direction != second.direction;
}

}  // namespace

RouteSet read_routes(const sip::Message& request, const sip::Identity& identity,
                     const tokens::Keys& keys) {
    RouteSet out;
    sip::Elements routes(request, sip::HeaderId::kRoute);
    sip::NameAddr route;
    while (out.ours < kMaxOurs && next_of_ours(routes, identity, route)) {
        ++out.ours;
        if (!may_be_token(route.uri.user)) {
            continue;
        }
        const auto token = read_route_token(keys, route.uri.user, request.call_id());
        out.state = token ? TokenState::kGood : TokenState::kBad;
        if (token) {
            out.token = *token;
            if (next_of_ours(routes, identity, route)) {
                const auto next = read_route_token(keys, route.uri.user, request.call_id());
                out.ours += next && is_partner(*token, *next) ? 1 : 0;
            }
        }
        break;
    }
    return out;
}

}  // namespace pinhole::route
