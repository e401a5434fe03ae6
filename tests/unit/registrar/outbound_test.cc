// SPDX-License-Identifier: BSD-3-Clause
// RFC 5626 §6 and RFC 3608 as a REGISTER and its 200 meet them: which flow is registered, and what
// the phone is told beside its contacts.
#include "dataplane/registrar/answer.h"
#include "tests/unit/registrar/request_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinhole::registrar {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kFlow1 = "<sip:a@h1>;+sip.instance=\"<urn:uuid:1>\";reg-id=1";

RequestText request(std::vector<std::string> contacts, std::string extra = "") {
    RequestText text;
    text.contacts = std::move(contacts);
    text.extra = std::move(extra);
    return text;
}

std::string headers(const RequestText& text, const RegistrarPolicy& policy) {
    const auto got = read(text, policy);
    EXPECT_EQ(got->verdict, Verdict::kOk);
    std::array<char, kMaxOkHeaders> room;
    sip::Writer out(room.data(), room.size());
    write_ok_headers(got->request, policy, out);
    EXPECT_FALSE(out.overflow());
    return std::string(out.view());
}

RegistrarPolicy policy(std::string service_route = "") {
    RegistrarPolicy made;
    made.service_route = std::move(service_route);
    made.flow_timer_s = 25;
    return made;
}

TEST(Outbound, Rfc5626_6_TheAnswerSaysThatItWasDone) {
    constexpr const char* kTold = "Require: outbound\r\nFlow-Timer: 25\r\n";
    EXPECT_EQ(headers(request({kFlow1}, "Supported: path, Outbound\r\n"), policy()), kTold);
    EXPECT_EQ(headers(request({kFlow1}, "Require: outbound\r\n"), policy()), kTold);
    EXPECT_EQ(headers(request({kFlow1}), policy()), "") << "a phone that doesn't know it";
    const std::string supported = "Supported: outbound\r\n";
    EXPECT_EQ(headers(request({"<sip:a@h1>"}, supported), policy()), "");
    EXPECT_EQ(headers(request({"<sip:a@h1>;reg-id=1"}, supported), policy()), "");
    EXPECT_EQ(
        headers(request({"<sip:a@h1>;+sip.instance=\"<urn:1>\";reg-id=0"}, supported), policy()),
        "");
    EXPECT_EQ(headers(request({std::string(kFlow1) + ";expires=0"}, supported), policy()), "");
}

TEST(Outbound, Rfc5626_6_RegIdWithoutInstanceIsIgnored) {
    const auto got = read(request({"<sip:a@h1>;reg-id=3"}));
    ASSERT_EQ(got->verdict, Verdict::kOk);
    EXPECT_EQ(got->request.contacts[0].reg_id, 0U);
    EXPECT_EQ(got->request.contacts[0].params, ";reg-id=3") << "but echoed";
}

TEST(Outbound, Rfc5626_6_OneFlowARequest) {
    const std::string flow2 = "<sip:a@h2>;+sip.instance=\"<urn:uuid:1>\";reg-id=2";
    EXPECT_EQ(read(request({kFlow1, flow2}))->verdict, Verdict::kSeveralFlows);
    EXPECT_EQ(read(request({"<sip:a@h2>", kFlow1}))->verdict, Verdict::kSeveralFlows);
    EXPECT_EQ(status_of(Verdict::kSeveralFlows), 400U);
    EXPECT_EQ(read(request({kFlow1, flow2 + ";expires=0"}))->verdict, Verdict::kOk)
        << "one comes, one goes";
    EXPECT_EQ(read(request({"<sip:a@h1>", "<sip:a@h2>"}))->verdict, Verdict::kOk);
}

// Without outbound it is a REGISTER like any other, and so the phone tries next.
TEST(Outbound, Rfc5626_6_AProxyOnTheWayGets439) {
    const std::string via = "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK2\r\n";
    const auto got = read(request({kFlow1}, via + "Supported: outbound\r\n"));
    EXPECT_EQ(got->verdict, Verdict::kForeignFirstHop);
    EXPECT_EQ(status_of(got->verdict), 439U);
    EXPECT_EQ(read(request({kFlow1}, via))->verdict, Verdict::kOk);
    EXPECT_EQ(read(request({"<sip:a@h1>"}, via + "Supported: outbound\r\n"))->verdict,
              Verdict::kOk);
}

TEST(Outbound, Rfc3261_8_2_2_3_OnlyWhatIsMissingIsUnsupported) {
    const auto got = read(request({kFlow1}, "Require: outbound, precondition, path\r\n"));
    ASSERT_EQ(got->verdict, Verdict::kBadExtension);
    std::array<char, 2000> room;
    sip::Writer out(room.data(), room.size());
    ASSERT_EQ(write_refusal(got->message, got->verdict, policy(), 0,
                            {{net::Address::v4(kHome), 32947, true}, "t", {}}, out),
              Answered::kWritten);
    EXPECT_THAT(std::string(out.view()), HasSubstr("\r\nUnsupported: precondition, path\r\n"));
}

TEST(ServiceRoute, Rfc3608_6_3_IsToldWithTheContacts) {
    const RegistrarPolicy told = policy("<sip:edge.example.com;lr>, <sip:core.example.com;lr>");
    const std::string lines = headers(request({"<sip:a@h1>"}), told);
    EXPECT_EQ(lines, "Service-Route: <sip:edge.example.com;lr>, <sip:core.example.com;lr>\r\n");
    const auto got = read(request({"<sip:a@h1>"}), told);
    std::array<char, 4000> room;
    AnswerContext context{{net::Address::v4(kHome), 32947, true}, "t", {}};
    context.headers = lines;
    const auto answer = [&] {
        sip::Writer out(room.data(), room.size());
        EXPECT_EQ(write_ok(got->message, nullptr, context, out), Answered::kWritten);
        return std::string(out.view());
    };
    const std::string whole = answer();
    EXPECT_THAT(whole, HasSubstr("\r\n" + lines));
    context.limit = whole.size() - 1;
    EXPECT_THAT(answer(), Not(HasSubstr("Service-Route"))) << "left out whole";
    context.limit = whole.size();
    EXPECT_EQ(answer(), whole);
}

}  // namespace
}  // namespace pinhole::registrar
