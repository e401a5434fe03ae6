// SPDX-License-Identifier: BSD-3-Clause
// Rate limits: how much of a flow's or an address's traffic the edge lets through, and what it
// counts.
#include "tests/unit/edge/edge_scene.h"

#include <string>

namespace pinhole::edge::test {
namespace {

constexpr admit::LimitPolicy kFew{.flow = {60, 5},
                                  .address = {60, 12},
                                  .phone = {60, 2},
                                  .guesses = {1, 3},
                                  .address_guesses = {1, 12}};

std::string invite(const std::string& uri) {
    return "INVITE " + uri +
           " SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKx;rport\r\nMax-Forwards: "
           "70\r\n"
           "From: <sip:eve@example.com>;tag=f\r\nTo: <" +
           uri +
           ">\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nUser-Agent: as long as real ones are\r\n"
           "Content-Length: 0\r\n\r\n";
}

class Limited : public EdgeScene {
  public:
    void SetUp() override { lay({.limits = kFew}); }

    // Sends `text` so many times and returns how many times it was answered.
    unsigned answered(const net::Flow& flow, const std::string& text, unsigned tries) {
        unsigned count = 0;
        for (unsigned i = 0; i < tries; ++i) {
            count += edge->ask(0, flow, text).empty() ? 0 : 1;
        }
        return count;
    }
};

TEST_F(Limited, AFlowAndAnAddress) {
    const std::string text = invite("sip:100@example.com");
    EXPECT_EQ(answered(from(kNat, 1000), text, 20), 5U);
    EXPECT_EQ(edge->drops(0, DropReason::kFlowLimit), 15U);
    EXPECT_EQ(answered(from(kNat, 1001), text, 20), 5U);
    EXPECT_EQ(answered(from(kNat, 1002), text, 20), 2U);
    EXPECT_EQ(edge->drops(0, DropReason::kAddressLimit), 3U) << "of the five of its flow";
    EXPECT_EQ(answered(from(address("67.194.24.55"), 1000), text, 1), 1U);
    edge->pass_s(3);
    EXPECT_EQ(answered(from(kNat, 1000), text, 20), 3U);
}

TEST_F(Limited, BrokenRequestsCountToo) {
    std::string text = invite("sip:100@example.com");
    text.replace(text.find("1 INVITE"), 8, "x INVITE");
    EXPECT_EQ(answered(from(kNat, 1000), text, 20), 5U);
}

TEST_F(Limited, GrowsWithRegistrations) {
    const net::Flow pbx = from(kNat, 1000);
    unsigned registered = 0;
    for (unsigned i = 0; i < 40; ++i) {
        const std::string user = std::to_string(200 + i);
        registered += edge->ask(0, pbx, Register{.user = user, .call_id = user}.text()).size();
    }
    EXPECT_EQ(registered, 40U) << "each registration raises the limit";
    for (unsigned i = 0; i < 40; ++i) {
        const std::string user = std::to_string(200 + i);
        edge->pass_s(1);
        (void)edge->ask(0, pbx,
                        Register{.user = user, .call_id = user, .cseq = 2, .expires = "0"}.text());
    }
    edge->pass_s(60);
    EXPECT_EQ(answered(pbx, invite("sip:100@example.com"), 100), 5U)
        << "the limit has fallen with the registrations";
}

TEST_F(Limited, KnownAddressesAreCopiedForTheNextRun) {
    for (unsigned i = 0; i < 40; ++i) {
        const std::string user = std::to_string(200 + i);
        EXPECT_EQ(edge->ask(0, from(kNat, static_cast<std::uint16_t>(2000 + i)),
                            Register{.user = user, .call_id = user}.text())
                      .size(),
                  1U);
    }
    admit::AllowanceCopy& copy = edge->edge(0).allowances();
    copy.ask_service();
    for (unsigned i = 0; i < 100 && !copy.take_service(); ++i) {
        edge->edge(0).copy_allowances(edge->now());
    }
    ASSERT_TRUE(copy.take_service().has_value());
    ASSERT_EQ(copy.take_service()->size(), 1U);
    const admit::KnownAddress known = copy.take_service()->front();
    EXPECT_EQ(known.name, kNat.bytes);
    EXPECT_NEAR(known.phones, 40, 0.1);

    lay({.limits = kFew});
    edge->edge(0).remember(known.name, known.phones, edge->now());
    unsigned count = 0;
    for (unsigned i = 0; i < 100; ++i) {
        const net::Flow flow = from(kNat, static_cast<std::uint16_t>(3000 + i));
        count += answered(flow, invite("sip:100@example.com"), 1);
    }
    EXPECT_GE(count, 12U + 2 * 39);
    EXPECT_LE(count, 12U + 2 * 41);
}

TEST_F(Limited, TheCoreAndEmergencyCallsAreNotLimited) {
    const std::string text = invite("sip:100@example.com");
    EXPECT_EQ(answered(from(kCore, kSip), text, 50), 50U);
    (void)answered(from(kNat, 1000), text, 20);
    const std::uint64_t before = edge->drops(0, DropReason::kFlowLimit);
    EXPECT_EQ(answered(from(kNat, 1000), invite("urn:service:sos"), 10), 10U);
    EXPECT_EQ(edge->drops(0, DropReason::kFlowLimit), before);
}

TEST_F(Limited, OddContactsAreCountedOnce) {
    const auto put = [&](const std::string& user, const std::string& host, unsigned cseq) {
        const Register request{.user = user,
                               .call_id = user,
                               .cseq = cseq,
                               .contact = "<sip:" + user + "@" + host + ">"};
        EXPECT_EQ(edge->ask(0, from(kNat, 2000), request.text()).size(), 1U);
    };
    put("1", "127.0.0.1", 1);
    put("1", "127.0.0.1", 2);
    put("2", "198.51.100.1", 1);
    put("3", "10.0.0.7", 1);
    const auto& odd = edge->counters(0).odd_contacts;
    EXPECT_EQ(odd[static_cast<std::size_t>(OddContact::kLoopback)].get(), 1U);
    EXPECT_EQ(odd[static_cast<std::size_t>(OddContact::kOurs)].get(), 1U);
    EXPECT_EQ(odd[static_cast<std::size_t>(OddContact::kMulticast)].get(), 0U);
}

}  // namespace
}  // namespace pinhole::edge::test
