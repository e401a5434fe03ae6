// SPDX-License-Identifier: BSD-3-Clause
// Screening: a message that a rule turns away leaves no trace but its count.
#include "dataplane/screen/rule_file.h"
#include "dataplane/screen/rule_set.h"
#include "tests/unit/edge/edge_scene.h"

#include <gmock/gmock.h>

#include <vector>

namespace pinhole::edge::test {
namespace {

using testing::StartsWith;

const std::string kScanner = "User-Agent: friendly-scanner\r\n";

class Screened : public EdgeScene {
  public:
    void lay_rules(const std::string& text) {
        const screen::RuleFile file = screen::read_rules(text);
        screen::Complaints complaints;
        rules = screen::RuleSet::compile(file.rules, 1, complaints);
        ASSERT_TRUE(rules != nullptr && file.complaints.empty() && complaints.empty());
        lay();
        edge->screen_by(rules.get());
    }
    std::vector<Sent> ask(const std::string& text, const net::Address& sender = kNat,
                          std::uint16_t port = 32947) {
        return edge->ask(0, from(sender, port), text);
    }
    static std::string with(const std::string& method, const std::string& ruri,
                            const std::string& extra, const std::string& call_id = "c1") {
        return method + " " + ruri +
               " SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK" + call_id +
               ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:1@example.com>;tag=f\r\nTo: "
               "<sip:2@example.com>\r\nCall-ID: " +
               call_id + "\r\nCSeq: 1 " + method + "\r\n" + extra + "Content-Length: 0\r\n\r\n";
    }

    std::unique_ptr<screen::RuleSet> rules;
};

TEST_F(Screened, ARegisterThatIsDroppedMakesNoBinding) {
    lay_rules("user-agent /friendly-scanner/ drop scanner\n");
    EXPECT_TRUE(ask(Register{.extra = kScanner}.text()).empty());
    EXPECT_EQ(record("100"), nullptr);
    EXPECT_EQ(rules->hits(0), 1U);
    EXPECT_EQ(edge->drops(0, DropReason::kScreened), 1U);
    EXPECT_EQ(edge->counters(0).requests[0].get(), 1U) << "it is counted as received";

    const auto good = ask(Register{.extra = "User-Agent: Yealink\r\n"}.text());
    ASSERT_EQ(good.size(), 1U);
    EXPECT_THAT(good[0].text, StartsWith("SIP/2.0 200 "));
    EXPECT_EQ(contacts("100"), 1U);
    edge->screen_by(nullptr);
    EXPECT_EQ(ask(Register{.user = "101", .extra = kScanner}.text()).size(), 1U);
    EXPECT_EQ(rules->hits(0), 1U);
}

TEST_F(Screened, ARejectionIsAnAnswerOfOurs) {
    lay_rules("user-agent /friendly-scanner/ reject 488 scanner\n");
    const std::string request = with("OPTIONS", "sip:100@example.com", kScanner);
    const auto seen = ask(request);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_THAT(seen[0].text, StartsWith("SIP/2.0 488 "));
    EXPECT_TRUE(seen[0].has(";received=67.194.23.55;rport=32947"));
    EXPECT_LE((seen[0].text.size() + 28) * 2, (request.size() + 28) * 3);
    EXPECT_EQ(edge->responses(0, 488), 1U);

    EXPECT_TRUE(ask(with("ACK", "sip:100@example.com", kScanner)).empty());
    EXPECT_EQ(edge->drops(0, DropReason::kScreened), 1U);
    // A request without a usable Via can't be answered.
    std::string broken = request;
    broken.replace(broken.find("SIP/2.0/UDP"), 11, "SIP_2.0_UDP");
    EXPECT_TRUE(ask(broken).empty());
    EXPECT_EQ(edge->drops(0, DropReason::kScreened), 2U);
    EXPECT_EQ(rules->hits(0), 3U);
}

TEST_F(Screened, ATarpitIsSilentForTheCallIdOfThatSource) {
    lay_rules("user-agent /friendly-scanner/ tarpit scanner\n");
    const auto options = [](const std::string& extra, const std::string& call_id) {
        return with("OPTIONS", "sip:example.com", extra, call_id);
    };
    EXPECT_TRUE(ask(options(kScanner, "c1")).empty());
    EXPECT_TRUE(ask(options("", "c1")).empty()) << "the same Call-ID without the User-Agent";
    EXPECT_EQ(edge->drops(0, DropReason::kTarpit), 2U);
    EXPECT_EQ(rules->hits(0), 1U);
    EXPECT_EQ(ask(options("", "c2")).size(), 1U);
    EXPECT_EQ(ask(options("", "c1"), kNat, 32948).size(), 1U) << "another source";
    edge->pass_s(33);
    EXPECT_EQ(ask(options("", "c1")).size(), 1U);
}

TEST_F(Screened, ARuleThatCountsLetsPass) {
    lay_rules("user-agent /friendly-scanner/ count scanner\n");
    EXPECT_EQ(ask(Register{.extra = kScanner}.text()).size(), 1U);
    EXPECT_EQ(contacts("100"), 1U);
    EXPECT_EQ(rules->hits(0), 1U);
}

TEST_F(Screened, WhatCantBeParsedIsScreenedByRulesForAny) {
    lay_rules("any /xyzzy/ drop magic\nuser-agent /friendly/ drop scanner\n");
    EXPECT_TRUE(ask("xyzzy is no SIP").empty());
    EXPECT_EQ(edge->drops(0, DropReason::kScreened), 1U);
    EXPECT_EQ(edge->drops(0, DropReason::kNotSip), 0U);
    EXPECT_TRUE(ask("friendly is no SIP either").empty());
    EXPECT_EQ(edge->drops(0, DropReason::kNotSip), 1U);
    // A keepalive is not screened.
    EXPECT_TRUE(ask("\r\n\r\n").empty());
    EXPECT_EQ(edge->drops(0, DropReason::kKeepalive), 1U);
}

TEST_F(Screened, CorePeersResponsesAndEmergencyCallsAreNotScreened) {
    lay_rules("any /./s drop everything\n");
    EXPECT_EQ(ask(with("OPTIONS", "sip:example.com", kScanner), kCore, kSip).size(), 1U);
    EXPECT_EQ(rules->hits(0), 0U);
    EXPECT_TRUE(ask("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKx\r\nFrom: "
                    "<sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: r\r\nCSeq: 1 "
                    "OPTIONS\r\nContent-Length: 0\r\n\r\n")
                    .empty());
    EXPECT_EQ(edge->drops(0, DropReason::kBadResponse), 1U);
    EXPECT_EQ(rules->hits(0), 0U);
    (void)ask(with("INVITE", "urn:service:sos", "Contact: <sip:1@192.168.1.10>\r\n"));
    EXPECT_EQ(rules->hits(0), 0U);
    EXPECT_EQ(edge->drops(0, DropReason::kScreened), 0U);
    EXPECT_TRUE(ask(with("INVITE", "sip:2@example.com", "")).empty());
    EXPECT_EQ(rules->hits(0), 1U);
}

}  // namespace
}  // namespace pinhole::edge::test
