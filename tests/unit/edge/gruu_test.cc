// SPDX-License-Identifier: BSD-3-Clause
// RFC 5627: the answer to a REGISTER tells a phone its GRUUs, and the core's calls to either of
// them reach this phone and no other.
#include "tests/unit/edge/edge_scene.h"

#include <gmock/gmock.h>

namespace pinhole::edge::test {
namespace {

using testing::StartsWith;

class GruuScene : public EdgeScene {
  public:
    void SetUp() override { lay(); }

    static Register phone(const std::string& instance, unsigned cseq = 1,
                          const std::string& call_id = "") {
        return {.call_id = call_id.empty() ? "call-" + instance : call_id,
                .cseq = cseq,
                .contact = "<sip:100@192.168.1.10:5060>;+sip.instance=\"<urn:uuid:" + instance +
                           ">\";pub-gruu=\"sip:eve@example.com;gr=x\"",
                .extra =
                    "User-Agent: a phone that has as long a name as real ones do\r\n"
                    "Allow: INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, OPTIONS, INFO, MESSAGE\r\n"
                    "Supported: gruu\r\n"};
    }
    // Returns the value of the Contact parameter `name` in the answer.
    std::string told(const Register& request, std::uint16_t port, const std::string& name) {
        const auto seen = edge->ask(0, from(kNat, port), request.text());
        if (seen.size() != 1) {
            return "no answer";
        }
        EXPECT_FALSE(seen[0].has("eve@")) << seen[0].text;
        const std::size_t parameter = seen[0].text.find(";" + name + "=\"");
        if (parameter == std::string::npos) {
            return "";
        }
        const std::size_t begin = parameter + name.size() + 3;
        return seen[0].text.substr(begin, seen[0].text.find('"', begin) - begin);
    }
    // Returns the port of the phone that a call from the core reaches, or the status of the answer.
    unsigned called(const std::string& uri) {
        const auto seen = edge->ask(
            0, from(kCore, kSip),
            "INVITE " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK" +
                std::to_string(++calls_) +
                "\r\nMax-Forwards: 70\r\nFrom: <sip:200@example.com>;tag=f\r\nTo: <" + uri +
                ">\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
        if (seen.size() != 1) {
            return 0;
        }
        return seen[0].text.starts_with("SIP/2.0 ") ? std::stoul(seen[0].text.substr(8, 3))
                                                    : seen[0].flow.their_udp_port;
    }

  private:
    unsigned calls_ = 0;
};

TEST_F(GruuScene, Rfc5627_5_2_ToldWithTheRegistrationAndReached) {
    const std::string pub = told(phone("1"), 32'001, "pub-gruu");
    EXPECT_EQ(pub, "sip:100@example.com;gr=urn:uuid:1");
    const std::string temp = told(phone("1", 2), 32'001, "temp-gruu");
    EXPECT_EQ(edge->counters(0).refreshed_in_place.get(), 1U);
    ASSERT_TRUE(temp.ends_with("@example.com;gr")) << temp;
    EXPECT_EQ(temp.find("100"), std::string::npos);
    told(phone("2"), 32'002, "pub-gruu");
    EXPECT_EQ(contacts("100"), 2U);
    EXPECT_EQ(called(pub), 32'001U);
    EXPECT_EQ(called(temp), 32'001U);
    EXPECT_EQ(called("sip:100@example.com;gr=urn:uuid:2"), 32'002U);
    EXPECT_EQ(called("sip:100@example.com;gr=urn:uuid:3"), 480U);
    EXPECT_EQ(told(phone("1", 3, "restarted"), 32'003, "pub-gruu"), pub);
    EXPECT_EQ(called(pub), 32'003U) << "the phone has another flow now";
    EXPECT_EQ(called(temp), 404U) << "another Call-ID";
}

TEST_F(GruuScene, APhoneThatDoesNotAskIsNotTold) {
    Register request = phone("1");
    request.extra = "Supported: outbound\r\n";
    EXPECT_EQ(told(request, 32'001, "pub-gruu"), "");
    registrar::RegistrarPolicy off;
    off.gruu = false;
    lay({.policy = off});
    EXPECT_EQ(told(phone("1"), 32'001, "pub-gruu"), "");
    EXPECT_EQ(called("sip:100@example.com;gr=urn:uuid:2"), 32'001U)
        << "gr is a parameter like others";
}

}  // namespace
}  // namespace pinhole::edge::test
