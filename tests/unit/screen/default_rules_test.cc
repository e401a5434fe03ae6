// SPDX-License-Identifier: BSD-3-Clause
// conf/screen.rules against the field: every scanner is hit, and no phone.
#include "tests/unit/corpus/files.h"
#include "tests/unit/screen/support.h"
#include "tests/unit/sip/samples.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

namespace pinhole::screen {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> out;
    for (std::string line; std::getline(file, line);) {
        if (!line.empty() && line.front() != '#') {
            out.push_back(line);
        }
    }
    return out;
}

std::unique_ptr<RuleSet> default_rules() {
    std::ifstream file(std::string(PINHOLE_CONF_DIR) + "/screen.rules");
    std::stringstream text;
    text << file.rdbuf();
    return compiled(text.str());
}

std::string with_user_agent(const std::string& value) {
    return Request{.more = "User-Agent: " + value + "\r\n"}.text();
}

TEST(DefaultRules, HitNoPhone) {
    const auto set = default_rules();
    const auto phones = lines_of(std::string(PINHOLE_HERE) + "/phones.txt");
    EXPECT_GE(phones.size(), 60U);
    for (const std::string& phone : phones) {
        EXPECT_THAT(hit_by(*set, with_user_agent(phone)), IsEmpty()) << phone;
    }
}

// Whole REGISTERs, with all that phones put into the other fields.
TEST(DefaultRules, HitNoPhonesRegister) {
    const auto set = default_rules();
    for (const std::string& phone : corpus::messages_in("phones")) {
        EXPECT_THAT(hit_by(*set, corpus::read_message("phones", phone)), IsEmpty()) << phone;
    }
}

TEST(DefaultRules, HitEveryScanner) {
    const auto set = default_rules();
    for (const std::string& line : lines_of(std::string(PINHOLE_HERE) + "/scanners.txt")) {
        const std::size_t space = line.find(' ');
        const auto hits = hit_by(*set, with_user_agent(line.substr(space + 1)));
        EXPECT_THAT(hits, Contains(line.substr(0, space))) << line;
    }
}

TEST(DefaultRules, OnlyCountSipsak) {
    const auto set = default_rules();
    const std::string text = with_user_agent("sipsak 0.9.7pre");
    EXPECT_TRUE(set->judge(set->match(text, nullptr, 0), 0).passes());
    sip::Message message;
    ASSERT_EQ(sip::parse(text, message), sip::ParseError::kOk);
    EXPECT_TRUE(set->judge(set->match(text, &message, 0), 0).passes());
}

TEST(DefaultRules, HitInjectedSql) {
    const auto set = default_rules();
    for (const char* user :
         {"100' or '1'='1", "a'%20or%20'x'='x", "%27%20OR%201%3d1--", "a';drop table x", "1'--",
          "x%27%20%23", "1 UNION ALL SELECT 1", "a%20union%20select%20b,c", "1'; exec xp_cmdshell",
          "a' and sleep(5)", "x;waitfor delay '0:0:5'"}) {
        const std::string from = std::string("From: \"") + user + "\" <sip:100@example.com>;tag=f";
        EXPECT_THAT(hit_by(*set, Request{.from = from}.text()), testing::Not(IsEmpty())) << user;
    }
    EXPECT_THAT(hit_by(*set, Request{.ruri = "sip:'%20or%201=1@example.com"}.text()),
                ElementsAre("sql-tautology"));
}

TEST(DefaultRules, HitSmuggledLineEnds) {
    const auto set = default_rules();
    const auto smuggled = ElementsAre("smuggled-line-end");
    EXPECT_THAT(hit_by(*set, Request{.ruri = "sip:a%0d%0aVia:x@example.com"}.text()), smuggled);
    EXPECT_THAT(hit_by(*set, Request{.from = "f: <sip:a%0Ab@example.com>;tag=f"}.text()), smuggled);
    EXPECT_THAT(hit_by(*set, Request{.contact = "m: <sip:a%00@b>"}.text()), smuggled);
    std::string to = "To: <sip:a@example.com>";
    to[9] = '\0';
    EXPECT_THAT(hit_by(*set, Request{.to = to}.text()), smuggled);
    std::string agent = "User-Agent: a b\r\n";
    agent[13] = '\0';
    EXPECT_THAT(hit_by(*set, Request{.more = agent}.text()), ElementsAre("smuggled-user-agent"));
}

TEST(DefaultRules, LetRealMessagesPass) {
    const auto set = default_rules();
    EXPECT_THAT(hit_by(*set, sip::samples::kYealinkRegister), IsEmpty());
    EXPECT_THAT(hit_by(*set, sip::samples::kTortuousInvite), IsEmpty());
    const Request real[] = {
        {.from = "From: \"Conan O'Brien\" <sip:o'brien@example.com>;tag=1"},
        {.from = "From: \"Smith & O'Neil and Sons; Select Ltd\" <sip:200@example.com>;tag=1"},
        {.from = "From: \"M\xc3\xbcller - B\xc3\xbcro\" "
                 "<sip:m%C3%BCller@example.com;user=phone>;tag=1"},
        {.from = "From: \"Credit Union Select\" <sip:union@example.com>;tag=1"},
        {.to = "To: \"Drop-in and Update centre\" <sip:update--me@example.com>"},
        {.contact = "Contact: <sip:8f3e%40example.com@10.0.0.2:49152;transport=udp;ob>;q=0.5"},
        {.contact = "Contact: <sip:100@192.168.1.10:5060;line=1d3f>;+sip.instance=\"<urn:uuid:"
                    "00000000-0000-1000-8000-0004132a3b4c>\";+sip.ice;reg-id=1;expires=3600"},
        {.contact =
             "Contact: \"Anna's phone\" <sip:anna@10.0.0.2>;methods=\"INVITE,UPDATE,OPTIONS\";"
             "+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel\""},
        {.from = "From: \"Hotel C\xc3\xb4te d'Or\" <sip:1@example.com>;tag=1",
         .to = "To: <sip:1@example.com>"},
        {.ruri = "sip:%2349*30@example.com;user=phone"},
    };
    for (const Request& request : real) {
        EXPECT_THAT(hit_by(*set, request.text()), IsEmpty()) << request.text();
    }
}

}  // namespace
}  // namespace pinhole::screen
