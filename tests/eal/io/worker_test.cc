// SPDX-License-Identifier: BSD-3-Clause
// One worker from queue to queue: real frames in, real frames out, and what its loop does around
// the edge. What the edge decides is tested in tests/unit/edge.
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

#include <cstring>

namespace pinhole::io {
namespace {

using testing::StartsWith;

class OneWorker : public WorkerScene {
  public:
    void SetUp() override { lay(1); }

    void register_phone(const Register& request = {}) {
        const auto seen = edge->ask(0, phone, request.text());
        ASSERT_EQ(seen.size(), 1U);
        EXPECT_THAT(seen[0].text, StartsWith("SIP/2.0 200 OK\r\n"));
    }

    const net::Flow phone = to_edge(kNat, 32947);
};

TEST_F(OneWorker, AnswersARegister) {
    const auto seen = edge->ask(0, phone, Register{}.text());
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
    EXPECT_EQ(contact("100").state.flow, at_edge(kNat, 32947));
    EXPECT_EQ(edge->counters(0).rx_packets.get(), 1U);
    EXPECT_EQ(edge->counters(0).tx_packets.get(), 1U);
    EXPECT_EQ(edge->responses(0, 200), 1U);
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

// Each answer takes its request's buffer, and a packet that gets no answer gives its buffer back.
TEST_F(OneWorker, AFloodLeavesNoBufferInUse) {
    const auto in_use = [&] {
        return rte_mempool_in_use_count(edge->ports().device(0).info().rx_pool) +
               rte_mempool_in_use_count(edge->ports().big_pool());
    };
    const unsigned before = in_use();
    for (unsigned n = 0; n < 3000; ++n) {
        const auto seen = edge->ask(0, phone, Register{.user = "nobody", .expires = "1"}.text());
        ASSERT_EQ(seen.size(), 1U);
        ASSERT_THAT(seen[0].text, StartsWith("SIP/2.0 423 "));
        ASSERT_TRUE(edge->ask(0, phone, "GET / HTTP/1.1\r\n\r\n").empty());
    }
    EXPECT_EQ(in_use(), before);
}

// A packet for another port of this host is for the kernel.
TEST_F(OneWorker, GivesTheKernelWhatIsForOtherPorts) {
    net::Flow elsewhere = to_edge(kNat, 1);
    elsewhere.their_udp_port = 53;
    EXPECT_TRUE(edge->ask(0, elsewhere, "?").empty());
    EXPECT_EQ(edge->counters(0).to_kernel.get(), 1U);
}

// The service thread sleeps, so whatever a worker has for it must ring the bell.
TEST_F(OneWorker, RingsTheBellOfTheServiceThread) {
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

TEST_F(OneWorker, DropsBadChecksumsAndPartialOnesOfOtherHosts) {
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

TEST_F(OneWorker, SendsPingsByTheContactsFlowAndPassesTheAnswerOn) {
    register_phone();
    const table::ContactView known = contact("100");
    rte_mbuf* ping = rte_pktmbuf_alloc(edge->ports().big_pool());
    *parcel_flow(ping) = known.state.flow;
    ping->hash.usr = static_cast<std::uint32_t>(ParcelKind::kPing);
    sip::Writer out(rte_pktmbuf_mtod(ping, char*), rte_pktmbuf_tailroom(ping));
    ASSERT_TRUE(route::build_ping({known.id, known.state.flow, known.uri, known.aor}, edge->keys(),
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
    EXPECT_TRUE(edge->ask(0, phone, pong).empty());
    edge::PongNotice notice;
    ASSERT_EQ(edge->mesh().pongs(0).take(&notice, 1), 1U);
    EXPECT_EQ(notice.id, known.id);
    EXPECT_EQ(notice.code, 200);
    EXPECT_EQ(notice.flow_matches, 1);
}

TEST_F(OneWorker, PassesTheAnswerOfACorePeerOn) {
    std::array<char, 1024> room;
    sip::Writer out(room.data(), room.size());
    ASSERT_TRUE(
        route::build_peer_check(edge->around().peers[0], edge->keys(), edge->now().us, out));
    std::string pong(out.view());
    pong.replace(0, pong.find("\r\n"), "SIP/2.0 405 Method Not Allowed");
    EXPECT_TRUE(edge->ask(0, to_edge(kCore, kSip), pong).empty());
    edge::PeerPongNotice notice;
    ASSERT_EQ(edge->mesh().peer_pongs(0).take(&notice, 1), 1U);
    EXPECT_EQ(notice.peer, 0);
    EXPECT_EQ(notice.code, 405);
}

// So that the counts of pings and pongs can be compared.
TEST_F(OneWorker, CountsChecksOfPeersApartFromPings) {
    register_phone();
    const table::ContactView known = contact("100");
    for (const ParcelKind kind :
         {ParcelKind::kPing, ParcelKind::kPeerCheck, ParcelKind::kPeerCheck}) {
        rte_mbuf* parcel = rte_pktmbuf_alloc(edge->ports().big_pool());
        *parcel_flow(parcel) = known.state.flow;
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

TEST_F(OneWorker, CarriesOutCommandsOfTheControlThread) {
    register_phone({.expires = "60"});
    edge::Command expire;
    expire.kind = edge::CommandKind::kExpire;
    expire.from = static_cast<std::uint16_t>(edge->mesh().control());
    expire.id = contact("100").id;
    edge->pass_s(61);
    ASSERT_EQ(edge->mesh().commands(edge->mesh().control(), 0).put(&expire, 1), 1U);
    edge->worker(0).round();
    EXPECT_EQ(record("100"), nullptr);
}

TEST_F(OneWorker, HousekeepingGivesFreedMemoryBack) {
    register_phone();
    register_phone({.cseq = 2, .expires = "0"});
    for (unsigned i = 0; i < 2 * Worker::kHousekeepingRounds; ++i) {
        edge->worker(0).round();
    }
    EXPECT_EQ(edge->table().reclaim_owner(0), 0U) << "nothing is left to give back";
}

TEST_F(OneWorker, HousekeepingCopiesWhatIsKnownOfAddresses) {
    end();
    lay(1, 1000, {.flow = {60, 5}, .address = {60, 12}, .phone = {60, 2}});
    register_phone();
    admit::AllowanceCopy& copy = edge->worker(0).allowances();
    copy.ask_service();
    for (unsigned i = 0; i < 100 * Worker::kHousekeepingRounds && !copy.take_service(); ++i) {
        edge->worker(0).round();
    }
    ASSERT_TRUE(copy.take_service().has_value());
    ASSERT_EQ(copy.take_service()->size(), 1U);
    EXPECT_EQ(copy.take_service()->front().name, kNat.bytes);
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
