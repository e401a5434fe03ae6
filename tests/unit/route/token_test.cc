// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/token.h"

#include "dataplane/route/tag.h"
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pinhole::route {
namespace {

const tokens::Keys kKeys(std::vector<tokens::MasterKey>{{.id = 5, .bytes = {9}},
                                                        {.id = 4, .bytes = {8}}});
const Token kToken{.contact = {77, 3}, .peer = 0xabcdef01, .direction = Direction::kToCore};

Token flow_token(std::string_view ours, std::string_view theirs) {
    return {.flow = flow(ours, 5060, theirs, 32947, 3),
            .port_matters = false,
            .peer = 0xabcdef01,
            .direction = Direction::kToPhone};
}

TEST(Token, RoundTrip) {
    const TokenText text = make_token(kKeys, kToken, "call");
    const auto token = read_token(kKeys, text.view(), "call");
    ASSERT_TRUE(token);
    EXPECT_EQ(token->contact, kToken.contact);
    EXPECT_EQ(token->peer, kToken.peer);
    EXPECT_EQ(token->direction, Direction::kToCore);
}

TEST(Token, WorthNothingElsewhere) {
    const TokenText text = make_token(kKeys, kToken, "call");
    EXPECT_FALSE(read_token(kKeys, text.view(), "Call"));
    EXPECT_FALSE(read_token(kKeys, text.view(), ""));
    EXPECT_FALSE(read_token(kKeys, text.view(), std::string(5000, 'c')));
    for (const Token& token :
         {kToken, flow_token("198.51.100.1", "67.194.23.55"), flow_token("2001:db8::1", "::2")}) {
        const std::string good(make_token(kKeys, token, "call").view());
        for (std::size_t i = 0; i < good.size(); ++i) {
            std::string changed = good;
            changed[i] = changed[i] == 'x' ? 'y' : 'x';
            EXPECT_FALSE(read_token(kKeys, changed, "call")) << i;
        }
        for (std::size_t length = 0; length < good.size(); ++length) {
            EXPECT_FALSE(read_token(kKeys, good.substr(0, length), "call")) << length;
        }
    }
}

TEST(Token, WithoutAContactItCarriesTheFlow) {
    for (const Token& made :
         {flow_token("198.51.100.1", "67.194.23.55"), flow_token("2001:db8::1", "::2")}) {
        const TokenText text = make_token(kKeys, made, "call");
        EXPECT_TRUE(may_be_token(text.view())) << text.view();
        const auto read = read_token(kKeys, text.view(), "call");
        ASSERT_TRUE(read);
        EXPECT_FALSE(read->contact.valid());
        EXPECT_EQ(read->flow, made.flow);
        EXPECT_EQ(read->peer, made.peer);
        EXPECT_EQ(read->direction, Direction::kToPhone);
        EXPECT_FALSE(read->port_matters);
        EXPECT_FALSE(read_token(kKeys, text.view(), "another"));
    }
}

TEST(Token, CallIdsOfAnyLengthCountWhole) {
    const std::string long_id(3000, 'c');
    std::string last_differs = long_id;
    last_differs.back() = 'd';
    const TokenText text = make_token(kKeys, kToken, long_id);
    EXPECT_TRUE(read_token(kKeys, text.view(), long_id));
    EXPECT_FALSE(read_token(kKeys, text.view(), last_differs));
    EXPECT_FALSE(read_token(kKeys, text.view(), long_id + "c"));
}

TEST(Token, KeysOverlap) {
    const tokens::Keys old(std::vector<tokens::MasterKey>{{.id = 4, .bytes = {8}}});
    const tokens::Keys none(std::vector<tokens::MasterKey>{{.id = 6, .bytes = {8}}});
    const TokenText text = make_token(old, kToken, "call");
    EXPECT_TRUE(read_token(kKeys, text.view(), "call"));
    EXPECT_FALSE(read_token(none, text.view(), "call"));
}

TEST(Tag, KnowsTheAckToItsAnswer) {
    World world;
    sip::Message invite;
    sip::Message ack;
    const std::string invite_wire = crlf(kInvite);
    ASSERT_EQ(sip::parse(invite_wire, invite), sip::ParseError::kOk);
    const std::string tag(make_tag(kKeys, invite).view());
    const std::string base = with_method(kInvite, "INVITE", "ACK");
    const struct {
        std::string text;
        bool ours;
    } cases[] = {
        {replace(base, "example.com>\nCall", "example.com>;tag=" + tag + "\nCall"), true},
        {replace(base, "example.com>\nCall", "example.com>;tag=AAAAAAAAAAAA\nCall"), false},
        {base, false},
        {replace(replace(base, "example.com>\nCall", "example.com>;tag=" + tag + "\nCall"),
                 "call-1", "call-2"),
         false},
        {replace(replace(base, "example.com>\nCall", "example.com>;tag=" + tag + "\nCall"), "core1",
                 "core2"),
         false},
    };
    for (const auto& c : cases) {
        const std::string wire = crlf(c.text);
        ASSERT_EQ(sip::parse(wire, ack), sip::ParseError::kOk);
        EXPECT_EQ(is_ack_to_us(kKeys, ack), c.ours) << c.text;
    }
    // Any request but ACK carries such a tag for nothing.
    const std::string bye =
        crlf(replace(with_method(kInvite, "INVITE", "BYE"), "example.com>\nCall",
                     "example.com>;tag=" + tag + "\nCall"));
    ASSERT_EQ(sip::parse(bye, ack), sip::ParseError::kOk);
    EXPECT_FALSE(is_ack_to_us(kKeys, ack));
}

}  // namespace
}  // namespace pinhole::route
