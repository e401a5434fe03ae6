// SPDX-License-Identifier: BSD-3-Clause
// Commands of the control thread that remove a contact: expiry, and removal of the unreachable. A
// contact that has registered in the meantime stays.
#include "tests/unit/edge/edge_scene.h"

#include <string>

namespace pinhole::edge::test {
namespace {

class RemovalScene : public EdgeScene {
  public:
    void SetUp() override { lay(); }

    std::string code(const Register& request) {
        const auto seen = edge->ask(0, from(kNat, 32947), request.text());
        return seen.size() == 1 ? seen[0].code() : "";
    }
    void carry_out(const Command& command) {
        edge->command(0, command);
        (void)edge->round(0);
    }
};

TEST_F(RemovalScene, ExpiryNeverTakesAContactThatWasRefreshed) {
    EXPECT_EQ(code({.expires = "60"}), "200");
    Command expire;
    expire.kind = CommandKind::kExpire;
    expire.id = contact("100").id;
    carry_out(expire);
    EXPECT_EQ(contacts("100"), 1U) << "not yet";

    edge->pass_s(59);
    EXPECT_EQ(code({.cseq = 2, .expires = "60"}), "200");
    EXPECT_EQ(contact("100").id, expire.id);
    edge->pass_s(2);  // when the first registration would have been over
    carry_out(expire);
    EXPECT_EQ(contacts("100"), 1U);

    edge->pass_s(61);
    EXPECT_EQ(code({.cseq = 3, .expires = "60"}), "200");
    EXPECT_NE(contact("100").id, expire.id) << "too late to be refreshed: a new binding";
    carry_out(expire);
    EXPECT_EQ(contacts("100"), 1U) << "the command names the old one";

    expire.id = contact("100").id;
    edge->pass_s(61);
    carry_out(expire);
    EXPECT_EQ(record("100"), nullptr);
    carry_out(expire);  // once more: it is gone
    EXPECT_EQ(edge->table().counts().contacts, 0U);
}

// A phone that the control thread took for dead may have registered just then, in a packet that
// came before the control thread looked and that was worked on afterwards.
TEST_F(RemovalScene, RemovalOfTheUnreachableNeverTakesAContactThatHasJustRegistered) {
    Command removal;
    removal.kind = CommandKind::kRemoveUnreachable;
    const auto remove = [&](std::uint32_t since_ms) {
        removal.id = contact("100").id;
        removal.since_ms = since_ms;
        carry_out(removal);
    };
    EXPECT_EQ(code({}), "200");
    const std::uint32_t registered_ms = contact("100").state.refreshed_at_ms;
    remove(registered_ms - 50);
    EXPECT_EQ(contacts("100"), 1U) << "it registered after the control thread looked";
    remove(registered_ms + 50);
    EXPECT_EQ(contacts("100"), 1U) << "its packet may have been on its way at that time";
    remove(registered_ms + 10'000);
    EXPECT_EQ(record("100"), nullptr);
}

}  // namespace
}  // namespace pinhole::edge::test
