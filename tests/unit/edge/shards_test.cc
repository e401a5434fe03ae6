// SPDX-License-Identifier: BSD-3-Clause
// Two workers that receive each other's packets: changes of structure go to the AOR's owner as
// commands, the receiver does refreshes itself, and the receiver answers every request once.
#include "tests/unit/edge/edge_scene.h"

#include <gmock/gmock.h>

#include <string>

namespace pinhole::edge::test {
namespace {

using testing::StartsWith;

class TwoWorkers : public EdgeScene {
  public:
    void SetUp() override { lay({.workers = 2, .max_contacts = 20'000}); }
};

TEST_F(TwoWorkers, HandOffWhatChangesStructure) {
    const std::string theirs = user_of(1);
    const auto flow = [](std::uint16_t port) { return from(kNat, port); };
    // At worker 0, for an AOR of worker 1.
    Register first{.user = theirs, .call_id = "one"};
    EXPECT_TRUE(edge->ask(0, flow(1001), first.text()).empty()) << "waits for its owner";
    EXPECT_EQ(edge->counters(0).handoffs.get(), 1U);
    EXPECT_EQ(contacts(theirs), 0U) << "worker 0 may not do it";
    (void)edge->round(1);
    EXPECT_EQ(edge->counters(1).handoffs_served.get(), 1U);
    EXPECT_TRUE(edge->sent(1).empty()) << "a packet never leaves the worker that received it";
    (void)edge->round(0);
    auto seen = edge->sent(0);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_THAT(seen[0].text, StartsWith("SIP/2.0 200 OK\r\n"));
    EXPECT_EQ(seen[0].flow.their_udp_port, 1001);
    // Its second phone, at the owner.
    Register second{.user = theirs, .call_id = "two", .contact = "<sip:100@192.168.1.11:5060>"};
    seen = edge->ask(1, flow(1002), second.text());
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_TRUE(seen[0].has("192.168.1.10:5060>"));
    EXPECT_TRUE(seen[0].has("192.168.1.11:5060>"));
    EXPECT_EQ(contacts(theirs), 2U);
    // Refreshes and fetches need no owner, wherever they arrive.
    first.cseq = second.cseq = 2;
    EXPECT_EQ(edge->ask(1, flow(1001), first.text()).size(), 1U);
    EXPECT_EQ(edge->ask(0, flow(1002), second.text()).size(), 1U);
    EXPECT_EQ(edge->ask(0, flow(1009), Register{.user = theirs, .contact = ""}.text()).size(), 1U);
    EXPECT_EQ(edge->counters(0).refreshed_in_place.get(), 1U);
    EXPECT_EQ(edge->counters(1).refreshed_in_place.get(), 1U);
    EXPECT_EQ(edge->counters(0).handoffs.get(), 1U);
    EXPECT_EQ(contact(theirs, 0).state.cseq, 2U);
    EXPECT_EQ(contact(theirs, 1).state.cseq, 2U);
}

TEST_F(TwoWorkers, RefreshAtTheOtherWorkerOutrunsExpiry) {
    const std::string user = user_of(0);
    Register request{.user = user, .call_id = "c", .expires = "60"};
    ASSERT_EQ(edge->ask(0, from(kNat, 1), request.text()).size(), 1U);
    const table::ContactId id = contact(user).id;
    edge->pass_s(59);
    Command expire;
    expire.kind = CommandKind::kExpire;
    expire.id = id;
    edge->command(0, expire);
    request.cseq = 2;
    ASSERT_EQ(edge->ask(1, from(kNat, 1), request.text()).size(), 1U);
    edge->pass_s(2);
    (void)edge->round(0);
    EXPECT_EQ(contacts(user), 1U);
    EXPECT_EQ(contact(user).id, id);
}

TEST_F(TwoWorkers, PacketsThatWaitForAnOwnerAreHandedBackAtTheEnd) {
    for (std::uint16_t i = 0; i < 20; ++i) {
        edge->ask(0, from(kNat, i + 1), Register{.user = user_of(1, i)}.text());
    }
    EXPECT_EQ(edge->counters(0).handoffs.get(), 20U);
    EXPECT_EQ(edge->held(0), 20U);
    EXPECT_EQ(edge->table().counts().contacts, 0U);
}

// More packets than may wait: those beyond that are dropped and counted. Everything else goes on,
// and nothing stays behind.
TEST_F(TwoWorkers, AnOwnerThatDoesNotAnswerCostsPacketsAndNoMore) {
    for (unsigned i = 0; i < kMaxWaiting + 40; ++i) {
        edge->ask(0, from(kNat, 7), Register{.user = user_of(1, i % 50), .cseq = i + 1}.text());
    }
    EXPECT_EQ(edge->counters(0).handoffs.get(), kMaxWaiting);
    EXPECT_EQ(edge->drops(0, DropReason::kHandoffFull), 40U);
    EXPECT_EQ(edge->ask(0, from(kNat, 8), Register{.user = user_of(0)}.text()).size(), 1U)
        << "an AOR of its own";
    std::size_t answers = 0;
    for (int i = 0; i < 100; ++i) {
        (void)edge->round(1);
        (void)edge->round(0);
        answers += edge->sent(0).size();
    }
    EXPECT_EQ(answers, kMaxWaiting);
    EXPECT_EQ(edge->held(0), 0U);
}

}  // namespace
}  // namespace pinhole::edge::test
