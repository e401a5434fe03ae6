// SPDX-License-Identifier: BSD-3-Clause
// Fragments in any order become the datagram they were cut from; what lies, lacks a piece or is too
// long is given up, and no buffer is lost.
#include "dataplane/io/reassembly.h"

#include "dataplane/io/device_pools.h"
#include "tests/eal/io/scene.h"

#include <gtest/gtest.h>

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace pinhole::io {
namespace {

constexpr std::size_t kEthernet = 14;

class Reassembly : public testing::Test {
  public:
    static void SetUpTestSuite() {
        auto started = Eal::start(settings_for(1, {}));
        ASSERT_TRUE(started.ok()) << started.error().message;
        eal = started.take();
        small = create_pool("small", {2047, 2176}, -1).take();
        big = create_pool("large", big_pool_plan(1), -1).take();
    }
    static void TearDownTestSuite() {
        rte_mempool_free(small);
        rte_mempool_free(big);
        eal.reset();
    }
    void SetUp() override { reassembler = Reassembler::create(big, -1).take(); }
    void TearDown() override {
        reassembler.reset();
        EXPECT_EQ(rte_mempool_in_use_count(small), 0U);
        EXPECT_EQ(rte_mempool_in_use_count(big), 0U);
    }

    static std::string payload(std::size_t bytes) {
        std::string s(bytes, '\0');
        for (std::size_t i = 0; i < bytes; ++i) {
            s[i] = static_cast<char>(i * 31 >> 3);
        }
        return s;
    }
    // `offset` and bytes of the IP payload; `padding` is Ethernet's.
    static rte_mbuf* v4(const std::string& bytes, std::size_t offset, bool more, std::uint16_t id,
                        unsigned padding = 0) {
        rte_mbuf* m = rte_pktmbuf_alloc(small);
        char* at = rte_pktmbuf_append(
            m, static_cast<std::uint16_t>(kEthernet + 20 + bytes.size() + padding));
        std::memset(at, 0xee, m->data_len);
        rte_ipv4_hdr ip{};
        ip.version_ihl = 0x45;
        ip.total_length = rte_cpu_to_be_16(static_cast<std::uint16_t>(20 + bytes.size()));
        ip.packet_id = rte_cpu_to_be_16(id);
        ip.fragment_offset =
            rte_cpu_to_be_16(static_cast<std::uint16_t>(offset / 8 | (more ? 0x2000 : 0)));
        ip.time_to_live = 64;
        ip.next_proto_id = 17;
        ip.src_addr = 0x0100000a;
        ip.dst_addr = 0x0200000a;
        std::memcpy(at + kEthernet, &ip, sizeof ip);
        std::memcpy(at + kEthernet + 20, bytes.data(), bytes.size());
        return m;
    }
    static rte_mbuf* v6(const std::string& bytes, std::size_t offset, bool more, std::uint32_t id,
                        unsigned padding = 0) {
        rte_mbuf* m = rte_pktmbuf_alloc(small);
        char* at = rte_pktmbuf_append(
            m, static_cast<std::uint16_t>(kEthernet + 48 + bytes.size() + padding));
        std::memset(at, 0xee, m->data_len);
        rte_ipv6_hdr ip{};
        ip.vtc_flow = rte_cpu_to_be_32(0x60000000);
        ip.payload_len = rte_cpu_to_be_16(static_cast<std::uint16_t>(8 + bytes.size()));
        ip.proto = IPPROTO_FRAGMENT;
        ip.src_addr[15] = 1;
        ip.dst_addr[15] = 2;
        rte_ipv6_fragment_ext fragment{};
        fragment.next_header = 17;
        fragment.frag_data = rte_cpu_to_be_16(static_cast<std::uint16_t>(offset | (more ? 1 : 0)));
        fragment.id = rte_cpu_to_be_32(id);
        std::memcpy(at + kEthernet, &ip, sizeof ip);
        std::memcpy(at + kEthernet + 40, &fragment, sizeof fragment);
        std::memcpy(at + kEthernet + 48, bytes.data(), bytes.size());
        return m;
    }
    rte_mbuf* add(rte_mbuf* m) {
        net::Datagram piece;
        piece.l3_offset = kEthernet;
        (void)net::parse_ip({rte_pktmbuf_mtod(m, const std::uint8_t*), m->data_len}, kEthernet,
                            piece);
        return reassembler->add(m, piece, now);
    }
    // The same from elsewhere.
    static rte_mbuf* from(rte_mbuf* m, std::uint32_t host) {
        auto* ip = rte_pktmbuf_mtod_offset(m, rte_ipv4_hdr*, kEthernet);
        ip->src_addr = rte_cpu_to_be_32(0x0b000000U + host);
        return m;
    }

    static inline std::unique_ptr<Eal> eal;
    static inline rte_mempool* small;
    static inline rte_mempool* big;
    std::unique_ptr<Reassembler> reassembler;
    std::uint64_t now = 1;
};

TEST_F(Reassembly, V4InAnyOrder) {
    const std::string whole = payload(3008);
    std::vector<int> order{0, 1, 2};
    std::uint16_t id = 1;
    do {
        rte_mbuf* done = nullptr;
        for (std::size_t i = 0; i < 3; ++i) {
            const auto piece = static_cast<std::size_t>(order[i]);
            done = add(v4(whole.substr(piece * 1480, 1480), piece * 1480, piece < 2, id,
                          piece == 2 ? 6 : 0));
            EXPECT_EQ(done != nullptr, i == 2);
        }
        ++id;
        ASSERT_NE(done, nullptr);
        ASSERT_EQ(done->nb_segs, 1);
        ASSERT_EQ(done->pkt_len, kEthernet + 20 + whole.size());
        const auto* ip = rte_pktmbuf_mtod_offset(done, const rte_ipv4_hdr*, kEthernet);
        EXPECT_EQ(rte_be_to_cpu_16(ip->total_length), 20 + whole.size());
        EXPECT_EQ(rte_be_to_cpu_16(ip->fragment_offset) & 0x3fff, 0);
        EXPECT_EQ(rte_raw_cksum(ip, 20), 0xffff);
        EXPECT_EQ(std::memcmp(ip + 1, whole.data(), whole.size()), 0);
        rte_pktmbuf_free(done);
    } while (std::next_permutation(order.begin(), order.end()));
    EXPECT_EQ(reassembler->counts().completed, 6U);
    EXPECT_EQ(reassembler->counts().fragments, 18U);
    EXPECT_EQ(reassembler->counts().dropped, 0U);
}

TEST_F(Reassembly, V6InAnyOrder) {
    const std::string whole = payload(3008);
    for (const bool backwards : {false, true}) {
        rte_mbuf* done = nullptr;
        for (std::size_t i = 0; i < 3; ++i) {
            const std::size_t piece = backwards ? 2 - i : i;
            done = add(v6(whole.substr(piece * 1448, 1448), piece * 1448, piece < 2,
                          backwards ? 1 : 2, piece == 2 ? 4 : 0));
        }
        ASSERT_NE(done, nullptr);
        ASSERT_EQ(done->pkt_len, kEthernet + 40 + whole.size());
        const auto* ip = rte_pktmbuf_mtod_offset(done, const rte_ipv6_hdr*, kEthernet);
        EXPECT_EQ(ip->proto, 17);
        EXPECT_EQ(rte_be_to_cpu_16(ip->payload_len), whole.size());
        EXPECT_EQ(std::memcmp(ip + 1, whole.data(), whole.size()), 0);
        EXPECT_EQ(rte_pktmbuf_mtod(done, const std::uint8_t*)[0], 0xee)
            << "the Ethernet header moved along";
        rte_pktmbuf_free(done);
    }
}

TEST_F(Reassembly, V6FragmentThatIsTheWhole) {
    rte_mbuf* done = add(v6("REGISTER", 0, false, 9));
    ASSERT_NE(done, nullptr);
    EXPECT_EQ(done->pkt_len, kEthernet + 48);
    const auto* ip = rte_pktmbuf_mtod_offset(done, const rte_ipv6_hdr*, kEthernet);
    EXPECT_EQ(ip->proto, 17);
    EXPECT_EQ(rte_be_to_cpu_16(ip->payload_len), 8);
    EXPECT_EQ(std::memcmp(ip + 1, "REGISTER", 8), 0);
    rte_pktmbuf_free(done);
}

TEST_F(Reassembly, LiesAreDropped) {
    rte_mbuf* cut = v4(payload(200), 0, true, 1);
    rte_pktmbuf_trim(cut, 100);  // shorter than its header says
    EXPECT_EQ(add(cut), nullptr);
    rte_mbuf* no_header = rte_pktmbuf_alloc(small);
    rte_pktmbuf_append(no_header, 15);
    *rte_pktmbuf_mtod_offset(no_header, char*, 14) = 0x45;
    EXPECT_EQ(add(no_header), nullptr);
    rte_mbuf* not_ip = rte_pktmbuf_alloc(small);
    rte_pktmbuf_append(not_ip, 60);
    *rte_pktmbuf_mtod_offset(not_ip, char*, 14) = 0x15;
    EXPECT_EQ(add(not_ip), nullptr);
    rte_mbuf* options = v4(payload(20), 0, true, 2);
    *rte_pktmbuf_mtod_offset(options, char*, 14) = 0x4f;  // 60 bytes of header in 40
    EXPECT_EQ(add(options), nullptr);
    rte_mbuf* v6_cut = v6(payload(80), 0, true, 3);
    rte_pktmbuf_trim(v6_cut, 60);
    EXPECT_EQ(add(v6_cut), nullptr);
    EXPECT_EQ(add(v6("", 0, true, 4)), nullptr);
    EXPECT_EQ(reassembler->counts().dropped, 6U);
}

TEST_F(Reassembly, OverlapAndExcessAreGivenUp) {
    // Two pieces whose lengths add up to the whole, but that overlap and leave a hole.
    EXPECT_EQ(add(v4(payload(800), 0, true, 1)), nullptr);
    EXPECT_EQ(add(v4(payload(800), 400, true, 1)), nullptr);
    EXPECT_EQ(add(v4(payload(400), 1600, false, 1)), nullptr);
    // One fragment more than the table holds.
    for (std::size_t i = 0; i < Reassembler::kMaxFragments + 1; ++i) {
        EXPECT_EQ(add(v4(payload(80), i * 80, i < Reassembler::kMaxFragments, 2)), nullptr);
    }
    // Longer than any buffer.
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(add(v4(payload(2000), i * 2000, i < 5, 3)), nullptr);
    }
    EXPECT_EQ(reassembler->counts().completed, 0U);
    EXPECT_GT(reassembler->counts().dropped, 0U);
}

TEST_F(Reassembly, WhatIsNeverCompletedAges) {
    for (std::uint16_t id = 0; id < 40; ++id) {
        EXPECT_EQ(add(from(v4(payload(80), 0, true, id), id)), nullptr);
    }
    EXPECT_EQ(rte_mempool_in_use_count(small), 40U);
    now += rte_get_tsc_hz() / 1000 * (Reassembler::kMaxAgeMs + 1);
    reassembler->expire(now);
    EXPECT_EQ(rte_mempool_in_use_count(small), 0U);
    EXPECT_EQ(reassembler->counts().dropped, 40U);
}

// Sets of pieces that a sloppy reassembler would take: each comes to nothing, and leaves nothing.
TEST_F(Reassembly, OverlapsAreDropped) {
    struct Piece {
        std::size_t offset, bytes;
        bool more;
    };
    const std::string whole = payload(2000);
    const std::vector<std::vector<Piece>> sets{
        {{0, 800, true}, {800, 800, true}, {800, 800, true}, {1600, 400, false}},  // twice the same
        {{0, 800, true}, {400, 1200, true}, {1600, 400, false}},   // into what is before
        {{0, 1200, true}, {800, 1200, false}},                     // the last, likewise
        {{0, 800, true}, {0, 800, true}, {800, 1200, false}},      // the first twice
        {{800, 1200, false}, {800, 1200, false}, {0, 800, true}},  // the last twice
        {{0, 800, true}, {800, 1600, true}, {1600, 400, false}},   // past the end
        {{0, 80, true}, {8, 80, true}, {80, 1920, false}},         // over the UDP header
    };
    std::uint16_t id = 1;
    for (const auto& set : sets) {
        for (const bool is_v4 : {true, false}) {
            for (const Piece& p : set) {
                std::string bytes = whole.substr(std::min(p.offset, whole.size()), p.bytes);
                bytes.resize(p.bytes, 'x');
                EXPECT_EQ(
                    add(is_v4 ? v4(bytes, p.offset, p.more, id) : v6(bytes, p.offset, p.more, id)),
                    nullptr)
                    << "set " << id;
            }
            ++id;
            now += rte_get_tsc_hz() / 1000 * (Reassembler::kMaxAgeMs + 1);
            reassembler->expire(now);
            EXPECT_EQ(rte_mempool_in_use_count(small), 0U);
        }
    }
    EXPECT_EQ(reassembler->counts().completed, 0U);
    EXPECT_EQ(reassembler->counts().dropped, reassembler->counts().fragments);
}

TEST_F(Reassembly, ASourcesFragmentsTakeOnlyItsOwnRoom) {
    const std::string whole = payload(1600);
    for (unsigned id = 0; id < 2000; ++id) {
        now += 10;
        EXPECT_EQ(add(v4(payload(800), 0, true, static_cast<std::uint16_t>(id))), nullptr);
        ASSERT_LE(rte_mempool_in_use_count(small), net::FragmentLedger::kOfSource);
        EXPECT_EQ(add(from(v4(whole.substr(0, 800), 0, true, 7), 1)), nullptr);
        rte_mbuf* done = add(from(v4(whole.substr(800), 800, false, 7), 1));
        ASSERT_NE(done, nullptr) << "another source's datagram, at " << id;
        rte_pktmbuf_free(done);
    }
}

TEST_F(Reassembly, ForgedSourcesPushOutTheOldestAlone) {
    const std::string whole = payload(1600);
    for (unsigned host = 100; host < 20000; ++host) {
        now += 10;
        EXPECT_EQ(add(from(v4(payload(800), 0, true, 1), host)), nullptr);
        ASSERT_LE(rte_mempool_in_use_count(small), Reassembler::kMaxUnderWay);
        if (host % 100 == 0) {
            EXPECT_EQ(add(from(v4(whole.substr(0, 800), 0, true, 7), 1)), nullptr);
        } else if (host % 100 == 50) {
            rte_mbuf* done = add(from(v4(whole.substr(800), 800, false, 7), 1));
            ASSERT_NE(done, nullptr) << "50 newcomers later, at " << host;
            rte_pktmbuf_free(done);
        }
    }
}

TEST_F(Reassembly, IsBoundedUnderAFlood) {
    for (unsigned id = 0; id < 20000; ++id) {
        now += 10;
        EXPECT_EQ(add(from(v4(payload(80), id % 16 * 80, true, static_cast<std::uint16_t>(id / 16)),
                           id / 16)),
                  nullptr);
        ASSERT_LE(rte_mempool_in_use_count(small),
                  Reassembler::kMaxUnderWay * Reassembler::kMaxFragments);
    }
}

}  // namespace
}  // namespace pinhole::io
