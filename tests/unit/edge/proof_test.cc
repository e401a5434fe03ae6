// SPDX-License-Identifier: BSD-3-Clause
// Which packets prove that a phone lives, so that its next ping may wait. No packet does that an
// attacker could send from a forged address.
#include "tests/unit/edge/edge_scene.h"

#include <gtest/gtest.h>

namespace pinhole::edge::test {
namespace {

using table::Proof;

class ProofScene : public EdgeScene {
  public:
    void SetUp() override {
        lay();
        EXPECT_EQ(edge->ask(0, home, Register{.extra = kLong}.text()).size(), 1U);
        EXPECT_EQ(proof(), Proof::kNone) << "the first ping after a registration is planned anyway";
    }
    void send(const net::Flow& flow, const std::string& text) { seen = edge->ask(0, flow, text); }
    // Returns the proof since the last call, and forgets it.
    Proof proof() {
        const std::uint32_t slot = contact("100").id.slot;
        const Proof found = edge->qualify().life_any(slot).proof;
        edge->qualify().forget_life_control(slot);
        return found;
    }
    // Returns the phone's answer to the request that was sent to it last.
    [[nodiscard]] std::string reply(const std::string& line) const {
        std::string text = seen.at(0).text;
        text.replace(0, text.find("\r\n"), line);
        return text;
    }
    void call_in() {
        send(from(kCore, kSip),
             "INVITE sip:100@example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
             "203.0.113.10:5060;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: "
             "<sip:200@example.com>;tag=f\r\nTo: <sip:100@example.com>\r\nCall-ID: c1\r\n"
             "CSeq: 1 INVITE\r\nContact: <sip:200@203.0.113.10>\r\nContent-Length: 0\r\n\r\n");
        ASSERT_EQ(seen.size(), 1U);
        ASSERT_TRUE(seen[0].text.starts_with("INVITE"));
    }

    static constexpr const char* kLong = "User-Agent: a phone with a name as long as they are\r\n";
    const net::Flow home = from(kNat, 32947);
    const net::Flow elsewhere = from(address("67.194.24.55"), 1024);
    std::vector<Sent> seen;
};

TEST_F(ProofScene, ARegisterOfTheSameCallIdWhereNobodyIsAskedForAPassword) {
    send(home, Register{.cseq = 2, .extra = kLong}.text());
    EXPECT_EQ(proof(), Proof::kRegister);
    send(home, Register{.cseq = 2, .extra = kLong}.text());
    EXPECT_EQ(proof(), Proof::kNone) << "an eavesdropper could send the same again";
    send(home, Register{.cseq = 1, .extra = kLong}.text());
    EXPECT_EQ(proof(), Proof::kNone);
    send(home, Register{.call_id = "guessed", .cseq = 9, .extra = kLong}.text());
    EXPECT_EQ(proof(), Proof::kNone) << "a stranger, or a phone that has restarted";
}

TEST_F(ProofScene, NothingThatAnybodyCouldHaveSent) {
    std::string stun("\x00\x01\x00\x00\x21\x12\xa4\x42", 8);
    stun.append(12, 'x');
    for (const std::string& noise :
         {std::string("\r\n\r\n"), std::string(4, '\0'), std::string(), stun,
          std::string("OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
                      "192.168.1.10:5060;branch=z9hG4bKo;rport\r\nFrom: "
                      "<sip:100@example.com>;tag=a\r\nTo: <sip:example.com>\r\nCall-ID: o\r\n"
                      "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"),
          std::string("NOTIFY sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
                      "192.168.1.10:5060;branch=z9hG4bKn;rport\r\nFrom: "
                      "<sip:100@example.com>;tag=a\r\nTo: <sip:example.com>\r\nCall-ID: n\r\n"
                      "CSeq: 1 NOTIFY\r\nEvent: keep-alive\r\nContent-Length: 0\r\n\r\n"),
          Register{.user = "101", .call_id = "another", .extra = kLong}.text(),
          Register{.contact = "", .extra = kLong}.text()}) {
        send(home, noise);
        EXPECT_EQ(proof(), Proof::kNone) << noise;
    }
}

TEST_F(ProofScene, ACallOutIsNoProofBecauseTheFlowIsNoSecret) {
    send(home,
         "INVITE sip:200@example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
         "192.168.1.10:5060;branch=z9hG4bKi;rport\r\nMax-Forwards: 70\r\nFrom: "
         "<sip:100@example.com>;tag=a\r\nTo: <sip:200@example.com>\r\nCall-ID: i\r\n"
         "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].flow.theirs, kCore);
    EXPECT_EQ(proof(), Proof::kNone);
}

TEST_F(ProofScene, AnAnswerByOurBranchFromWhereItsRequestWent) {
    call_in();
    const std::string ringing = reply("SIP/2.0 180 Ringing");
    send(home, ringing);
    EXPECT_EQ(seen.size(), 1U);
    EXPECT_EQ(proof(), Proof::kDialog);
    send(elsewhere, ringing);
    EXPECT_EQ(proof(), Proof::kNone);
    std::string forged = ringing;
    const std::size_t branch = forged.find("branch=z9hG4bK") + 40;
    forged[branch] = forged[branch] == 'A' ? 'B' : 'A';
    send(home, forged);
    EXPECT_EQ(proof(), Proof::kNone);
}

TEST_F(ProofScene, ARequestByOurTokenFromItsContactsFlow) {
    call_in();
    const std::size_t begin = seen[0].text.find("Record-Route: ") + 14;
    const std::string route = seen[0].text.substr(begin, seen[0].text.find("\r\n", begin) - begin);
    const std::string bye =
        "BYE sip:200@203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP "
        "192.168.1.10:5060;branch=z9hG4bKb;rport\r\nMax-Forwards: 70\r\nRoute: " +
        route +
        "\r\nFrom: <sip:100@example.com>;tag=t\r\nTo: <sip:200@example.com>;tag=f\r\n"
        "Call-ID: c1\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n";
    send(home, bye);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_TRUE(seen[0].text.starts_with("BYE")) << seen[0].text;
    EXPECT_EQ(proof(), Proof::kDialog);
    // It is forwarded from any flow, but from another one it doesn't prove the contact's mapping.
    send(elsewhere, bye);
    EXPECT_EQ(seen.size(), 1U);
    EXPECT_EQ(proof(), Proof::kNone);
}

// A contact that was taken for dead is to ring at once, not only after its next ping.
TEST_F(ProofScene, TheControlThreadHearsOfAnUnreachableContactThatLives) {
    const auto marks = [&] { return edge->table().for_wheel().drain(100, [](std::uint32_t) {}); };
    marks();
    send(home, Register{.cseq = 2, .extra = kLong}.text());
    EXPECT_EQ(marks(), 0U);
    const table::ContactId id = contact("100").id;
    edge->qualify().write_control(
        id.slot, {.generation = id.generation, .state = table::Reach::kUnreachable});
    send(home, Register{.cseq = 3, .extra = kLong}.text());
    EXPECT_EQ(marks(), 1U);
    EXPECT_EQ(proof(), Proof::kRegister);
}

}  // namespace
}  // namespace pinhole::edge::test
