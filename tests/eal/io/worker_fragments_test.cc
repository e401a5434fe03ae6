// SPDX-License-Identifier: BSD-3-Clause
// Fragments through a worker: requests that arrive in several, and answers that don't fit into one
// frame.
#include "dataplane/screen/rule_file.h"
#include "dataplane/screen/rule_set.h"
#include "tests/eal/io/worker_scene.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

namespace pinhole::io {
namespace {

using testing::StartsWith;

rte_mbuf* add_piece(Reassembler& reassembler, rte_mbuf* frame) {
    net::Datagram piece;
    (void)net::parse_packet({rte_pktmbuf_mtod(frame, const std::uint8_t*), frame->data_len}, piece);
    return reassembler.add(frame, piece, 1);
}

// More contacts than an answer of one MTU holds.
std::string many_contacts() {
    std::string contacts;
    for (int i = 0; i < 7; ++i) {
        contacts += std::string(i == 0 ? "" : ",") + "<sip:100@192.168.1." +
                    std::to_string(20 + i) + ">;+note=\"" + std::string(250, 'n') + "\"";
    }
    return contacts;
}

class Fragments : public WorkerScene {
  public:
    void SetUp() override { lay(1); }
};

TEST_F(Fragments, TakesFragmentsAndSendsThem) {
    // In: a request of several fragments.
    const std::string padding = "X-Padding: " + std::string(3000, 'x') + "\r\n";
    const auto pieces =
        edge->fragments(to_edge(kNat, 32947), Register{.extra = padding}.text(), 1500, 7);
    ASSERT_EQ(pieces.size(), 3U);
    for (rte_mbuf* piece : {pieces[1], pieces[2], pieces[0]}) {
        edge->put(0, piece);
    }
    edge->worker(0).round();
    const auto one = edge->sent(0);
    ASSERT_EQ(one.size(), 1U);
    EXPECT_THAT(one[0].text, StartsWith("SIP/2.0 200 OK\r\n"));
    EXPECT_EQ(edge->counters(0).reassembled.get(), 1U);

    // Out: more contacts than an MTU holds.
    edge->put(0, edge->frame(to_edge(kNat, 32947),
                             Register{.cseq = 2, .contact = many_contacts()}.text()));
    edge->worker(0).round();
    EXPECT_EQ(edge->counters(0).fragmented.get(), 1U);
    // Put together by the dataplane's own reassembler, which reassembly_test.cc tests.
    auto reassembler = Reassembler::create(edge->ports().big_pool(), -1).take();
    const auto frames = edge->frames_sent(0);
    ASSERT_GT(frames.size(), 1U);
    rte_mbuf* reply = nullptr;
    for (rte_mbuf* frame : frames) {
        EXPECT_LE(frame->pkt_len, net::kEthernetLen + 1500);
        EXPECT_EQ(reply, nullptr);
        reply = add_piece(*reassembler, frame);
    }
    ASSERT_NE(reply, nullptr);
    const Seen seen = take_apart(reply);
    EXPECT_TRUE(seen.sums_right);
    EXPECT_EQ(seen.datagram.dst, kNat);
    EXPECT_TRUE(seen.has("192.168.1.10:5060>"));
    EXPECT_TRUE(seen.has("192.168.1.26>"));
}

// RFC 5722 §3: a second first fragment contradicts the first one, so neither reading is taken.
TEST_F(Fragments, TakesNoFragmentsThatOverlap) {
    std::uint32_t id = 0;
    for (const net::Address& from : {kNat, address("2001:db8:1::9")}) {
        const net::Flow flow = to_edge(from, 32947);
        const auto pieces = edge->fragments(flow, Register{.user = "300"}.text(), 300, ++id);
        const auto others = edge->fragments(flow, Register{.user = "666"}.text(), 300, id);
        ASSERT_GT(pieces.size(), 1U);
        ASSERT_EQ(pieces.size(), others.size());
        edge->put(0, others[0]);
        for (rte_mbuf* piece : pieces) {
            edge->put(0, piece);
        }
        for (std::size_t i = 1; i < others.size(); ++i) {
            edge->put(0, others[i]);
        }
        edge->worker(0).round();
        EXPECT_TRUE(edge->sent(0).empty());
    }
    EXPECT_EQ(edge->table().counts().contacts, 0U);
    EXPECT_GT(edge->drops(0, DropReason::kFragment), 0U);
}

// The same answer to a phone behind a link with a smaller MTU than ours, by each family.
TEST_F(Fragments, CutsAtThePathsMtu) {
    constexpr std::size_t kPath = 1300;
    auto reassembler = Reassembler::create(edge->ports().big_pool(), -1).take();
    for (const net::Address& phone : {kNat, address("2001:db8:55:1::11")}) {
        const std::string user = phone.is_v4() ? "104" : "106";
        std::size_t longest = 0;
        for (const bool known : {false, true}) {
            if (known) {
                ASSERT_EQ(edge->path_mtus().learn(phone, kPath, 1500, 1),
                          net::PathMtus::Heard::kLearned);
            }
            const Register request{
                .user = user, .call_id = user, .cseq = known ? 2U : 1U, .contact = many_contacts()};
            edge->put(0, edge->frame(to_edge(phone, 32947), request.text()));
            edge->worker(0).round();
            longest = 0;
            rte_mbuf* reply = nullptr;
            for (rte_mbuf* frame : edge->frames_sent(0)) {
                longest = std::max<std::size_t>(longest, frame->pkt_len - net::kEthernetLen);
                ASSERT_EQ(reply, nullptr);
                reply = add_piece(*reassembler, frame);
            }
            ASSERT_NE(reply, nullptr);
            const Seen seen = take_apart(reply);
            EXPECT_TRUE(seen.sums_right);
            EXPECT_TRUE(seen.has("192.168.1.26>"));
            if (known) {
                EXPECT_LE(longest, kPath);
                EXPECT_GT(longest, kPath - 8) << "as much as fits";
            } else {
                EXPECT_GT(longest, kPath);
            }
        }
    }
    EXPECT_EQ(edge->counters(0).fragmented.get(), 4U);
}

// The fragments are cut in the middle of what the rule looks for, so that no fragment holds it.
TEST_F(Fragments, WhatCameInFragmentsIsScreenedWhole) {
    const screen::RuleFile file =
        screen::read_rules("user-agent /friendly-scanner/ drop scanner\n");
    screen::Complaints complaints;
    const auto rules = screen::RuleSet::compile(file.rules, 1, complaints);
    if (rules == nullptr) {
        GTEST_SKIP() << "built without screening";
    }
    edge->screen_by(rules.get());
    const auto in_fragments = [&](const net::Address& from, const std::string& extra,
                                  std::uint32_t id) {
        const std::string text = Register{.extra = extra}.text();
        const std::size_t middle = text.find("-scanner", text.find("User-Agent"));
        const std::size_t headers = from.is_v4() ? 20 : 48;
        const std::size_t mtu = headers + (8 + middle) / 8 * 8;
        const auto pieces = edge->fragments(to_edge(from, 32947), text, mtu, id);
        EXPECT_EQ(pieces.size(), 2U);
        for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
            edge->put(0, *piece);
        }
        edge->worker(0).round();
        return edge->sent(0);
    };
    std::uint32_t id = 0;
    for (const char* from : {"67.194.23.55", "2001:db8:1::9"}) {
        const std::uint64_t hits = rules->hits(0);
        EXPECT_TRUE(in_fragments(address(from), "User-Agent: friendly-scanner\r\n", ++id).empty());
        EXPECT_EQ(rules->hits(0), hits + 1);
        EXPECT_EQ(in_fragments(address(from), "User-Agent: family-scanner\r\n", ++id).size(), 1U);
    }
    EXPECT_EQ(edge->drops(0, DropReason::kScreened), 2U);
    EXPECT_EQ(edge->counters(0).reassembled.get(), 4U);
    edge->screen_by(nullptr);
}

}  // namespace
}  // namespace pinhole::io
