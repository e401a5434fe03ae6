// SPDX-License-Identifier: BSD-3-Clause
// One worker from queue to queue: real frames in, real frames out, and what is counted.
#include "dataplane/net/build.h"
#include "dataplane/net/checksum.h"
#include "dataplane/route/peer_check.h"
#include "dataplane/route/ping.h"
#include "tests/eal/io/worker_scene.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_mempool.h>

#include <algorithm>
#include <cstring>

namespace pinhole::io {
namespace {

using testing::StartsWith;

rte_mbuf* add_piece(Reassembler& reassembler, rte_mbuf* frame) {
    net::Datagram piece;
    (void)net::parse_packet({rte_pktmbuf_mtod(frame, const std::uint8_t*), frame->data_len}, piece);
    return reassembler.add(frame, piece, 1);
}

class OneWorker : public WorkerScene {
  public:
    void SetUp() override { lay(1); }

    std::vector<Seen> ask(const Register& request, std::uint16_t port = 32947) {
        return edge->ask(0, to_edge(kNat, port), request.text());
    }
    // The first line of the only answer.
    std::string answer(const Register& request, std::uint16_t port = 32947) {
        const auto seen = ask(request, port);
        return seen.size() == 1 ? seen[0].text.substr(0, seen[0].text.find("\r\n")) : "";
    }
};

TEST_F(OneWorker, AnswersARegister) {
    const auto seen = ask({});
    ASSERT_EQ(seen.size(), 1U);
    const Seen& reply = seen[0];
    ASSERT_EQ(reply.kind, net::PacketKind::kUdp);
    EXPECT_TRUE(reply.sums_right);
    EXPECT_EQ(reply.dst_mac, kGatewayMac);
    EXPECT_EQ(reply.src_mac, edge->ports().device(0).info().mac);
    EXPECT_EQ(reply.datagram.src, kEdge);
    EXPECT_EQ(reply.datagram.dst, kNat);
    EXPECT_EQ(reply.datagram.src_port, kSip);
    EXPECT_EQ(reply.datagram.dst_port, 32947);
    EXPECT_EQ(reply.datagram.ttl, net::kDefaultTtl);
    EXPECT_THAT(reply.text, StartsWith("SIP/2.0 200 OK\r\n"));
    EXPECT_TRUE(reply.has(";received=67.194.23.55;rport=32947"));
    EXPECT_TRUE(reply.has("Contact: <sip:100@192.168.1.10:5060>;expires=600\r\n"));
    EXPECT_EQ(contact("100").state.flow, at_edge(kNat, 32947));
    EXPECT_EQ(edge->counters(0).rx_packets.get(), 1U);
    EXPECT_EQ(edge->counters(0).tx_packets.get(), 1U);
    EXPECT_EQ(edge->responses(0, 200), 1U);
    EXPECT_EQ(edge->counters(0).refreshed_in_place.get(), 0U);
}

// RFC 5626 §4.4.2 and §8: the answer goes by the flow; it proves nothing, so nothing is kept of it.
TEST_F(OneWorker, Rfc5626_8_AnswersStunKeepalives) {
    using namespace std::string_view_literals;
    constexpr std::string_view kRequest =
        "\x00\x01\x00\x00\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"sv;
    const auto seen = edge->ask(0, to_edge(kNat, 32947), kRequest);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_TRUE(seen[0].sums_right);
    EXPECT_EQ(seen[0].datagram.dst, kNat);
    EXPECT_EQ(seen[0].datagram.dst_port, 32947);
    EXPECT_EQ(seen[0].text.size(), 32U);
    EXPECT_THAT(seen[0].text, StartsWith("\x01\x01\x00\x0c"sv));
    EXPECT_EQ(edge->ask(0, to_edge(address("2001:db8:7::10"), 5062), kRequest).size(), 1U);
    EXPECT_EQ(edge->counters(0).stun_answers.get(), 2U);
    EXPECT_EQ(edge->table().counts().contacts, 0U);
    std::string other(kRequest);
    other[1] = '\x11';
    EXPECT_TRUE(edge->ask(0, to_edge(kNat, 32947), other).empty()) << "an indication";
    EXPECT_EQ(edge->drops(0, DropReason::kKeepalive), 1U);
    other[4] = 'x';
    EXPECT_TRUE(edge->ask(0, to_edge(kNat, 32947), other).empty()) << "no STUN";
    EXPECT_EQ(edge->drops(0, DropReason::kNotSip), 1U);
}

// RFC 5626 §6, RFC 3608 §6.3 and RFC 6223 §4.3 in one answer.
TEST_F(OneWorker, Rfc5626_5_4_TellsAPhoneHowToKeepItsFlow) {
    end();
    lay(1, 1000, {.service_route = "<sip:edge.example.com;lr>", .flow_timer_s = 25});
    Register request;
    request.contact += ";+sip.instance=\"<urn:uuid:1>\";reg-id=1";
    request.extra = "Supported: outbound\r\nUser-Agent: a phone with room for the answer\r\n";
    std::string text = request.text();
    text.insert(text.find(";rport"), ";keep");
    const auto seen = edge->ask(0, to_edge(kNat, 32947), text);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_TRUE(seen[0].has("\r\nService-Route: <sip:edge.example.com;lr>\r\n")) << seen[0].text;
    EXPECT_TRUE(seen[0].has("\r\nRequire: outbound\r\nFlow-Timer: 25\r\n"));
    EXPECT_TRUE(seen[0].has(";keep=25;received="));
}

TEST_F(OneWorker, AnswersOverIpv6) {
    const auto seen = edge->ask(0, to_edge(address("2001:db8:7::10"), 5062), Register{}.text());
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_TRUE(seen[0].sums_right);
    EXPECT_EQ(seen[0].datagram.src, kEdge6);
    EXPECT_EQ(seen[0].datagram.dst, address("2001:db8:7::10"));
    EXPECT_EQ(seen[0].datagram.dst_port, 5062);
    EXPECT_THAT(seen[0].text, StartsWith("SIP/2.0 200 OK\r\n"));
}

TEST_F(OneWorker, RefreshesInPlaceAndKnowsARetransmission) {
    EXPECT_EQ(answer({}), "SIP/2.0 200 OK");
    const table::Record* before = record("100");
    edge->pass_s(10);
    EXPECT_EQ(answer({.cseq = 2}), "SIP/2.0 200 OK");
    EXPECT_EQ(edge->counters(0).refreshed_in_place.get(), 1U);
    EXPECT_EQ(record("100"), before) << "no other record for a refresh";
    EXPECT_EQ(contact("100").state.cseq, 2U);
    const std::uint32_t until = contact("100").state.expires_at_s;

    edge->pass_s(10);
    const auto again = ask({.cseq = 2});
    ASSERT_EQ(again.size(), 1U);
    EXPECT_TRUE(again[0].has("expires=590")) << "as it stands now: " << again[0].text;
    EXPECT_EQ(contact("100").state.expires_at_s, until) << "a retransmission changes nothing";

    EXPECT_THAT(answer({.cseq = 1}), StartsWith("SIP/2.0 500 "));
    EXPECT_EQ(contact("100").state.cseq, 2U);
    EXPECT_EQ(contacts("100"), 1U);
}

TEST_F(OneWorker, MovesAContactToTheNewMapping) {
    EXPECT_EQ(answer({}), "SIP/2.0 200 OK");
    EXPECT_EQ(answer({.cseq = 2}, 40000), "SIP/2.0 200 OK");
    EXPECT_EQ(contacts("100"), 1U);
    EXPECT_EQ(contact("100").state.flow, at_edge(kNat, 40000));
}

TEST_F(OneWorker, DoesNothingForWhoCantBeAnswered) {
    std::string text = Register{}.text();
    text.replace(text.find("SIP/2.0/UDP"), 11, "SIP_2.0_UDP");
    EXPECT_TRUE(edge->ask(0, to_edge(kNat, 32947), text).empty());
    EXPECT_EQ(record("100"), nullptr) << "whole or not at all";
    EXPECT_EQ(edge->drops(0, DropReason::kMalformed), 1U);
}

TEST_F(OneWorker, FullTableIsA503ForNewcomersAlone) {
    end();
    lay(1, 2);
    EXPECT_EQ(answer({.user = "1", .call_id = "a"}), "SIP/2.0 200 OK");
    EXPECT_EQ(answer({.user = "2", .call_id = "b"}), "SIP/2.0 200 OK");
    const auto refused = ask({.user = "3", .call_id = "c"});
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_THAT(refused[0].text, StartsWith("SIP/2.0 503 "));
    EXPECT_TRUE(refused[0].has("\r\nRetry-After: "));
    EXPECT_EQ(edge->counters(0).table_full.get(), 1U);
    EXPECT_EQ(answer({.user = "1", .call_id = "a", .cseq = 2}), "SIP/2.0 200 OK");
    EXPECT_EQ(answer({.user = "2", .call_id = "b", .cseq = 2, .expires = "0"}), "SIP/2.0 200 OK");
    for (unsigned i = 0; i < 2 * Worker::kHousekeepingRounds; ++i) {
        edge->worker(0).round();  // gives back the slot
    }
    EXPECT_EQ(answer({.user = "3", .call_id = "c", .cseq = 2}), "SIP/2.0 200 OK");
}

TEST_F(OneWorker, DropsAndCountsWhatIsNoSip) {
    EXPECT_TRUE(edge->ask(0, to_edge(kNat, 1), "GET / HTTP/1.1\r\n\r\n").empty());
    EXPECT_EQ(edge->drops(0, DropReason::kNotSip), 1U);
    EXPECT_TRUE(edge->ask(0, to_edge(kNat, 1), "\r\n\r\n").empty());
    EXPECT_EQ(edge->drops(0, DropReason::kKeepalive), 1U);
    // For another port of this host: the kernel's, by the TAP.
    net::Flow elsewhere = to_edge(kNat, 1);
    elsewhere.their_udp_port = 53;
    EXPECT_TRUE(edge->ask(0, elsewhere, "?").empty());
    EXPECT_EQ(edge->counters(0).to_kernel.get(), 1U);
}

// The service thread sleeps: what a worker has for it rings.
TEST_F(OneWorker, RingsForWhatTheServiceThreadIsToDo) {
    Mesh& mesh = edge->mesh();
    const auto rung_by = [&](auto&& work) {
        mesh.bell().await();
        work();
        pollfd bell{mesh.bell().fd(), POLLIN, 0};
        const bool rung = poll(&bell, 1, 0) == 1;
        mesh.bell().rise();
        return rung;
    };
    EXPECT_FALSE(rung_by([&] { edge->worker(0).round(); }));
    EXPECT_FALSE(mesh.service_has_work());
    EXPECT_TRUE(rung_by([&] { mesh.ask_for({kNat, 1, 0}); }));
    EXPECT_TRUE(mesh.service_has_work());
    Unresolved asked;
    EXPECT_EQ(mesh.unresolved().take(&asked, 1), 1U);
    EXPECT_FALSE(mesh.service_has_work());
    net::Flow elsewhere = to_edge(kNat, 1);
    elsewhere.their_udp_port = 53;
    EXPECT_TRUE(rung_by([&] {
        edge->put(0, edge->frame(elsewhere, "?"));
        edge->worker(0).round();
    }));
    EXPECT_TRUE(mesh.service_has_work());
}

TEST_F(OneWorker, DropsBadChecksumsAndOthersPartialOnes) {
    const std::string text = Register{}.text();
    for (const bool partial : {false, true}) {
        rte_mbuf* frame = edge->frame(to_edge(kNat, 1), text);
        auto* udp =
            rte_pktmbuf_mtod_offset(frame, std::uint8_t*, net::kEthernetLen + net::kIpv4Len);
        const std::uint16_t sum =
            partial ? net::udp_pseudo_sum(kNat, kEdge,
                                          static_cast<std::uint16_t>(net::kUdpLen + text.size()))
                    : 0x1234;
        std::memcpy(udp + 6, &sum, sizeof sum);
        edge->put(0, frame);
        edge->worker(0).round();
        EXPECT_TRUE(edge->sent(0).empty());
    }
    EXPECT_EQ(edge->drops(0, DropReason::kBadChecksum), 2U);
    EXPECT_EQ(record("100"), nullptr);
}

TEST_F(OneWorker, TakesFragmentsAndSendsThem) {
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
    std::string contacts;
    for (int i = 0; i < 7; ++i) {
        contacts += std::string(i == 0 ? "" : ",") + "<sip:100@192.168.1." +
                    std::to_string(20 + i) + ">;+note=\"" + std::string(250, 'n') + "\"";
    }
    edge->put(0,
              edge->frame(to_edge(kNat, 32947), Register{.cseq = 2, .contact = contacts}.text()));
    edge->worker(0).round();
    EXPECT_EQ(edge->counters(0).fragmented.get(), 1U);
    // Put together by the edge's own reassembler, which has its tests.
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

// The same answer, to a phone behind a link that is smaller than ours, by each family.
// A second first piece says something else than the first: neither reading is taken (RFC 5722 §3).
TEST_F(OneWorker, TakesNoFragmentsThatOverlap) {
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

TEST_F(OneWorker, CutsAtThePathsMtu) {
    constexpr std::size_t kPath = 1300;
    auto reassembler = Reassembler::create(edge->ports().big_pool(), -1).take();
    for (const net::Address& phone : {kNat, address("2001:db8:55:1::11")}) {
        const std::string user = phone.is_v4() ? "104" : "106";
        std::string contacts;
        for (int i = 0; i < 7; ++i) {
            contacts += std::string(i == 0 ? "" : ",") + "<sip:100@192.168.1." +
                        std::to_string(20 + i) + ">;+note=\"" + std::string(250, 'n') + "\"";
        }
        std::size_t longest = 0;
        for (const bool known : {false, true}) {
            if (known) {
                ASSERT_EQ(edge->path_mtus().learn(phone, kPath, 1500, 1),
                          net::PathMtus::Heard::kLearned);
            }
            const Register request{
                .user = user, .call_id = user, .cseq = known ? 2U : 1U, .contact = contacts};
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

TEST_F(OneWorker, SendsPingsByTheContactsFlowAndKnowsTheAnswer) {
    EXPECT_EQ(answer({}), "SIP/2.0 200 OK");
    const table::ContactView phone = contact("100");
    rte_mbuf* ping = rte_pktmbuf_alloc(edge->ports().big_pool());
    *parcel_flow(ping) = phone.state.flow;
    ping->hash.usr = static_cast<std::uint32_t>(ParcelKind::kPing);
    sip::Writer out(rte_pktmbuf_mtod(ping, char*), rte_pktmbuf_tailroom(ping));
    ASSERT_TRUE(route::build_ping({phone.id, phone.state.flow, phone.uri, phone.aor}, edge->keys(),
                                  edge->now().us, out));
    rte_pktmbuf_append(ping, static_cast<std::uint16_t>(out.size()));
    ASSERT_EQ(edge->mesh().inbox(0).put(&ping, 1), 1U);
    edge->worker(0).round();
    const auto seen = edge->sent(0);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_TRUE(seen[0].sums_right);
    EXPECT_EQ(seen[0].datagram.src_port, kSip);
    EXPECT_EQ(seen[0].datagram.dst, kNat);
    EXPECT_EQ(seen[0].datagram.dst_port, 32947);
    EXPECT_THAT(seen[0].text, StartsWith("OPTIONS sip:100@192.168.1.10:5060 SIP/2.0\r\n"));
    EXPECT_EQ(edge->counters(0).pings_sent.get(), 1U);

    std::string pong = seen[0].text;
    pong.replace(0, pong.find("\r\n"), "SIP/2.0 200 OK");
    pong.replace(pong.find(";rport"), 6, ";received=198.51.100.1;rport=5060");
    EXPECT_TRUE(edge->ask(0, to_edge(kNat, 32947), pong).empty());
    edge::PongNotice notice;
    ASSERT_EQ(edge->mesh().pongs(0).take(&notice, 1), 1U);
    EXPECT_EQ(notice.id, phone.id);
    EXPECT_EQ(notice.code, 200);
    EXPECT_EQ(notice.flow_matches, 1);
}

TEST_F(OneWorker, KnowsACorePeersAnswerWhereThatMaySpeak) {
    std::array<char, 1024> room;
    sip::Writer out(room.data(), room.size());
    ASSERT_TRUE(
        route::build_peer_check(edge->around().peers[0], edge->keys(), edge->now().us, out));
    std::string pong(out.view());
    pong.replace(0, pong.find("\r\n"), "SIP/2.0 405 Method Not Allowed");
    edge::PeerPongNotice notice;
    EXPECT_TRUE(edge->ask(0, to_edge(kNat, 32947), pong).empty());
    EXPECT_EQ(edge->mesh().peer_pongs(0).take(&notice, 1), 0U) << "from elsewhere";
    edge->around().ports[0].role = edge::Role::kAccess;
    EXPECT_TRUE(edge->ask(0, to_edge(kCore, kSip), pong).empty());
    EXPECT_EQ(edge->mesh().peer_pongs(0).take(&notice, 1), 0U) << "its address on an access port";
    EXPECT_EQ(edge->drops(0, DropReason::kWrongSender), 2U);
    edge->around().ports[0].role = edge::Role::kBoth;
    EXPECT_TRUE(edge->ask(0, to_edge(kCore, kSip), pong).empty());
    ASSERT_EQ(edge->mesh().peer_pongs(0).take(&notice, 1), 1U);
    EXPECT_EQ(notice.peer, 0);
    EXPECT_EQ(notice.code, 405);
}

// So that pings and pongs compare.
TEST_F(OneWorker, CountsChecksOfPeersApartFromPings) {
    EXPECT_EQ(answer({}), "SIP/2.0 200 OK");
    const table::ContactView phone = contact("100");
    for (const ParcelKind kind :
         {ParcelKind::kPing, ParcelKind::kPeerCheck, ParcelKind::kPeerCheck}) {
        rte_mbuf* parcel = rte_pktmbuf_alloc(edge->ports().big_pool());
        *parcel_flow(parcel) = phone.state.flow;
        parcel->hash.usr = static_cast<std::uint32_t>(kind);
        sip::Writer out(rte_pktmbuf_mtod(parcel, char*), rte_pktmbuf_tailroom(parcel));
        ASSERT_TRUE(
            route::build_peer_check(edge->around().peers[0], edge->keys(), edge->now().us, out));
        rte_pktmbuf_append(parcel, static_cast<std::uint16_t>(out.size()));
        ASSERT_EQ(edge->mesh().inbox(0).put(&parcel, 1), 1U);
        edge->worker(0).round();
    }
    EXPECT_EQ(edge->sent(0).size(), 3U);
    EXPECT_EQ(edge->counters(0).pings_sent.get(), 1U);
    EXPECT_EQ(edge->counters(0).peer_checks_sent.get(), 2U);
}

TEST_F(OneWorker, CallsOutNeedALivingPeerAndAreCountedWithoutOne) {
    EXPECT_EQ(answer({}), "SIP/2.0 200 OK");
    const std::string message =
        "MESSAGE sip:200@example.com SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bKm1;rport\r\n"
        "From: <sip:100@example.com>;tag=a\r\nTo: <sip:200@example.com>\r\n"
        "Call-ID: m1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n";
    edge->peer_health().write_control(0, route::PeerState::kDown);
    const auto refused = edge->ask(0, to_edge(kNat, 32947), message);
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_THAT(refused[0].text, StartsWith("SIP/2.0 503 "));
    EXPECT_TRUE(refused[0].has("\r\nRetry-After: "));
    EXPECT_EQ(edge->counters(0).no_peer.get(), 1U);
    edge->peer_health().write_control(0, route::PeerState::kUp);
    const auto sent = edge->ask(0, to_edge(kNat, 32947), message);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].datagram.dst, kCore);
    EXPECT_EQ(edge->counters(0).no_peer.get(), 1U);
}

TEST_F(OneWorker, ExpiryNeverTakesAContactThatWasRefreshed) {
    EXPECT_EQ(answer({.expires = "60"}), "SIP/2.0 200 OK");
    edge::Command expire;
    expire.kind = edge::CommandKind::kExpire;
    expire.from = static_cast<std::uint16_t>(edge->mesh().control());
    expire.id = contact("100").id;
    const auto post = [&] {
        ASSERT_EQ(edge->mesh().commands(edge->mesh().control(), 0).put(&expire, 1), 1U);
    };
    post();
    edge->worker(0).round();
    EXPECT_EQ(contacts("100"), 1U) << "not yet";

    edge->pass_s(59);
    EXPECT_EQ(answer({.cseq = 2, .expires = "60"}), "SIP/2.0 200 OK");
    EXPECT_EQ(contact("100").id, expire.id);
    edge->pass_s(2);  // when the first registration would have been over
    post();
    edge->worker(0).round();
    EXPECT_EQ(contacts("100"), 1U);

    edge->pass_s(61);
    EXPECT_EQ(answer({.cseq = 3, .expires = "60"}), "SIP/2.0 200 OK");
    EXPECT_NE(contact("100").id, expire.id) << "too late to be refreshed: a new binding";
    post();
    edge->worker(0).round();
    EXPECT_EQ(contacts("100"), 1U) << "the command names the old one";

    expire.id = contact("100").id;
    edge->pass_s(61);
    post();
    edge->worker(0).round();
    EXPECT_EQ(record("100"), nullptr);
    post();  // and once more: it is gone
    edge->worker(0).round();
    EXPECT_EQ(edge->table().counts().contacts, 0U);
}

// What the control thread took for dead may just have registered anew, in a packet that came before
// it looked and was carried out after.
TEST_F(OneWorker, RemovalOfTheUnreachableNeverTakesAContactThatHasJustRegistered) {
    edge::Command removal;
    removal.kind = edge::CommandKind::kRemoveUnreachable;
    removal.from = static_cast<std::uint16_t>(edge->mesh().control());
    const auto remove = [&](std::uint32_t since_ms) {
        removal.id = contact("100").id;
        removal.since_ms = since_ms;
        ASSERT_EQ(edge->mesh().commands(edge->mesh().control(), 0).put(&removal, 1), 1U);
        edge->worker(0).round();
    };
    EXPECT_EQ(answer({}), "SIP/2.0 200 OK");
    const std::uint32_t registered_ms = contact("100").state.refreshed_at_ms;
    remove(registered_ms - 50);
    EXPECT_EQ(contacts("100"), 1U) << "newer than the look";
    remove(registered_ms + 50);
    EXPECT_EQ(contacts("100"), 1U) << "it may have been on its way here when the look was taken";
    remove(registered_ms + 10'000);
    EXPECT_EQ(record("100"), nullptr);
}

TEST_F(OneWorker, TakesPartialChecksumsOfAVeth) {
    end();
    FarSide far;
    ASSERT_TRUE(lay_veth(far));
    EdgeSettings settings;
    settings.io = settings_for(1, {{DeviceKind::kAfPacket, "near"}});
    edge = std::make_unique<Edge>(settings);
    std::string reply;
    far.in([&] {
        const int fd = socket(AF_INET, SOCK_DGRAM, 0);
        sockaddr_in to{.sin_family = AF_INET, .sin_port = htons(kSip)};
        std::memcpy(&to.sin_addr, kEdge.v4_bytes(), 4);
        const timeval patience{0, 10'000};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        pinhole::io::run("ip route add 198.51.100.0/24 via 10.9.0.1 && ip link set far address " +
                         std::string("02:00:00:00:00:fe"));
        const std::string text = Register{}.text();
        for (int i = 0; i < 200 && reply.empty(); ++i) {
            sendto(fd, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
            edge->worker(0).round();
            char buffer[2048];
            const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
            reply.assign(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
        }
        close(fd);
    });
    EXPECT_THAT(reply, StartsWith("SIP/2.0 200 OK\r\n"));
    EXPECT_EQ(edge->drops(0, DropReason::kBadChecksum), 0U);
}

}  // namespace
}  // namespace pinhole::io
