// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/registrar/register_request.h"

#include "tests/unit/registrar/request_text.h"

#include <gtest/gtest.h>

namespace pinhole::registrar {
namespace {

struct Case {
    const char* name;
    RequestText text;
    Verdict verdict;
};

class Verdicts : public testing::TestWithParam<Case> {};

TEST_P(Verdicts, Rfc3261_10_3_AreAsTheRfcAsks) {
    EXPECT_EQ(read(GetParam().text)->verdict, GetParam().verdict);
}

RequestText with(void (*change)(RequestText&)) {
    RequestText text;
    change(text);
    return text;
}

INSTANTIATE_TEST_SUITE_P(
    Requests, Verdicts,
    testing::Values(
        Case{"Plain", {}, Verdict::kOk},
        Case{"ToOurAddress", with([](RequestText& r) { r.request_uri = "sip:198.51.100.1"; }),
             Verdict::kOk},
        Case{"ForeignRequestUri", with([](RequestText& r) { r.request_uri = "sip:example.net"; }),
             Verdict::kNotOurDomain},
        Case{"ForeignTo", with([](RequestText& r) { r.to = "<sip:alice@example.net>"; }),
             Verdict::kNotOurDomain},
        Case{"TelTo", with([](RequestText& r) { r.to = "<tel:+4930123>"; }), Verdict::kBadTo},
        Case{"ToWithoutUser", with([](RequestText& r) { r.to = "<sip:example.com>"; }),
             Verdict::kBadTo},
        Case{"BrokenRequestUri", with([](RequestText& r) { r.request_uri = "sip:"; }),
             Verdict::kBadRequestUri},
        Case{"ControlCharacterInAParameter",
             with([](RequestText& r) { r.contacts = {"<sip:a@h>;x=\"a\x01z\""}; }),
             Verdict::kBadContact},
        Case{"HeadersInTheRequestUri",
             with([](RequestText& r) { r.request_uri = "sip:example.com?Route=%3Csip:a%3E"; }),
             Verdict::kBadRequestUri},
        Case{"Fetch", with([](RequestText& r) { r.contacts.clear(); }), Verdict::kOk},
        Case{"BrokenContact", with([](RequestText& r) { r.contacts = {"<sip:alice"}; }),
             Verdict::kBadContact},
        Case{"EmptyContact", with([](RequestText& r) { r.contacts = {""}; }), Verdict::kBadContact},
        Case{"TelContact", with([](RequestText& r) { r.contacts = {"<tel:+4930123>"}; }),
             Verdict::kBadContact},
        Case{"Require", with([](RequestText& r) { r.extra = "Require: precondition\r\n"; }),
             Verdict::kBadExtension},
        Case{"RequireOfNothing", with([](RequestText& r) { r.extra = "Require: \r\n"; }),
             Verdict::kOk},
        Case{"RequireInTheSecond",
             with([](RequestText& r) { r.extra = "Require:\r\nRequire: precondition\r\n"; }),
             Verdict::kBadExtension},
        Case{"BrokenFrom", with([](RequestText& r) { r.from = "<sip:alice@example.com"; }),
             Verdict::kBadFrom},
        Case{"FromWithoutTag", with([](RequestText& r) { r.from = "sip:alice@example.net"; }),
             Verdict::kOk},
        Case{"Star", with([](RequestText& r) { r.contacts = {"*"}, r.extra = "Expires: 0\r\n"; }),
             Verdict::kOk},
        Case{"StarWithoutExpires", with([](RequestText& r) { r.contacts = {"*"}; }),
             Verdict::kBadStar},
        Case{"StarWithTime",
             with([](RequestText& r) { r.contacts = {"*"}, r.extra = "Expires: 60\r\n"; }),
             Verdict::kBadStar},
        Case{"StarWithOther", with([](RequestText& r) {
                 r.contacts = {"*", "<sip:a@b>"}, r.extra = "Expires: 0\r\n";
             }),
             Verdict::kBadStar},
        Case{"OtherWithStar", with([](RequestText& r) {
                 r.contacts = {"<sip:a@b>", "*"}, r.extra = "Expires: 0\r\n";
             }),
             Verdict::kBadStar},
        Case{"TooBriefByHeader", with([](RequestText& r) { r.extra = "Expires: 30\r\n"; }),
             Verdict::kTooBrief},
        Case{"TooBriefByParameter",
             with([](RequestText& r) { r.contacts = {"<sip:a@b>;expires=59"}; }),
             Verdict::kTooBrief},
        Case{"ParameterBeforeHeader", with([](RequestText& r) {
                 r.contacts = {"<sip:a@b>;expires=60"}, r.extra = "Expires: 1\r\n";
             }),
             Verdict::kOk},
        Case{"LongUri", with([](RequestText& r) {
                 r.contacts = {"<sip:" + std::string(600, 'a') + "@192.168.1.10>"};
             }),
             Verdict::kTextTooLong},
        Case{"LongParameters",
             with([](RequestText& r) { r.contacts = {"<sip:a@b>;x=" + std::string(600, 'a')}; }),
             Verdict::kTextTooLong},
        Case{"SeventeenContacts", with([](RequestText& r) {
                 r.contacts.clear();
                 for (int i = 0; i < 17; ++i) {
                     r.contacts.push_back("<sip:a" + std::to_string(i) + "@b>");
                 }
             }),
             Verdict::kTooManyContacts}),
    [](const testing::TestParamInfo<Case>& each) { return std::string(each.param.name); });

TEST(ReadRegister, Rfc3261_10_3_CanonicalAorWithEscapesAndCase) {
    RequestText text;
    text.to = "\"Alice, A.\" <sip:%61lice@EXAMPLE.com:5060;user=phone>";
    const auto made = read(text);
    ASSERT_EQ(made->verdict, Verdict::kOk);
    EXPECT_EQ(made->whose.aor, "alice@example.com");
    EXPECT_EQ(made->whose.aor_hash, test_hash()("alice@example.com"));
}

TEST(ReadRegister, Rfc3261_20_10_KeepsOtherParametersOnly) {
    RequestText text;
    text.contacts = {"<sip:a@b>;q=0.5;+sip.instance=\"<urn:uuid:1>\";expires=120;reg-id=2;ob"};
    const auto made = read(text);
    ASSERT_EQ(made->verdict, Verdict::kOk);
    const RequestedContact& contact = made->request.contacts[0];
    EXPECT_EQ(contact.params, ";+sip.instance=\"<urn:uuid:1>\";reg-id=2;ob");
    EXPECT_EQ(contact.instance, "<urn:uuid:1>");
    EXPECT_GE(contact.instance.data(), contact.params.data());
    EXPECT_EQ(contact.reg_id, 2U);
    EXPECT_EQ(contact.q, 500);
    EXPECT_EQ(contact.expires_s, 120U);
}

TEST(ReadRegister, FoldsInParametersDoNotSurvive) {
    RequestText text;
    text.contacts = {"<sip:a@b>;x=\"one\r\n two\";y"};
    const auto made = read(text);
    ASSERT_EQ(made->verdict, Verdict::kOk);
    EXPECT_EQ(made->request.contacts[0].params.find_first_of("\r\n"), std::string_view::npos);
}

TEST(ReadRegister, Rfc3261_20_10_SeveralContactsInOneHeaderAndInSeveral) {
    RequestText text;
    text.contacts = {"<sip:a@b>, \"x,y\" <sip:c@d>;q=0.1", "sip:e@f;expires=0"};
    const auto made = read(text);
    ASSERT_EQ(made->verdict, Verdict::kOk);
    ASSERT_EQ(made->request.count, 3);
    EXPECT_EQ(made->request.contacts[1].uri, "sip:c@d");
    EXPECT_EQ(made->request.contacts[2].uri, "sip:e@f");
    EXPECT_EQ(made->request.contacts[2].expires_s, 0U);
}

TEST(ReadRegister, Rfc3261_19_1_4_OneContactMayBeTheSameAsSeveral) {
    RequestText text;
    text.contacts = {"<sip:a@h;x=1>", "<sip:b@h>", "<sip:a@h;x=2>", "<sip:a@h;y=1>", "<sip:c@h>"};
    const auto made = read(text);
    ASSERT_EQ(made->verdict, Verdict::kOk);
    ASSERT_EQ(made->request.count, 3U);
    EXPECT_EQ(made->request.contacts[0].uri, "sip:a@h;y=1");
    EXPECT_EQ(made->request.contacts[1].uri, "sip:b@h");
    EXPECT_EQ(made->request.contacts[2].uri, "sip:c@h");
}

TEST(ReadRegister, Rfc3261_10_3_TheLaterOfTwoEqualContactsCounts) {
    RequestText text;
    text.contacts = {"<sip:a@b>;expires=100", "<sip:a@B>;expires=200"};
    const auto made = read(text);
    ASSERT_EQ(made->request.count, 1);
    EXPECT_EQ(made->request.contacts[0].expires_s, 200U);
}

TEST(ReadRegister, Rfc3261_10_3_LifetimesWithinThePolicy) {
    RegistrarPolicy policy;
    policy.too_brief = TooBrief::kRaise;
    const auto granted = [&](const std::string& expires) {
        RequestText text;
        text.extra = expires.empty() ? "" : "Expires: " + expires + "\r\n";
        const auto made = read(text, policy);
        EXPECT_EQ(made->verdict, Verdict::kOk);
        return made->request.contacts[0].expires_s;
    };
    EXPECT_EQ(granted(""), 3600U);
    EXPECT_EQ(granted("1"), 60U);
    EXPECT_EQ(granted("60"), 60U);
    EXPECT_EQ(granted("7200"), 7200U);
    EXPECT_EQ(granted("99999999999"), 7200U);
    EXPECT_EQ(granted("soon"), 3600U);  // RFC 3261 §20.19: malformed is as if absent
    EXPECT_EQ(granted("0"), 0U);
}

TEST(ReadRegister, SpreadLifetimesStayWithinWhatWasAsked) {
    const RegistrarPolicy policy{
        .min_expires_s = 60, .max_expires_s = 7200, .expires_spread_percent = 20};
    std::uint32_t least = 7200;
    std::uint32_t most = 0;
    double sum = 0;
    for (unsigned i = 0; i < 1000; ++i) {
        RequestText text{.call_id = "call-" + std::to_string(i % 100), .cseq = 1 + i / 100};
        text.extra = "Expires: 3600\r\n";
        const auto one = read(text, policy);
        ASSERT_EQ(one->verdict, Verdict::kOk);
        const std::uint32_t granted = one->request.contacts[0].expires_s;
        EXPECT_EQ(read(text, policy)->request.contacts[0].expires_s, granted) << "retransmitted";
        least = std::min(least, granted);
        most = std::max(most, granted);
        sum += granted;
    }
    EXPECT_GE(least, 2880u);
    EXPECT_LE(least, 2900u);
    EXPECT_LE(most, 3600u);
    EXPECT_GE(most, 3580u);
    EXPECT_NEAR(sum / 1000, 3240, 30);
}

TEST(ReadRegister, SpreadLifetimesKeepToTheMinimumAndRemoveNobody) {
    const RegistrarPolicy policy{
        .min_expires_s = 60, .max_expires_s = 7200, .expires_spread_percent = 50};
    for (unsigned i = 0; i < 200; ++i) {
        RequestText text{.cseq = 1 + i};
        text.extra = "Expires: 70\r\n";
        EXPECT_GE(read(text, policy)->request.contacts[0].expires_s, 60u);
        text.extra = "Expires: 0\r\n";
        EXPECT_EQ(read(text, policy)->request.contacts[0].expires_s, 0u);
    }
}

}  // namespace
}  // namespace pinhole::registrar
