// SPDX-License-Identifier: BSD-3-Clause
// Calls from the first INVITE to the BYE, in both directions, with one Record-Route and with two;
// and what others try with the tokens and branches that they have seen.
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace pinhole::route {
namespace {

using Values = std::vector<std::string>;

Values reversed(Values values) {
    std::reverse(values.begin(), values.end());
    return values;
}

// A request in a dialog, as its parties write it.
std::string in_dialog(const std::string& method, const std::string& uri, const Values& routes,
                      const std::string& call_id, const std::string& branch) {
    std::string out = method + " " + uri + " SIP/2.0\n";
    out +=
        "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK" + branch + ";rport\nMax-Forwards: 70\n";
    for (const std::string& route : routes) {
        out += "Route: " + route + "\n";
    }
    return out +
           "From: <sip:a@example.com>;tag=1\nTo: <sip:b@example.com>;tag=2\nCall-ID: " + call_id +
           "\nCSeq: 2 " + method +
           "\nUser-Agent: some text that makes this as long as real requests are\n" +
           "Content-Length: 0\n\n";
}

struct Dialog {
    Values core_routes;   // the route set of the core's side
    Values phone_routes;  // that of the phone's
};
// A call in, answered.
Dialog call_in(World& world) {
    const Sent invite = world.from_core(kInvite);
    const Sent answer = world.from_phone(answer_to(invite, 200));
    EXPECT_TRUE(answer.forwarded());
    return {reversed(answer.values(sip::HeaderId::kRecordRoute)),
            invite.values(sip::HeaderId::kRecordRoute)};
}
// A call out.
Dialog call_out(World& world) {
    const Sent invite = world.from_phone(kInviteOut);
    const Sent answer = world.receive(answer_to(invite, 200), world.peers[0].flow, true);
    EXPECT_TRUE(answer.forwarded());
    EXPECT_EQ(answer.decision.flow, World::phone_flow());
    return {invite.values(sip::HeaderId::kRecordRoute),
            reversed(answer.values(sip::HeaderId::kRecordRoute))};
}

const std::string kPhoneUri = "sip:100@192.168.1.10:5060";
const std::string kCoreUri = "sip:200@203.0.113.10:5060";

class Dialogs : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(OneAndTwoRecordRoutes, Dialogs, testing::Bool());

TEST_P(Dialogs, CallInBothSidesGoOn) {
    World world(GetParam());
    world.add({});
    const Dialog dialog = call_in(world);
    ASSERT_EQ(dialog.core_routes.size(), GetParam() ? 2u : 1u);
    ASSERT_EQ(dialog.core_routes, reversed(dialog.phone_routes));
    for (const char* method : {"ACK", "INVITE", "BYE", "INFO"}) {
        const Sent in =
            world.from_core(in_dialog(method, kPhoneUri, dialog.core_routes, "call-1@core", "c"));
        ASSERT_TRUE(in.forwarded()) << method << in.text;
        EXPECT_EQ(in.decision.flow, World::phone_flow());
        EXPECT_EQ(in.first_line(), method + std::string(" ") + kPhoneUri + " SIP/2.0")
            << "it stays as the core wrote it";
        EXPECT_EQ(in.values(sip::HeaderId::kRoute), Values{});
        const Sent out =
            world.from_phone(in_dialog(method, kCoreUri, dialog.phone_routes, "call-1@core", "p"));
        ASSERT_TRUE(out.forwarded()) << method << out.text;
        EXPECT_EQ(out.decision.flow, world.peers[0].flow);
        EXPECT_EQ(out.first_line(), method + std::string(" ") + kCoreUri + " SIP/2.0");
        EXPECT_EQ(out.values(sip::HeaderId::kRoute), Values{});
    }
}

TEST_P(Dialogs, CallOutBothSidesGoOn) {
    World world(GetParam());
    world.add({});
    const Dialog dialog = call_out(world);
    ASSERT_EQ(dialog.core_routes.size(), GetParam() ? 2u : 1u);
    const std::string id = "out-1@192.168.1.10";
    EXPECT_TRUE(
        world.from_core(in_dialog("BYE", kPhoneUri, dialog.core_routes, id, "c")).forwarded());
    EXPECT_TRUE(
        world.from_phone(in_dialog("BYE", kCoreUri, dialog.phone_routes, id, "p")).forwarded());
}

TEST_P(Dialogs, APhoneThatMovedInMidCall) {
    World world(GetParam());
    world.add({});
    const Dialog dialog = call_in(world);
    const net::Flow moved = World::phone_flow(41000);
    // Not registered from there yet: its BYE passes by the token, and the answer finds it.
    const Sent bye = world.from_phone(
        in_dialog("BYE", kCoreUri, dialog.phone_routes, "call-1@core", "p"), moved);
    ASSERT_TRUE(bye.forwarded());
    EXPECT_EQ(bye.decision.flow, world.peers[0].flow);
    const Sent answer = world.receive(answer_to(bye, 200), world.peers[0].flow, true);
    EXPECT_EQ(answer.decision.flow, moved);
    // Registered: the core's re-INVITE goes there, not to where the call began.
    world.move("100@example.com", moved);
    const Sent in =
        world.from_core(in_dialog("INVITE", kPhoneUri, dialog.core_routes, "call-1@core", "c"));
    ASSERT_TRUE(in.forwarded());
    EXPECT_EQ(in.decision.flow, moved);
}

TEST_P(Dialogs, OtherLegsStay) {
    World world(GetParam());
    world.add({});
    const Dialog dialog = call_out(world);
    Values routes = dialog.phone_routes;
    const Dialog other = call_in(world);
    routes.insert(routes.end(), other.core_routes.begin(), other.core_routes.end());
    const Sent out =
        world.from_phone(in_dialog("BYE", kPhoneUri, routes, "out-1@192.168.1.10", "p"));
    ASSERT_TRUE(out.forwarded());
    EXPECT_EQ(out.values(sip::HeaderId::kRoute), other.core_routes)
        << "a leg behind the core begins there";
}

TEST_P(Dialogs, DeadTokens) {
    World world(GetParam());
    const table::ContactId id = world.add({});
    const Dialog dialog = call_in(world);
    const auto request = [&](const char* method) {
        return in_dialog(method, kPhoneUri, dialog.core_routes, "call-1@core", "c");
    };
    world.remove(id);
    EXPECT_TRUE(world.from_core(request("BYE")).replied(430));
    EXPECT_TRUE(world.from_core(request("ACK")).dropped_for(DropReason::kAckNowhere));
    EXPECT_TRUE(world.from_core(request("CANCEL")).replied(481));
    // Another phone has taken the slot: the old token does not reach it.
    (void)world.table->reclaim_owner(0);
    table::ContactId next;
    for (int i = 0; i < 64; ++i) {
        const table::ContactId added = world.add({.aor = std::to_string(500 + i) + "@example.com"});
        next = added.slot == id.slot ? added : next;
    }
    ASSERT_EQ(next.slot, id.slot);
    ASSERT_NE(next.generation, id.generation);
    EXPECT_TRUE(world.from_core(request("BYE")).replied(430));
    // The phone's own BYE still ends the call at the core.
    EXPECT_TRUE(world
                    .from_phone(in_dialog("BYE", kCoreUri, dialog.phone_routes, "call-1@core", "p"),
                                World::phone_flow(50000))
                    .forwarded());
}

TEST_P(Dialogs, TokensAreWorthNothingElsewhere) {
    World world(GetParam());
    world.add({});
    const Dialog dialog = call_in(world);
    const net::Flow elsewhere = World::stranger_flow();
    // Another Call-ID.
    EXPECT_TRUE(world.from_core(in_dialog("BYE", kPhoneUri, dialog.core_routes, "other", "c"))
                    .replied(430));
    EXPECT_TRUE(
        world.from_phone(in_dialog("BYE", kCoreUri, dialog.phone_routes, "other", "c"), elsewhere)
            .replied(403));
    EXPECT_TRUE(world.from_phone(in_dialog("BYE", kCoreUri, dialog.phone_routes, "other", "c"))
                    .replied(430))
        << "a registered phone";
    // Changed in any letter.
    for (std::size_t i = 6; i < 35; i += 3) {
        Values routes = dialog.core_routes;
        routes[0][i] = routes[0][i] == 'A' ? 'B' : 'A';
        const auto bye = [&](const std::string& uri) {
            return in_dialog("BYE", uri, routes, "call-1@core", "c");
        };
        EXPECT_TRUE(world.from_core(bye(kPhoneUri)).replied(430)) << i;
        EXPECT_TRUE(world.from_phone(bye(kCoreUri)).replied(430)) << i;
    }
    // A stranger who has seen all of them reaches the core, where the call is, and never a phone.
    for (const Values& routes : {dialog.core_routes, dialog.phone_routes}) {
        const Sent sent =
            world.from_phone(in_dialog("BYE", kPhoneUri, routes, "call-1@core", "s"), elsewhere);
        EXPECT_TRUE(sent.replied(403) || sent.decision.flow == world.peers[0].flow) << sent.text;
    }
}

TEST_P(Dialogs, TheOtherDirection) {
    World world(GetParam());
    world.add({});
    const Dialog dialog = call_in(world);
    if (!GetParam()) {
        return;  // one Record-Route is for both sides
    }
    // The core with the phone's, a stranger with the core's.
    EXPECT_TRUE(
        world.from_core(in_dialog("BYE", kPhoneUri, {dialog.phone_routes[0]}, "call-1@core", "c"))
            .replied(430));
    EXPECT_TRUE(
        world
            .from_phone(in_dialog("BYE", kPhoneUri, {dialog.core_routes[0]}, "call-1@core", "c"),
                        World::stranger_flow())
            .replied(403));
    EXPECT_TRUE(
        world.from_phone(in_dialog("BYE", kCoreUri, {dialog.core_routes[0]}, "call-1@core", "c"))
            .replied(430))
        << "a registered phone";
}

TEST_P(Dialogs, NothingBehindATokenIsFollowed) {
    World world(GetParam());
    world.add({});
    const Dialog dialog = call_in(world);
    for (const char* uri :
         {"sip:victim@192.0.2.66", "sip:100@example.com", "sip:example.com", "tel:+1555"}) {
        Values in_routes = dialog.core_routes;
        Values out_routes = dialog.phone_routes;
        in_routes.push_back("<sip:192.0.2.66;lr>");
        out_routes.push_back("<sip:192.0.2.66;lr>");
        const Sent in = world.from_core(in_dialog("BYE", uri, in_routes, "call-1@core", "c"));
        const Sent out = world.from_phone(in_dialog("BYE", uri, out_routes, "call-1@core", "p"),
                                          World::phone_flow(50000));
        ASSERT_TRUE(in.forwarded() && out.forwarded()) << uri;
        EXPECT_EQ(in.decision.flow, World::phone_flow());
        EXPECT_EQ(out.decision.flow, world.peers[0].flow);
    }
}

TEST(DialogKeys, OverlapWhenTheyRotate) {
    World world;
    world.add({});
    const Dialog dialog = call_in(world);
    const std::string bye = in_dialog("BYE", kPhoneUri, dialog.core_routes, "call-1@core", "c");
    const tokens::MasterKey old{.id = 1, .bytes = {1, 2, 3}};
    world.use_keys({{.id = 2, .bytes = {4}}, old});
    EXPECT_TRUE(world.from_core(bye).forwarded());
    world.use_keys({{.id = 3, .bytes = {5}}});
    EXPECT_TRUE(world.from_core(bye).replied(430));
    const auto by_phone = [&](const char* method) {
        return world.from_phone(
            in_dialog(method, kCoreUri, dialog.phone_routes, "call-1@core", "p"));
    };
    EXPECT_TRUE(by_phone("BYE").replied(430));
    EXPECT_TRUE(by_phone("CANCEL").replied(481));
    EXPECT_TRUE(by_phone("ACK").dropped_for(DropReason::kAckNowhere));
}

// A Route taken off with the first is its partner: of the same phone and the same peer. Legs of
// others stay, though they have the Call-ID.
TEST(RouteSet, APartnerIsOfTheSamePhoneAndPeer) {
    World world(std::vector<net::Flow>{flow("10.0.0.1", 5080, "203.0.113.10", 5060, 1),
                                       flow("10.0.0.1", 5080, "203.0.113.11", 5060, 1)});
    world.add({});
    world.add({.aor = "102@example.com", .flow = World::phone_flow(32948)});
    const auto routes_of = [&](const std::string& user, const Peer& peer) {
        const std::string text = replace(kInvite, "sip:100@", "sip:" + user + "@");
        const Sent invite = world.receive(replace(text, "core1", "core" + user), peer.flow, true);
        return invite.values(sip::HeaderId::kRecordRoute);  // the phone's side first
    };
    const Values mine = routes_of("100", world.peers[0]);
    const Values phones = routes_of("102", world.peers[0]);
    const Values peers = routes_of("100", world.peers[1]);
    ASSERT_TRUE(mine.size() == 2 && phones.size() == 2 && peers.size() == 2);
    const auto left = [&](const std::string& second) {
        return world.from_phone(in_dialog("BYE", kCoreUri, {mine[0], second}, "call-1@core", "p"))
            .values(sip::HeaderId::kRoute);
    };
    EXPECT_EQ(left(mine[1]), Values{});
    EXPECT_EQ(left(phones[1]), Values{phones[1]});
    EXPECT_EQ(left(peers[1]), Values{peers[1]});
}

TEST(RecordRoute, Rfc3261_16_6_WhereADialogCanBegin) {
    World world;
    world.add({});
    const std::string tagged = replace(kInvite, "example.com>\nCall", "example.com>;tag=t\nCall");
    const struct {
        const char* method;
        bool initial;
        bool in_dialog;
    } cases[] = {{"INVITE", true, false},   {"SUBSCRIBE", true, false}, {"REFER", true, false},
                 {"NOTIFY", true, true},    {"FOO", true, false},       {"MESSAGE", false, false},
                 {"OPTIONS", false, false}, {"PUBLISH", false, false},  {"BYE", false, false},
                 {"CANCEL", false, false},  {"ACK", false, false}};
    for (const auto& c : cases) {
        const auto has = [&](const std::string& text) {
            const Sent sent = world.from_core(replace(with_method(text, "INVITE", c.method),
                                                      "core1", "branch-" + std::string(c.method)));
            EXPECT_TRUE(sent.forwarded()) << c.method;
            return !sent.values(sip::HeaderId::kRecordRoute).empty();
        };
        EXPECT_EQ(has(kInvite), c.initial) << c.method;
        EXPECT_EQ(has(tagged), c.in_dialog) << c.method;
    }
}

TEST(RecordRoute, Rfc3261_16_6_OursComesFirst) {
    World world;
    world.add({});
    const Sent sent =
        world.from_core(replace(kInvite, "X-Odd", "Record-Route: <sip:203.0.113.10;lr>\nX-Odd"));
    const auto routes = sent.values(sip::HeaderId::kRecordRoute);
    ASSERT_EQ(routes.size(), 2u);
    EXPECT_EQ(routes[1], "<sip:203.0.113.10;lr>");
}

}  // namespace
}  // namespace pinhole::route
