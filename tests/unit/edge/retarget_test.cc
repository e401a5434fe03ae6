// SPDX-License-Identifier: BSD-3-Clause
// A phone that has answered a ping at its Contact's port is reached there from then on. A Contact
// that names another host never is.
#include "tests/unit/edge/edge_scene.h"

#include <gtest/gtest.h>

namespace pinhole::edge::test {
namespace {

class Retarget : public EdgeScene {
  public:
    void begin(const std::string& contact) {
        lay();
        ASSERT_EQ(edge->ask(0, home, Register{.contact = contact}.text()).size(), 1U);
    }
    void retarget() {
        Command command;
        command.kind = CommandKind::kRetarget;
        command.id = contact("100").id;
        edge->command(0, command);
        (void)edge->round(0);
    }
    [[nodiscard]] std::string reached_at() const { return net::far_end(contact("100").state.flow); }
    std::vector<Sent> call() {
        return edge->ask(0, from(kCore, kSip),
                         "INVITE sip:100@example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
                         "203.0.113.10:5060;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: "
                         "<sip:200@example.com>;tag=f\r\nTo: <sip:100@example.com>\r\nCall-ID: "
                         "c1\r\nCSeq: 1 INVITE\r\nContact: <sip:200@203.0.113.10>\r\n"
                         "Content-Length: 0\r\n\r\n");
    }
    const net::Flow home = from(kNat, 32947);
};

TEST_F(Retarget, ToTheContactsPort) {
    begin("<sip:100@67.194.23.55:5070>");
    const table::ContactId id = contact("100").id;
    EXPECT_EQ(reached_at(), "67.194.23.55:32947");
    retarget();
    EXPECT_EQ(reached_at(), "67.194.23.55:5070");
    EXPECT_EQ(contact("100").id, id);
    EXPECT_EQ(edge->counters(0).retargeted.get(), 1U);
    const auto seen = call();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].flow.their_udp_port, 5070);
    // Its refresh comes by the old flow, is answered by it, and changes nothing.
    const auto answer =
        edge->ask(0, home, Register{.cseq = 2, .contact = "<sip:100@67.194.23.55:5070>"}.text());
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(answer[0].flow.their_udp_port, 32947);
    EXPECT_EQ(reached_at(), "67.194.23.55:5070");
    retarget();
    EXPECT_EQ(edge->counters(0).retargeted.get(), 1U) << "it is there already";
}

TEST_F(Retarget, NeverToAnotherAddress) {
    for (const char* contact : {"<sip:100@203.0.113.99:5070>", "<sip:100@192.168.1.10:5070>",
                                "<sip:100@198.51.100.1:5060>", "<sip:100@67.194.23.55:32947>"}) {
        begin(contact);
        retarget();
        EXPECT_EQ(reached_at(), "67.194.23.55:32947") << contact;
        EXPECT_EQ(edge->counters(0).retargeted.get(), 0U);
        end();
    }
}

// The answer may have come from a neighbour behind the same address.
TEST_F(Retarget, NeverToAnotherContactsFlow) {
    begin("<sip:100@67.194.23.55:5070>");
    ASSERT_EQ(edge->ask(0, from(kNat, 5070), Register{.user = "101", .call_id = "o"}.text()).size(),
              1U);
    retarget();
    EXPECT_EQ(reached_at(), "67.194.23.55:32947");
}

}  // namespace
}  // namespace pinhole::edge::test
