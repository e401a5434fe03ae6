// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/screen/rule_set.h"

#include "tests/unit/screen/support.h"

#include <gmock/gmock.h>

namespace pinhole::screen {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const char* const kEachField =
    "user-agent /needle/ drop user-agent\nfrom /needle/ drop from\nto /needle/ drop to\n"
    "contact /needle/ drop contact\nruri /needle/ drop ruri\ncall-id /needle/ drop call-id\n"
    "any /xyzzy/ drop any\n";

struct FieldCase {
    const char* rule;  // that alone is hit
    Request request;
};

TEST(RuleSet, LooksAtEachFieldInLongAndCompactForm) {
    const auto set = compiled(kEachField);
    const FieldCase cases[] = {
        {"user-agent", {.more = "user-AGENT: a needle\r\n"}},
        {"user-agent", {.more = "User-Agent: first\r\nUser-Agent: needle\r\n"}},
        {"from", {.from = "From: \"needle\" <sip:100@example.com>;tag=f"}},
        {"from", {.from = "f: <sip:needle@example.com>;tag=f"}},
        {"to", {.to = "To: <sip:needle@example.com>"}},
        {"to", {.to = "t : <sip:needle@example.com>"}},
        {"contact", {.contact = "Contact: <sip:needle@192.168.1.10>"}},
        {"contact", {.contact = "m: <sip:needle@192.168.1.10>"}},
        {"contact", {.contact = "m: <sip:a@b>, <sip:needle@192.168.1.10>"}},
        {"contact", {.contact = "Contact: <sip:a@b>\r\nm: <sip:needle@b>"}},
        {"ruri", {.ruri = "sip:needle@example.com"}},
        {"call-id", {.call_id = "Call-ID: needle"}},
        {"call-id", {.call_id = "i: needle"}},
        {"any", {.more = "Subject: xyzzy\r\n"}},
    };
    for (const FieldCase& each : cases) {
        EXPECT_THAT(hit_by(*set, each.request.text()), ElementsAre(each.rule))
            << each.request.text();
    }
    EXPECT_THAT(hit_by(*set, Request{}.text()), IsEmpty());
    EXPECT_THAT(hit_by(*set, Request{.more = "Subject: needle\r\n"}.text()), IsEmpty());
}

TEST(RuleSet, ReadsAFoldedValueAsOneLine) {
    const auto set = compiled("user-agent /^a needle in hay$/ drop folded\n");
    EXPECT_THAT(hit_by(*set, Request{.more = "User-Agent: a\r\n \t needle\r\n in hay\r\n"}.text()),
                ElementsAre("folded"));
    EXPECT_THAT(hit_by(*set, Request{.more = "User-Agent: a needle in hay\r\n"}.text()),
                ElementsAre("folded"));
}

TEST(RuleSet, AsksRulesForAnyOfWhatCantBeParsed) {
    const auto set = compiled(kEachField);
    EXPECT_THAT(hit_by(*set, std::string_view("\0\x01 xyzzy", 8)), ElementsAre("any"));
    EXPECT_THAT(hit_by(*set, "REGISTER sip:needle SIP/2.0\r\nFrom: needle\r\n\r\n"), IsEmpty());
}

TEST(RuleSet, MindsFlags) {
    const auto set = compiled(
        "any /caseless/i count i\nany /Case/ count case\nany /^Subject: x$/m count m\n"
        "any /one.{1,2}two/s count s\nany /one.two/ count plain\n");
    EXPECT_THAT(hit_by(*set, "CASELESS"), ElementsAre("i"));
    EXPECT_THAT(hit_by(*set, "a\nSubject: x\nb"), ElementsAre("m"));
    EXPECT_THAT(hit_by(*set, "one\ntwo"), ElementsAre("s"));
    EXPECT_THAT(hit_by(*set, "one two"), ElementsAre("s", "plain"));
}

TEST(RuleSet, TheFirstInTheFileDecidesAndAllThatCountCount) {
    const auto set = compiled(
        "any /a/ count before\nany /b/ reject 480 first\nfrom /100/ drop second\n"
        "any /a/ count behind\n",
        2);
    const auto judged = [&](std::string_view text, unsigned worker) {
        sip::Message message;
        const bool good = sip::parse(text, message) == sip::ParseError::kOk;
        return set->judge(set->match(text, good ? &message : nullptr, worker), worker);
    };
    Verdict verdict = judged("a b", 0);
    EXPECT_EQ(verdict.action, Action::kReject);
    EXPECT_EQ(verdict.code, 480);
    verdict = judged(Request{}.text(), 1);  // has an a, a b and 100
    EXPECT_EQ(verdict.action, Action::kReject);
    verdict = judged("a", 1);
    EXPECT_TRUE(verdict.passes());
    EXPECT_TRUE(judged("x", 0).passes());
    EXPECT_EQ(set->hits(0), 3U);
    EXPECT_EQ(set->hits(1), 2U);
    EXPECT_EQ(set->hits(2), 0U) << "what did not decide did not happen";
    EXPECT_EQ(set->hits(3), 3U);
}

TEST(RuleSet, SharesADatabaseAmongFieldsOfTheSameRules) {
    EXPECT_EQ(
        compiled("from,to,contact /a/ drop a\nfrom,to,contact /b/ drop b\n")->database_count(), 1U);
    EXPECT_EQ(compiled("from,to /a/ drop a\nto /b/ drop b\n")->database_count(), 2U);
    EXPECT_EQ(compiled("")->database_count(), 0U);
    EXPECT_THAT(hit_by(*compiled(""), Request{}.text()), IsEmpty());
}

TEST(RuleSet, NamesEveryPatternThatHyperscanRefuses) {
    const RuleFile file = read_rules(
        "any /good/ drop a\nany /(unclosed/ drop b\nfrom /(a)\\1/ drop c\nto /x(?=y)/ drop d\n");
    ASSERT_TRUE(file.complaints.empty());
    Complaints complaints;
    EXPECT_EQ(RuleSet::compile(file.rules, 1, complaints), nullptr);
    ASSERT_EQ(complaints.size(), 3U);
    EXPECT_EQ(complaints[0].line, 2U);
    EXPECT_THAT(complaints[0].text, HasSubstr("Missing close parenthesis"));
    EXPECT_EQ(complaints[1].line, 3U);
    EXPECT_EQ(complaints[2].line, 4U);
}

TEST(RuleSet, WarnsOfWhatMatchesTheEmptyString) {
    const RuleFile file = read_rules("user-agent /x*/ count all\nuser-agent /^$/ count empty\n");
    Complaints complaints;
    const auto set = RuleSet::compile(file.rules, 1, complaints);
    ASSERT_NE(set, nullptr);
    ASSERT_EQ(complaints.size(), 2U);
    EXPECT_TRUE(complaints[0].is_warning && complaints[1].is_warning);
    EXPECT_THAT(complaints[0].text, HasSubstr("empty string"));
    EXPECT_THAT(hit_by(*set, Request{}.text()), ElementsAre("all"));
    EXPECT_THAT(hit_by(*set, Request{.more = "User-Agent:\r\n"}.text()),
                ElementsAre("all", "empty"));
}

}  // namespace
}  // namespace pinhole::screen
