// SPDX-License-Identifier: BSD-3-Clause
// A phone that has answered at its Contact's port is reached there from then on; a Contact that names
// anybody else leads nowhere.
#include "tests/eal/io/worker_scene.h"

#include <gtest/gtest.h>

namespace pinhole::io {
namespace {

class Retarget : public WorkerScene {
  public:
    void begin(const std::string& contact) {
        lay(1);
        ASSERT_EQ(edge->ask(0, home, Register{.contact = contact}.text()).size(), 1U);
    }
    void retarget() {
        edge::Command command;
        command.kind = edge::CommandKind::kRetarget;
        command.id = contact("100").id;
        ASSERT_EQ(edge->mesh().commands(edge->mesh().control(), 0).put(&command, 1), 1U);
        edge->worker(0).round();
    }
    [[nodiscard]] std::string reached_at() const { return net::far_end(contact("100").state.flow); }
    std::vector<Seen> call() {
        return edge->ask(0, to_edge(kCore, kSip),
                         "INVITE sip:100@example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
                         "203.0.113.10:5060;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: "
                         "<sip:200@example.com>;tag=f\r\nTo: <sip:100@example.com>\r\nCall-ID: "
                         "c1\r\nCSeq: 1 INVITE\r\nContact: <sip:200@203.0.113.10>\r\n"
                         "Content-Length: 0\r\n\r\n");
    }
    const net::Flow home = to_edge(kNat, 32947);
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
    EXPECT_EQ(seen[0].datagram.dst_port, 5070);
    // Its refresh comes from where it sends, is answered there, and changes nothing.
    const auto answer =
        edge->ask(0, home, Register{.cseq = 2, .contact = "<sip:100@67.194.23.55:5070>"}.text());
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(answer[0].datagram.dst_port, 32947);
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

// A neighbour behind the same address would answer as well as the phone.
TEST_F(Retarget, NorToWhereAnotherIsReached) {
    begin("<sip:100@67.194.23.55:5070>");
    ASSERT_EQ(
        edge->ask(0, to_edge(kNat, 5070), Register{.user = "101", .call_id = "o"}.text()).size(),
        1U);
    retarget();
    EXPECT_EQ(reached_at(), "67.194.23.55:32947");
}

}  // namespace
}  // namespace pinhole::io
