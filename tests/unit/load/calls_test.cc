// SPDX-License-Identifier: BSD-3-Clause
// Calls from the core, and what phones do with what reaches them.
#include "tests/unit/load/world.h"

#include <gtest/gtest.h>

namespace pinhole::load {
namespace {

class CallsTest : public testing::Test {
  public:
    CallsTest() : world(calls()) { world.register_all(); }
    static Plan calls() {
        Plan plan = small_plan(Play::kCall);
        plan.window = 2;
        return plan;
    }

    // An INVITE as a relaying edge sends it on.
    static std::string relayed(const Sent& invite, const std::string& user) {
        std::string text = invite.text;
        const std::size_t line = text.find("\r\n");
        text.replace(0, line, "INVITE sip:" + user + "@10.100.100.100:5060 SIP/2.0");
        return text;
    }
    static std::string user_of(const Sent& invite) { return invite.text.substr(11, kDigits); }

    World world;
};

TEST_F(CallsTest, AreAnsweredAndAcknowledged) {
    const auto sent = world.turn();
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_TRUE(sent[0].is("INVITE sip:1000000"));
    EXPECT_EQ(net::near_end(sent[0].flow), "203.0.113.10:5060");
    world.deliver(sent[0], World::answer(sent[0], 100));
    EXPECT_TRUE(world.taken().empty());
    world.now += 3 * kMillisecond;
    world.deliver(sent[0], World::answer(sent[0], 302, "Contact: <sip:token@198.51.100.1>\r\n"));
    const auto acks = world.taken();
    ASSERT_EQ(acks.size(), 1U);
    EXPECT_TRUE(acks[0].is("ACK "));
    EXPECT_EQ(world.tally().calls_done.get(), 1U);
    EXPECT_EQ(world.tally().call_answers[302].get(), 1U);
    EXPECT_EQ(world.tally().call_answers[100].get(), 1U);
    EXPECT_EQ(world.tally().call_latency.percentile(50), 3 * kMillisecond);
    EXPECT_EQ(world.turn().size(), 1U) << "the window has room for one";
    world.deliver(sent[0], World::answer(sent[0], 302, "Contact: <sip:token@198.51.100.1>\r\n"));
    EXPECT_EQ(world.tally().late.get(), 1U);
}

TEST_F(CallsTest, ThatNobodyAnswersAreLost) {
    (void)world.turn();
    world.now += world.plan.timeout_ns;
    EXPECT_EQ(world.turn().size(), 2U);
    EXPECT_EQ(world.tally().calls_lost.get(), 2U);
}

TEST_F(CallsTest, WrongAnswersAreErrors) {
    const auto sent = world.turn();
    const std::string busy = World::answer(sent[0], 486);
    world.deliver(sent[0], replaced(busy, "z9hG4bK-", "z9hG4bK+"));
    world.deliver(sent[0], replaced(busy, "CSeq: 10000000", "CSeq: 10000001"));
    world.deliver(sent[0], replaced(busy, "-10000000;rport", "-10000009;rport"));
    EXPECT_EQ(world.wrong(Wrong::kNotAsked), 3U);
    world.deliver(sent[0], replaced(busy, "Call-ID: 1", "Call-ID: 2"));
    EXPECT_EQ(world.wrong(Wrong::kOtherCall), 1U);
    const std::string other = user_of(sent[0]) == "10000001" ? "10000002" : "10000001";
    world.deliver(sent[0], World::answer(sent[0], 302, "Contact: <sip:" + other + "@1.2.3.4>\r\n"));
    EXPECT_EQ(world.wrong(Wrong::kOtherUser), 1U);
    EXPECT_EQ(world.tally().calls_done.get(), 0U);
}

TEST_F(CallsTest, APhoneThatIsCalledIsBusy) {
    const auto invite = world.turn()[0];
    const std::string user = user_of(invite);
    PhoneIndex phone = static_cast<PhoneIndex>(std::stoul(user)) - kFirstNumber;
    Sent at_phone;
    at_phone.flow.ours = net::Address::v4(0x64400001 + phone % 4);
    at_phone.flow.our_udp_port = static_cast<std::uint16_t>(1024 + phone / 4 + 3);
    world.deliver(at_phone, relayed(invite, user));
    auto answers = world.taken();
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_TRUE(answers[0].is("SIP/2.0 486 "));
    EXPECT_EQ(answers[0].flow.ours, at_phone.flow.ours);
    EXPECT_EQ(world.tally().rings.get(), 1U);

    world.deliver(at_phone, relayed(invite, "10000000" == user ? "10000001" : "10000000"));
    EXPECT_EQ(world.wrong(Wrong::kOtherUser), 1U);
    EXPECT_TRUE(world.taken().empty());
}

TEST_F(CallsTest, ThePeerThatIsAskedWhetherItLivesSaysSo) {
    (void)world.turn();
    world.deliver_from(world.plan.edge, 5060, world.plan.core, 5060,
                       "OPTIONS sip:203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP "
                       "198.51.100.1;branch=z9hG4bKcheck\r\nFrom: <sip:e@e>;tag=1\r\nTo: "
                       "<sip:c@c>\r\nCall-ID: p\r\nCSeq: 1 OPTIONS\r\n\r\n");
    const auto sent = world.taken();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(sent[0].is("SIP/2.0 200 "));
    EXPECT_EQ(net::near_end(sent[0].flow), "203.0.113.10:5060");
}

}  // namespace
}  // namespace pinhole::load
