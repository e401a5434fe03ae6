// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/screen/rule_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pinhole::screen {
namespace {

using testing::HasSubstr;

TEST(RuleFile, ReadsRulesWithAllTheirParts) {
    const RuleFile file = read_rules(
        "# a comment\n\n  \t\nuser-agent /friendly-scanner/i drop friendly\r\n"
        "from,to\t/a \\/ b # c/ism reject 403 with_spaces  # why\n"
        "any /x/ tarpit t-1\nruri /y/ count c");
    ASSERT_TRUE(file.complaints.empty()) << file.complaints[0].text;
    ASSERT_EQ(file.rules.size(), 4U);
    EXPECT_EQ(file.rules[0].line, 4U);
    EXPECT_EQ(file.rules[0].pattern, "friendly-scanner");
    EXPECT_TRUE(file.rules[0].looks_at(Field::kUserAgent));
    EXPECT_FALSE(file.rules[0].looks_at(Field::kFrom));
    EXPECT_TRUE(file.rules[0].caseless);
    EXPECT_FALSE(file.rules[0].dot_all || file.rules[0].multiline);
    EXPECT_EQ(file.rules[0].action, Action::kDrop);
    EXPECT_EQ(file.rules[0].name, "friendly");
    EXPECT_EQ(file.rules[1].pattern, "a \\/ b # c");
    EXPECT_TRUE(file.rules[1].looks_at(Field::kFrom) && file.rules[1].looks_at(Field::kTo));
    EXPECT_TRUE(file.rules[1].dot_all && file.rules[1].multiline);
    EXPECT_EQ(file.rules[1].action, Action::kReject);
    EXPECT_EQ(file.rules[1].code, 403);
    EXPECT_EQ(file.rules[2].action, Action::kTarpit);
    EXPECT_EQ(file.rules[3].action, Action::kCountOnly);
    EXPECT_EQ(file.rules[3].line, 7U);
}

struct BadLine {
    const char* line;
    const char* says;
};
const BadLine kBadLines[] = {
    {"useragent /x/ drop n", "\"useragent\" is no field. There are: user-agent from to"},
    {"from, to /x/ drop n", "\"\" is no field"},
    {"from", "not followed by a /PATTERN/"},
    {"from x drop n", "not followed by a /PATTERN/"},
    {"from /x drop n", "no closing slash"},
    {"from /x\\/ drop n", "no closing slash"},
    {"from // drop n", "the pattern is empty"},
    {"from /x/g drop n", "\"g\" is no flag"},
    {"from /x/ dorp n", "\"dorp\" is no action"},
    {"from /x/", "\"\" is no action"},
    {"from /x/ reject n", "a status code from 400 to 699, not by \"n\""},
    {"from /x/ reject 200 n", "a status code from 400 to 699, not by \"200\""},
    {"from /x/ reject 403x n", "not by \"403x\""},
    {"from /x/ reject 401 n", "would have to bring a challenge"},
    {"from /x/ drop", "the name is missing"},
    {"from /x/ drop # n", "the name is missing"},
    {"from /x/ drop Name", "\"Name\" is no name"},
    {"from /x/ drop a\"b", "is no name"},
    {"from /x/ drop n more", "\"more\" stands behind the name"},
    {"from /\x01/ drop n", "control character"},
};

TEST(RuleFile, SaysWhatIsWrongOfEachLineAtOnce) {
    std::string text = "# all of them bad\n";
    for (const BadLine& bad : kBadLines) {
        text += std::string(bad.line) + "\n";
    }
    const RuleFile file = read_rules(text);
    ASSERT_EQ(file.complaints.size(), std::size(kBadLines));
    for (std::size_t i = 0; i < std::size(kBadLines); ++i) {
        EXPECT_EQ(file.complaints[i].line, i + 2);
        EXPECT_FALSE(file.complaints[i].is_warning);
        EXPECT_THAT(file.complaints[i].text, HasSubstr(kBadLines[i].says)) << kBadLines[i].line;
    }
    EXPECT_TRUE(file.rules.empty());
}

TEST(RuleFile, HasBounds) {
    const std::string longest(kMaxPatternBytes, 'x');
    EXPECT_TRUE(read_rules("from /" + longest + "/ drop n").complaints.empty());
    EXPECT_EQ(read_rules("from /" + longest + "x/ drop n").complaints.size(), 1U);
    const std::string name(kMaxNameBytes, 'n');
    EXPECT_TRUE(read_rules("from /x/ drop " + name).complaints.empty());
    EXPECT_EQ(read_rules("from /x/ drop " + name + "n").complaints.size(), 1U);

    std::string many;
    for (std::size_t i = 0; i < kMaxRules + 1; ++i) {
        many += "from /x/ drop n" + std::to_string(i) + "\n";
    }
    const RuleFile file = read_rules(many);
    EXPECT_EQ(file.rules.size(), kMaxRules);
    ASSERT_EQ(file.complaints.size(), 1U);
    EXPECT_EQ(file.complaints[0].line, kMaxRules + 1);
}

TEST(RuleFile, WantsEachNameOnce) {
    const RuleFile file = read_rules("from /x/ drop n\nto /y/ count n\n");
    ASSERT_EQ(file.complaints.size(), 1U);
    EXPECT_EQ(file.complaints[0].line, 2U);
    EXPECT_THAT(file.complaints[0].text, HasSubstr("line 1 already"));
}

}  // namespace
}  // namespace pinhole::screen
