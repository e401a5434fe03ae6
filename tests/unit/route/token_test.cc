// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/token.h"

#include "dataplane/route/tag.h"
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pinhole::route {
namespace {

const Keys kKeys(std::vector<MasterKey>{{.id = 5, .bytes = {9}}, {.id = 4, .bytes = {8}}});
const Token kToken{.contact = {77, 3}, .peer = 0xabcdef01, .direction = Direction::kToCore};

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
    for (std::size_t i = 0; i < kTokenChars; ++i) {
        std::string changed(text.view());
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        EXPECT_FALSE(read_token(kKeys, changed, "call")) << i;
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
    const Keys old(std::vector<MasterKey>{{.id = 4, .bytes = {8}}});
    const Keys none(std::vector<MasterKey>{{.id = 6, .bytes = {8}}});
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
