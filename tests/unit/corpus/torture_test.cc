// SPDX-License-Identifier: BSD-3-Clause
// The torture messages of RFC 4475 and RFC 5118, every one, against what those RFCs ask of who
// receives them. Where they leave a choice, the row says which we took. A proxy passes on what it
// need not understand: then what is left to the phone or the core is checked to have passed as it
// came.
#include "dataplane/route/answer.h"
#include "tests/unit/corpus/edge.h"
#include "tests/unit/corpus/files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pinhole::corpus {
namespace {

using route::Sent;

enum class By { kPhone, kCore, kStranger, kCalledPhone };

constexpr unsigned kForwarded = 0;
constexpr unsigned kDropped = 1;

struct Case {
    const char* clause;
    const char* name;
    By by;
    unsigned reaction;  // kForwarded, kDropped or the code of our answer
    std::vector<std::string_view> has = {};
    std::vector<std::string_view> has_not = {};
};

// An edge with what the messages of both RFCs name as theirs, and those that they call.
class Tortured : public Edge {
  public:
    Tortured() {
        identity.add_local(route::address("2001:db8::10"), 5060);
        identity.add_local(route::address("2001:db8::10"), 5070);
        identity.add_local(route::address("2001:db8::10:5070"), 5060);
        identity.add_local(route::address("2001:db8::192.0.2.1"), 5060);
        add({});
        for (const char* user :
             {"user", "t.watson", "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"}) {
            add({.aor = std::string(user) + "@example.com",
                 .uri = "sip:called@10.1.1.1",
                 .flow = phone_flow(40001)});
        }
    }

    Sent play(const std::string& message, By by) {
        switch (by) {
            case By::kPhone:
                return take(message, phone_flow());
            case By::kCore:
                return take(message, peers[0].flow);
            case By::kStranger:
                return take(message, stranger_flow());
            case By::kCalledPhone:
                break;
        }
        return take(as_answer(message), phone_flow());
    }

  private:
    // The response with the Vias of a call that we have forwarded to the phone.
    std::string as_answer(const std::string& response) {
        std::string vias;
        for (const std::string& via : from_core(route::kInvite).values(sip::HeaderId::kVia)) {
            vias += "Via: " + via + "\r\n";
        }
        std::string out = response;
        const std::size_t first = out.find("\r\n") + 2;
        for (std::size_t at = first; (at = out.find("\r\nVia:", first - 2)) < out.size();) {
            out.erase(at + 2, out.find("\r\n", at + 2) - at);
        }
        return out.insert(first, vias);
    }
};

const std::vector<Case>& rfc4475() {
    static const std::vector<Case> cases{
        // --- valid messages ---
        {"3.1.1.1",
         "wsinv",
         By::kPhone,
         kForwarded,
         {"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n",
          "Max-Forwards: 67\r\n",
          "from: \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com> ; tag = 98asjd8\r\n",
          "UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n",
          "NewFangledHeader: newfangled value continued newfangled value\r\n"}},
        {"3.1.1.2",
         "intmeth",
         By::kCore,
         kForwarded,
         {"!interesting-Method0123456789_*+`.%indeed'~ sip:called@10.1.1.1 SIP/2.0\r\n",
          "Max-Forwards: 254\r\n", "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n"}},
        {"3.1.1.3",
         "esc01",
         By::kPhone,
         kForwarded,
         {"INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\r\n"}},
        {"3.1.1.4",
         "escnull",
         By::kStranger,
         200,
         {"Contact: <sip:%00@host5.example.com>;", "Contact: <sip:%00%00@host5.example.com>;"}},
        // RE%47IST%45R is no REGISTER, C%6Fntact no Contact: nothing is unescaped there.
        {"3.1.1.5",
         "esc02",
         By::kPhone,
         kForwarded,
         {"RE%47IST%45R sip:registrar.example.com SIP/2.0\r\n", "C%6Fntact: "}},
        {"3.1.1.6", "lwsdisp", By::kCore, kForwarded, {"From: caller<sip:caller@example.com>;"}},
        {"3.1.1.7", "longreq", By::kCore, kForwarded, {"V  : SIP/2.0/TCP sip20.example.com\r\n"}},
        // What lies behind the first message is no second one.
        {"3.1.1.8",
         "dblreq",
         By::kStranger,
         200,
         {"CSeq: 8 REGISTER\r\n", "<sip:j.user@host.example.com>"},
         {"INVITE"}},
        {"3.1.1.9",
         "semiuri",
         By::kPhone,
         kForwarded,
         {"OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\r\n"}},
        {"3.1.1.10",
         "transports",
         By::kCore,
         kForwarded,
         {"Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en\r\n"}},
        {"3.1.1.11", "mpart01", By::kPhone, kForwarded, {"--7a9cbec02ceef655--"}},
        {"3.1.1.12", "unreason", By::kCalledPhone, kForwarded, {"SIP/2.0 200 = 2**3 * 5**2 "}},
        {"3.1.1.13", "noreason", By::kCalledPhone, kForwarded, {"SIP/2.0 100 \r\n"}},
        // --- invalid messages ---
        {"3.1.2.1", "badinv01", By::kCore, 400},
        {"3.1.2.2", "clerr", By::kCore, 400},
        {"3.1.2.3", "ncl", By::kCore, 400},
        {"3.1.2.4", "scalar02", By::kStranger, 400},
        {"3.1.2.5", "scalarlg", By::kCalledPhone, kDropped},
        {"3.1.2.6", "quotbal", By::kCore, 400},
        {"3.1.2.7", "ltgtruri", By::kCore, 400},
        {"3.1.2.8", "lwsruri", By::kCore, 400},
        {"3.1.2.9", "lwsstart", By::kCore, 400},
        {"3.1.2.10", "trws", By::kCore, 400},
        {"3.1.2.11", "escruri", By::kCore, 400},
        // A proxy has no need of the Date: who does may refuse.
        {"3.1.2.12", "baddate", By::kCore, kForwarded, {"Date: Fri, 01 Jan 2010 16:00:00 EST\r\n"}},
        {"3.1.2.13", "regbadct", By::kStranger, 400},
        // The spaces within <> and the display name's comma cannot be misread: let through.
        {"3.1.2.14", "badaspec", By::kPhone, kForwarded, {"< sip:t.watson@example.org >"}},
        {"3.1.2.15", "baddn", By::kPhone, kForwarded, {"Bell, Alexander <sip:a.g.bell@"}},
        {"3.1.2.16", "badvers", By::kStranger, 505},
        {"3.1.2.17", "mismatch01", By::kCore, 400},
        {"3.1.2.18", "mismatch02", By::kCore, 400},
        {"3.1.2.19", "bigcode", By::kCalledPhone, kDropped},
        // --- transactions ---
        {"3.2.1", "badbranch", By::kCore, kForwarded, {"branch=z9hG4bK;"}, {}},
        // --- applications ---
        // "Ideally" 400: but an answer without From, To and Call-ID would be no SIP message.
        {"3.3.1", "insuf", By::kCore, kDropped},
        {"3.3.2", "unkscm", By::kCore, 416},
        {"3.3.3", "novelsc", By::kCore, 416},
        {"3.3.4", "unksm2", By::kStranger, 400},
        {"3.3.5",
         "bext01",
         By::kCore,
         420,
         {"Unsupported: noProxiesSupportThis, norDoAnyProxiesSupportThis\r\n"},
         {"nothingSupportsThis"}},
        {"3.3.6", "invut", By::kCore, kForwarded, {"<pcmu port=\"443\"/>"}},
        // As one without credentials.
        {"3.3.7", "regaut01", By::kStranger, 200},
        {"3.3.8", "multi01", By::kCore, 400},
        {"3.3.9", "mcl01", By::kCore, 400},
        {"3.3.10", "bcast", By::kStranger, kDropped},
        // RFC 3261 §16.3 step 3 lets an OPTIONS be answered where it ends.
        {"3.3.11", "zeromf", By::kCore, 200},
        {"3.3.12",
         "cparam01",
         By::kStranger,
         200,
         {"Contact: <sip:+19725552222@gw1.example.net>;unknownparam;"}},
        {"3.3.13",
         "cparam02",
         By::kStranger,
         200,
         {"Contact: <sip:+19725552222@gw1.example.net;unknownparam>;"}},
        {"3.3.14",
         "regescrt",
         By::kStranger,
         200,
         {"Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>;"}},
        {"3.3.15", "sdp01", By::kCore, kForwarded, {"Accept: text/nobodyKnowsThis\r\n"}},
        // --- RFC 2543 ---
        {"3.4.1", "inv2543", By::kPhone, kForwarded, {"Via: SIP/2.0/UDP iftgw.example.com;"}},
    };
    return cases;
}

const std::vector<Case>& rfc5118() {
    static const std::vector<Case> cases{
        {"4.1", "ipv6-good", By::kStranger, 200, {"Contact: <sip:caller@[2001:db8::1]>;"}},
        {"4.2", "ipv6-bad", By::kStranger, 400},
        // That is an address of eight groups and no port: another registrar than the next.
        {"4.3", "port-ambiguous", By::kStranger, 200},
        {"4.4", "port-unambiguous", By::kStranger, 200},
        {"4.5", "via-received-param-with-delim", By::kStranger, 405},
        {"4.5", "via-received-param-no-delim", By::kStranger, 200},
        {"4.6", "ipv6-in-sdp", By::kCore, kForwarded, {"c=IN IP6 2001:db8::20\r\n"}},
        {"4.7",
         "mult-ip-in-header",
         By::kPhone,
         kForwarded,
         {"Via: SIP/2.0/UDP [2001:db8::9:1]:6050;", "Via: SIP/2.0/UDP 192.0.2.1;",
          "Via: SIP/2.0/TCP [2001:db8::9:255];"}},
        {"4.8", "mult-ip-in-sdp", By::kCore, kForwarded, {"c=IN IP6 2001:db8::1\r\n"}},
        {"4.9",
         "ipv4-mapped-ipv6",
         By::kCore,
         kForwarded,
         {"<sip:ted@[::ffff:192.0.2.2]>", "Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;"}},
        {"4.10", "ipv6-bug-abnf-3-colons", By::kCore, kForwarded, {"OPTIONS sip:called@10.1.1.1 "}},
        {"4.10",
         "ipv6-correct-abnf-2-colons",
         By::kCore,
         kForwarded,
         {"OPTIONS sip:called@10.1.1.1 "}},
    };
    return cases;
}

struct Rfc {
    const char* folder;
    const std::vector<Case>& cases;
};
std::vector<Rfc> rfcs() {
    return {{"rfc4475", rfc4475()}, {"rfc5118", rfc5118()}};
}

void expect_reaction(const Case& c, const Sent& sent) {
    if (c.reaction == kForwarded) {
        EXPECT_TRUE(sent.forwarded()) << sent.first_line();
    } else if (c.reaction == kDropped) {
        EXPECT_EQ(sent.decision.kind, route::Kind::kDrop) << sent.first_line();
    } else {
        EXPECT_TRUE(sent.replied(c.reaction)) << sent.first_line();
    }
    for (const std::string_view part : c.has) {
        EXPECT_TRUE(sent.has(part)) << part << "\nis not in\n" << sent.text;
    }
    for (const std::string_view part : c.has_not) {
        EXPECT_FALSE(sent.has(part)) << part << "\nis in\n" << sent.text;
    }
}

TEST(Torture, EveryMessageGetsTheReactionThatItsRfcAsksFor) {
    for (const Rfc& rfc : rfcs()) {
        for (const Case& c : rfc.cases) {
            SCOPED_TRACE(std::string(rfc.folder) + " " + c.clause + " " + c.name);
            Tortured edge;
            expect_reaction(c, edge.play(read_message(rfc.folder, c.name), c.by));
        }
    }
}

TEST(Torture, EveryFileHasItsCase) {
    for (const Rfc& rfc : rfcs()) {
        std::vector<std::string> named;
        for (const Case& c : rfc.cases) {
            named.emplace_back(c.name);
        }
        std::sort(named.begin(), named.end());
        EXPECT_EQ(named, messages_in(rfc.folder)) << rfc.folder;
    }
}

// "3.1.1.1" to "3.1.1.13" and so on, as the RFCs number them.
std::vector<std::string> clauses(
    const std::vector<std::pair<std::string, unsigned>>& last_of_section) {
    std::vector<std::string> out;
    for (const auto& [section, last] : last_of_section) {
        for (unsigned i = 1; i <= last; ++i) {
            out.push_back(section + std::to_string(i));
        }
    }
    return out;
}

TEST(Torture, EveryClauseHasItsCase) {
    const auto expect_all = [](const std::vector<Case>& cases,
                               const std::vector<std::string>& want) {
        std::vector<std::string> have;
        for (const Case& c : cases) {
            if (have.empty() || have.back() != c.clause) {
                have.emplace_back(c.clause);
            }
        }
        EXPECT_EQ(have, want);
    };
    expect_all(rfc4475(),
               clauses({{"3.1.1.", 13}, {"3.1.2.", 19}, {"3.2.", 1}, {"3.3.", 15}, {"3.4.", 1}}));
    expect_all(rfc5118(), clauses({{"4.", 10}}));
}

// Whoever sends it: no stranger's request goes further, no answer is larger than its request lets
// it be, and what we send can be read, but for a CSeq that the answer must repeat as it came.
TEST(Torture, WhoeverSendsItGetsNoMoreThanIsDue) {
    for (const Rfc& rfc : rfcs()) {
        for (const Case& c : rfc.cases) {
            const std::string message = read_message(rfc.folder, c.name);
            for (const By by : {By::kPhone, By::kCore, By::kStranger}) {
                SCOPED_TRACE(std::string(c.name) + " by " + std::to_string(static_cast<int>(by)));
                Tortured edge;
                const Sent sent = edge.play(message, by);
                if (by == By::kStranger) {
                    EXPECT_FALSE(sent.forwarded());
                }
                if (sent.decision.kind == route::Kind::kDrop) {
                    continue;
                }
                sip::Message again;
                const sip::ParseError error = sip::parse(sent.text, again);
                EXPECT_TRUE(error == sip::ParseError::kOk ||
                            (error == sip::ParseError::kBadCSeq && sent.replied(400)))
                    << sent.text;
                if (!sent.forwarded() && by != By::kCore) {
                    EXPECT_LE(sent.text.size(), route::answer_limit(message.size(), true));
                }
            }
        }
    }
}

// RFC 4475 §3.2.1: a cookie and nothing else tells no transactions apart.
TEST(Torture, AnEmptyBranchIsNone) {
    Tortured edge;
    const std::string message = read_message("rfc4475", "badbranch");
    const auto branch_of = [&](const std::string& text) {
        return edge.play(text, By::kCore).values(sip::HeaderId::kVia).at(0);
    };
    EXPECT_EQ(branch_of(message), branch_of(message));
    EXPECT_NE(branch_of(message), branch_of(route::replace(message, "badbranch.", "another.")));
}

// RFC 5118 §4.10: the colon too many changes nothing of whom it means.
TEST(Torture, ThreeColonsMeanTheSameAsTwo) {
    Tortured edge;
    const Sent three = edge.play(read_message("rfc5118", "ipv6-bug-abnf-3-colons"), By::kCore);
    const Sent two = edge.play(read_message("rfc5118", "ipv6-correct-abnf-2-colons"), By::kCore);
    EXPECT_EQ(three.decision.flow, two.decision.flow);
    EXPECT_EQ(three.first_line(), two.first_line());
}

// RFC 5118 §4.3: the port within the brackets is a part of the address.
TEST(Torture, APortWithinTheBracketsIsNone) {
    Edge edge;
    edge.identity.add_local(route::address("2001:db8::10"), 5060);
    edge.identity.add_local(route::address("2001:db8::10"), 5070);
    const net::Flow by = Edge::stranger_flow();
    EXPECT_FALSE(edge.take(read_message("rfc5118", "port-ambiguous"), by).replied(200));
    EXPECT_TRUE(edge.take(read_message("rfc5118", "port-unambiguous"), by).replied(200));
}

}  // namespace
}  // namespace pinhole::corpus
