// SPDX-License-Identifier: BSD-3-Clause
// A REGISTER at one worker: its answer, and what the table holds of it afterwards.
#include "tests/unit/edge/edge_scene.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace pinhole::edge::test {
namespace {

using testing::StartsWith;

class RegisterScene : public EdgeScene {
  public:
    void SetUp() override { lay(); }

    std::vector<Sent> ask(const Register& request, std::uint16_t port = 32947) {
        return edge->ask(0, from(kNat, port), request.text());
    }
    // Returns the first line of the only answer.
    std::string answer(const Register& request, std::uint16_t port = 32947) {
        const auto seen = ask(request, port);
        return seen.size() == 1 ? seen[0].text.substr(0, seen[0].text.find("\r\n")) : "";
    }
};

TEST_F(RegisterScene, IsAnsweredAndStored) {
    const auto seen = ask({});
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].flow, from(kNat, 32947));
    EXPECT_THAT(seen[0].text, StartsWith("SIP/2.0 200 OK\r\n"));
    EXPECT_TRUE(seen[0].has(";received=67.194.23.55;rport=32947"));
    EXPECT_TRUE(seen[0].has("Contact: <sip:100@192.168.1.10:5060>;expires=600\r\n"));
    EXPECT_EQ(contact("100").state.flow, from(kNat, 32947));
    EXPECT_EQ(edge->responses(0, 200), 1U);
    EXPECT_EQ(edge->counters(0).refreshed_in_place.get(), 0U);
}

TEST_F(RegisterScene, ByIpv6) {
    const net::Flow flow = from(address("2001:db8:7::10"), 5062);
    const auto seen = edge->ask(0, flow, Register{}.text());
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].flow, flow);
    EXPECT_EQ(seen[0].flow.ours, kEdgeAddress6);
    EXPECT_THAT(seen[0].text, StartsWith("SIP/2.0 200 OK\r\n"));
}

// RFC 5626 §6, RFC 3608 §6.3 and RFC 6223 §4.3 in one answer.
TEST_F(RegisterScene, Rfc5626_5_4_TellsAPhoneHowToKeepItsFlow) {
    lay({.policy = {.service_route = "<sip:edge.example.com;lr>", .flow_timer_s = 25}});
    Register request;
    request.contact += ";+sip.instance=\"<urn:uuid:1>\";reg-id=1";
    request.extra = "Supported: outbound\r\nUser-Agent: a phone with room for the answer\r\n";
    std::string text = request.text();
    text.insert(text.find(";rport"), ";keep");
    const auto seen = edge->ask(0, from(kNat, 32947), text);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_TRUE(seen[0].has("\r\nService-Route: <sip:edge.example.com;lr>\r\n")) << seen[0].text;
    EXPECT_TRUE(seen[0].has("\r\nRequire: outbound\r\nFlow-Timer: 25\r\n"));
    EXPECT_TRUE(seen[0].has(";keep=25;received="));
}

TEST_F(RegisterScene, ARefreshIsInPlaceAndARetransmissionIsKnown) {
    EXPECT_EQ(answer({}), "SIP/2.0 200 OK");
    const table::Record* before = record("100");
    edge->pass_s(10);
    EXPECT_EQ(answer({.cseq = 2}), "SIP/2.0 200 OK");
    EXPECT_EQ(edge->counters(0).refreshed_in_place.get(), 1U);
    EXPECT_EQ(record("100"), before) << "a refresh makes no other record";
    EXPECT_EQ(contact("100").state.cseq, 2U);
    const std::uint32_t until = contact("100").state.expires_at_s;

    edge->pass_s(10);
    const auto again = ask({.cseq = 2});
    ASSERT_EQ(again.size(), 1U);
    EXPECT_TRUE(again[0].has("expires=590")) << "what is left by now: " << again[0].text;
    EXPECT_EQ(contact("100").state.expires_at_s, until) << "a retransmission changes nothing";

    EXPECT_THAT(answer({.cseq = 1}), StartsWith("SIP/2.0 500 "));
    EXPECT_EQ(contact("100").state.cseq, 2U);
    EXPECT_EQ(contacts("100"), 1U);
}

TEST_F(RegisterScene, AContactMovesToTheNewMapping) {
    EXPECT_EQ(answer({}), "SIP/2.0 200 OK");
    EXPECT_EQ(answer({.cseq = 2}, 40000), "SIP/2.0 200 OK");
    EXPECT_EQ(contacts("100"), 1U);
    EXPECT_EQ(contact("100").state.flow, from(kNat, 40000));
}

TEST_F(RegisterScene, ThatCantBeAnsweredIsNotStored) {
    std::string text = Register{}.text();
    text.replace(text.find("SIP/2.0/UDP"), 11, "SIP_2.0_UDP");
    EXPECT_TRUE(edge->ask(0, from(kNat, 32947), text).empty());
    EXPECT_EQ(record("100"), nullptr) << "whole or not at all";
    EXPECT_EQ(edge->drops(0, DropReason::kMalformed), 1U);
}

TEST_F(RegisterScene, AFullTableRefusesNewcomersAlone) {
    lay({.max_contacts = 2});
    EXPECT_EQ(answer({.user = "1", .call_id = "a"}), "SIP/2.0 200 OK");
    EXPECT_EQ(answer({.user = "2", .call_id = "b"}), "SIP/2.0 200 OK");
    const auto refused = ask({.user = "3", .call_id = "c"});
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_THAT(refused[0].text, StartsWith("SIP/2.0 503 "));
    EXPECT_TRUE(refused[0].has("\r\nRetry-After: "));
    EXPECT_EQ(edge->counters(0).table_full.get(), 1U);
    EXPECT_EQ(answer({.user = "1", .call_id = "a", .cseq = 2}), "SIP/2.0 200 OK");
    EXPECT_EQ(answer({.user = "2", .call_id = "b", .cseq = 2, .expires = "0"}), "SIP/2.0 200 OK");
    EXPECT_EQ(answer({.user = "3", .call_id = "c", .cseq = 2}), "SIP/2.0 200 OK");
}

}  // namespace
}  // namespace pinhole::edge::test
