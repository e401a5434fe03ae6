// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/branch.h"

#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::route {
namespace {

const tokens::Keys kKeys(std::vector<tokens::MasterKey>{{.id = 5, .bytes = {9}},
                                                        {.id = 4, .bytes = {8}}});

sip::Message message;
std::string wire;
const sip::Message& parsed(std::string_view text) {
    wire = crlf(text);
    EXPECT_EQ(sip::parse(wire, message), sip::ParseError::kOk) << text;
    return message;
}
std::uint64_t hash_of(std::string_view text) {
    const sip::Message& m = parsed(text);
    TopVia top;
    EXPECT_TRUE(read_top_via(m, top));
    return transaction_hash(m, top.via);
}

TEST(Branch, CarriesTheFlowOfEitherFamily) {
    for (const net::Flow& back :
         {flow("198.51.100.1", 5060, "203.0.113.10", 5060, 3),
          flow("2001:db8::1", 5080, "2001:db8:1:2:3:4:5:6", 65535, 65535)}) {
        const Destination to{.flow = World::phone_flow(), .port_matters = true, .to_phone = true};
        const BranchText text = make_branch(kKeys, 5, back, to, 42);
        EXPECT_LE(text.size, kMaxBranchText);
        const auto branch = read_branch(kKeys, text.view());
        ASSERT_TRUE(branch) << text.view();
        EXPECT_EQ(branch->return_flow, back);
        EXPECT_EQ(branch->transaction, 42u);
        EXPECT_TRUE(branch->to_phone);
        EXPECT_TRUE(came_from_destination(*branch, to.flow));
    }
}

TEST(Branch, SenderMustBeTheDestination) {
    Destination to{.flow = World::phone_flow(1000), .port_matters = true};
    const auto strict = read_branch(kKeys, make_branch(kKeys, 5, {}, to, 1).view());
    to.port_matters = false;
    const auto loose = read_branch(kKeys, make_branch(kKeys, 5, {}, to, 1).view());
    const net::Flow other_port = World::phone_flow(1001);
    net::Flow other_host = to.flow;
    other_host.theirs = address("192.0.2.1");
    net::Flow other_nic = to.flow;
    other_nic.port = 2;
    ASSERT_TRUE(strict && loose);
    EXPECT_FALSE(came_from_destination(*strict, other_port));
    EXPECT_TRUE(came_from_destination(*loose, other_port));
    EXPECT_FALSE(came_from_destination(*loose, other_host));
    EXPECT_TRUE(came_from_destination(*strict, other_nic));
}

TEST(Branch, AnyChangedLetterBreaksIt) {
    const BranchText text = make_branch(kKeys, 5, World::core_flow(false), {}, 7);
    for (std::size_t i = 0; i < text.size; ++i) {
        std::string changed(text.view());
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        EXPECT_FALSE(read_branch(kKeys, changed)) << i;
        EXPECT_FALSE(read_branch(kKeys, text.view().substr(0, i))) << i;
    }
    EXPECT_FALSE(read_branch(kKeys, std::string(text.view()) + "A"));
    EXPECT_FALSE(read_branch(kKeys, std::string(text.view()) + std::string(500, 'A')));
}

TEST(Branch, OldKeysVerifyAndForgottenOnesDoNot) {
    const tokens::Keys old(std::vector<tokens::MasterKey>{{.id = 4, .bytes = {8}}});
    const tokens::Keys other(std::vector<tokens::MasterKey>{{.id = 5, .bytes = {77}}});
    const BranchText text = make_branch(old, 4, World::core_flow(false), {}, 7);
    EXPECT_TRUE(read_branch(kKeys, text.view()));
    EXPECT_FALSE(read_branch(other, text.view()));
    EXPECT_FALSE(read_branch(other, make_branch(kKeys, 5, {}, {}, 7).view()));
}

// RFC 3261 §16.11: the same for a retransmission, CANCEL and the ACK to a failure.
TEST(Branch, Rfc3261_16_11_TransactionIsTheBranchOfTheClient) {
    const std::uint64_t hash = hash_of(kInvite);
    EXPECT_EQ(hash, hash_of(with_method(kInvite, "INVITE", "CANCEL")));
    EXPECT_EQ(hash,
              hash_of(replace(with_method(kInvite, "INVITE", "ACK"), "To: <sip:100@example.com>",
                              "To: <sip:100@example.com>;tag=9")));
    EXPECT_NE(hash, hash_of(replace(kInvite, "z9hG4bKcore1", "z9hG4bKcore2")));
}

TEST(Branch, Rfc3261_16_11_TransactionWithoutMagicCookie) {
    for (const char* branch : {";branch=1", ""}) {
        const std::string old = replace(kInvite, ";branch=z9hG4bKcore1", branch);
        const std::uint64_t hash = hash_of(old);
        EXPECT_EQ(hash, hash_of(with_method(old, "INVITE", "CANCEL")));
        EXPECT_EQ(hash, hash_of(replace(with_method(old, "INVITE", "ACK"), "example.com>\nCall",
                                        "example.com>;tag=9\nCall")));
        EXPECT_NE(hash, hash_of(replace(old, "CSeq: 1", "CSeq: 2")));
        EXPECT_NE(hash, hash_of(replace(old, "call-1", "call-2")));
        EXPECT_NE(hash, hash_of(replace(old, "tag=f1", "tag=f2")));
        EXPECT_NE(hash, hash_of(replace(old, "UDP 203.0.113.10", "UDP 203.0.113.11")));
    }
}

}  // namespace
}  // namespace pinhole::route
