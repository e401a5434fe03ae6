// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/packet.h"

#include "tests/unit/net/frames.h"

#include <gtest/gtest.h>

namespace pinhole::net {
namespace {

using namespace test;

TEST(Packet, TakesAnIpv4DatagramApart) {
    const Frame frame = datagram4("REGISTER");
    Datagram d;
    ASSERT_EQ(parse_packet(frame, d), PacketKind::kUdp);
    EXPECT_TRUE(d.v4);
    EXPECT_EQ(to_string(d.src), "192.0.2.1");
    EXPECT_EQ(to_string(d.dst), "198.51.100.7");
    EXPECT_EQ(d.src_port, 32947);
    EXPECT_EQ(d.dst_port, 5060);
    EXPECT_EQ(d.text(), "REGISTER");
    EXPECT_EQ(d.l3_offset, 14U);
    EXPECT_EQ(d.l4_offset, 34U);
    EXPECT_EQ(d.payload_offset, 42U);
    EXPECT_EQ(d.payload_len, 8);
    EXPECT_EQ(d.end_offset, frame.size());
    EXPECT_EQ(d.tos, 0x60);
    EXPECT_EQ(d.ttl, 63);
    const Flow flow = d.flow(3);
    EXPECT_EQ(far_end(flow), "192.0.2.1:32947");
    EXPECT_EQ(near_end(flow), "198.51.100.7:5060");
    EXPECT_EQ(flow.port, 3);
}

TEST(Packet, TakesAnIpv6DatagramApart) {
    const Frame frame = datagram6("REGISTER");
    Datagram d;
    ASSERT_EQ(parse_packet(frame, d), PacketKind::kUdp);
    EXPECT_FALSE(d.v4);
    EXPECT_EQ(to_string(d.src), "2001:db8::1");
    EXPECT_EQ(to_string(d.dst), "2001:db8::2");
    EXPECT_EQ(d.text(), "REGISTER");
    EXPECT_EQ(d.payload_offset, 62U);
    EXPECT_EQ(d.tos, 0x60);
    EXPECT_EQ(d.ttl, 62);
}

TEST(Packet, LeavesOutWhatFollowsTheIpPacket) {
    Frame frame = datagram4("hi");
    frame.resize(60);  // Ethernet's padding
    Datagram d;
    ASSERT_EQ(parse_packet(frame, d), PacketKind::kUdp);
    EXPECT_EQ(d.text(), "hi");
    EXPECT_EQ(d.end_offset, 44U);
}

// Extension headers: type of the next, length in eight-byte units beyond the first, filled up.
Frame extension(std::uint8_t next, std::uint8_t units) {
    Frame f{next, units};
    f.resize((units + 1U) * 8);
    return f;
}
Frame fragment_header(std::uint8_t next, unsigned offset_and_more) {
    return Frame{next, 0} + be16(offset_and_more) + Frame{0xde, 0xad, 0xbe, 0xef};
}
Frame v6_with(std::uint8_t first, const Frame& rest) {
    return ethernet(0x86dd) +
           ipv6({.payload_len = static_cast<unsigned>(rest.size()), .next = first}) + rest;
}
const Frame kUdpHi = udp(1, 2, 10) + text("hi");

struct KindCase {
    const char* what;
    Frame frame;
    PacketKind kind;
};

class PacketKinds : public testing::TestWithParam<KindCase> {};

TEST_P(PacketKinds, IsToldByTheFrame) {
    Datagram d;
    EXPECT_EQ(parse_packet(GetParam().frame, d), GetParam().kind) << GetParam().what;
    if (GetParam().kind == PacketKind::kUdp) {
        EXPECT_EQ(d.text(), "hi") << GetParam().what;
    }
}

Frame eight_extensions_and_one(bool one_more) {
    Frame rest = kUdpHi;
    rest = extension(17, 0) + rest;
    for (int i = 1; i < kMaxExtensionHeaders + (one_more ? 1 : 0); ++i) {
        rest = extension(60, 0) + rest;
    }
    return v6_with(60, rest);
}

const Frame kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};

INSTANTIATE_TEST_SUITE_P(
    Ipv4, PacketKinds,
    testing::Values(
        KindCase{"options",
                 ethernet(0x800) + ipv4({.total_len = 38 + 24 - 8, .header_words = 11}) + kUdpHi,
                 PacketKind::kUdp},
        KindCase{"udp shorter than ip",
                 ethernet(0x800) + ipv4({.total_len = 34}) + kUdpHi + text("rest"),
                 PacketKind::kUdp},
        KindCase{"don't fragment",
                 ethernet(0x800) + ipv4({.total_len = 30, .flags_and_offset = 0x4000}) + kUdpHi,
                 PacketKind::kUdp},
        KindCase{"first fragment",
                 ethernet(0x800) + ipv4({.total_len = 28, .flags_and_offset = 0x2000}) + kUdpHi,
                 PacketKind::kFragment},
        KindCase{"last fragment",
                 ethernet(0x800) + ipv4({.total_len = 30, .flags_and_offset = 185}) + kUdpHi,
                 PacketKind::kFragment},
        KindCase{"odd middle fragment",
                 ethernet(0x800) + ipv4({.total_len = 30, .flags_and_offset = 0x2001}) + kUdpHi,
                 PacketKind::kBadIp},
        KindCase{"past 64 KB",
                 ethernet(0x800) + ipv4({.total_len = 30, .flags_and_offset = 0x1fff}) + kUdpHi,
                 PacketKind::kBadIp},
        KindCase{"fragment of nothing",
                 ethernet(0x800) + ipv4({.total_len = 20, .flags_and_offset = 0x2000}) + kUdpHi,
                 PacketKind::kBadIp},
        KindCase{"icmp", ethernet(0x800) + ipv4({.total_len = 30, .protocol = 1}) + kUdpHi,
                 PacketKind::kIpOther},
        KindCase{"header too short",
                 ethernet(0x800) + ipv4({.total_len = 30, .header_words = 4}) + kUdpHi,
                 PacketKind::kBadIp},
        KindCase{"total shorter than header", ethernet(0x800) + ipv4({.total_len = 19}) + kUdpHi,
                 PacketKind::kBadIp},
        KindCase{"longer than frame", ethernet(0x800) + ipv4({.total_len = 31}) + kUdpHi,
                 PacketKind::kTruncated},
        KindCase{"version 6 under 0x0800", ethernet(0x800) + ipv6({.payload_len = 10}) + kUdpHi,
                 PacketKind::kBadIp},
        KindCase{"no room for udp", ethernet(0x800) + ipv4({.total_len = 27}) + kUdpHi,
                 PacketKind::kBadUdp},
        KindCase{"udp of 7", ethernet(0x800) + ipv4({.total_len = 30}) + udp(1, 2, 7) + text("hi"),
                 PacketKind::kBadUdp},
        KindCase{"udp longer than ip",
                 ethernet(0x800) + ipv4({.total_len = 30}) + udp(1, 2, 11) + text("hi!"),
                 PacketKind::kBadUdp},
        KindCase{"to port 0",
                 ethernet(0x800) + ipv4({.total_len = 30}) + udp(1, 0, 10) + text("hi"),
                 PacketKind::kBadUdp}));

INSTANTIATE_TEST_SUITE_P(
    Ipv6, PacketKinds,
    testing::Values(
        KindCase{"hop-by-hop", v6_with(0, extension(17, 0) + kUdpHi), PacketKind::kUdp},
        KindCase{"two kinds, long", v6_with(0, extension(60, 3) + extension(17, 31) + kUdpHi),
                 PacketKind::kUdp},
        KindCase{"as many as allowed", eight_extensions_and_one(false), PacketKind::kUdp},
        KindCase{"one too many", eight_extensions_and_one(true), PacketKind::kBadIp},
        KindCase{"extension past the end", v6_with(60, extension(17, 1) + Frame{}),
                 PacketKind::kBadUdp},
        KindCase{"extension longer than packet", v6_with(60, Frame{17, 2} + Frame(14)),
                 PacketKind::kBadIp},
        KindCase{"half an extension", v6_with(60, Frame{17, 0, 0, 0}), PacketKind::kBadIp},
        KindCase{"atomic fragment", v6_with(44, fragment_header(17, 0) + kUdpHi), PacketKind::kUdp},
        KindCase{"first fragment", v6_with(44, fragment_header(17, 1) + udp(1, 2, 99)),
                 PacketKind::kFragment},
        KindCase{"last fragment", v6_with(44, fragment_header(17, 1448) + kUdpHi),
                 PacketKind::kFragment},
        KindCase{"behind an extension",
                 v6_with(0, extension(44, 0) + fragment_header(17, 8) + kUdpHi),
                 PacketKind::kFragment},
        KindCase{"odd middle fragment", v6_with(44, fragment_header(17, 9) + kUdpHi),
                 PacketKind::kBadIp},
        KindCase{"past 64 KB", v6_with(44, fragment_header(17, 0xfff8) + kUdpHi),
                 PacketKind::kBadIp},
        KindCase{"fragment of nothing", v6_with(44, fragment_header(17, 1)), PacketKind::kBadIp},
        KindCase{"icmp", v6_with(58, kUdpHi), PacketKind::kIpOther},
        KindCase{"no next header", v6_with(59, {}), PacketKind::kIpOther},
        KindCase{"longer than frame", ethernet(0x86dd) + ipv6({.payload_len = 11}) + kUdpHi,
                 PacketKind::kTruncated},
        KindCase{"jumbogram", ethernet(0x86dd) + ipv6({.payload_len = 0}) + kUdpHi,
                 PacketKind::kBadUdp},
        KindCase{"from a mapped address",
                 ethernet(0x86dd) + ipv6({.payload_len = 10, .src = kMapped}) + kUdpHi,
                 PacketKind::kBadIp},
        KindCase{"to a mapped address",
                 ethernet(0x86dd) + ipv6({.payload_len = 10, .dst = kMapped}) + kUdpHi,
                 PacketKind::kBadIp},
        KindCase{"version 4 under 0x86dd", ethernet(0x86dd) + ipv4({.total_len = 50}) + Frame(30),
                 PacketKind::kBadIp}));

INSTANTIATE_TEST_SUITE_P(
    Others, PacketKinds,
    testing::Values(
        KindCase{"arp", ethernet(0x806) + Frame(46), PacketKind::kNotIp},
        KindCase{"length instead of type", ethernet(46) + Frame(46), PacketKind::kNotIp},
        KindCase{"empty", {}, PacketKind::kNotIp},
        KindCase{"half an ethernet header", Frame(13), PacketKind::kNotIp},
        KindCase{"tagged", ethernet(0x8100) + be16(0xa064) + be16(0x800), PacketKind::kVlan},
        KindCase{"provider tagged", ethernet(0x88a8) + be16(5) + be16(0x8100), PacketKind::kVlan},
        KindCase{"half a tag", ethernet(0x8100) + be16(5), PacketKind::kNotIp}));

TEST(Packet, ReportsTheVlan) {
    Datagram d;
    ASSERT_EQ(parse_packet(ethernet(0x8100) + be16(0xa064) + be16(0x800), d), PacketKind::kVlan);
    EXPECT_EQ(d.vlan_id, 100);
}

TEST(Packet, ReportsTheFragment) {
    Datagram d;
    const Frame v4 =
        ethernet(0x800) + ipv4({.total_len = 36, .flags_and_offset = 0x2000 | 185}) + Frame(16);
    ASSERT_EQ(parse_packet(v4, d), PacketKind::kFragment);
    EXPECT_EQ(d.fragment.id, 0x1234U);
    EXPECT_EQ(d.fragment.offset_bytes, 1480U);
    EXPECT_EQ(d.fragment.len_bytes, 16U);
    EXPECT_TRUE(d.fragment.more);
    EXPECT_FALSE(d.fragment.first());
    EXPECT_EQ(to_string(d.dst), "198.51.100.7");

    ASSERT_EQ(parse_packet(v6_with(44, fragment_header(17, 1) + Frame(24)), d),
              PacketKind::kFragment);
    EXPECT_EQ(d.fragment.id, 0xdeadbeefU);
    EXPECT_TRUE(d.fragment.first());
    EXPECT_TRUE(d.fragment.more);
    EXPECT_EQ(d.fragment.len_bytes, 24U);
    EXPECT_EQ(d.protocol, kProtoUdp);

    ASSERT_EQ(parse_packet(v6_with(44, fragment_header(17, 1448) + Frame(5)), d),
              PacketKind::kFragment);
    EXPECT_EQ(d.fragment.offset_bytes, 1448U);
    EXPECT_FALSE(d.fragment.more);
}

// Every cut of a good frame is refused, and nothing is read behind it (the copy is exact, so that
// ASan would see).
TEST(Packet, RefusesEveryTruncation) {
    const Frame frames[] = {
        datagram4("REGISTER sip:example.com SIP/2.0"),
        datagram6("REGISTER sip:example.com SIP/2.0"),
        v6_with(0, extension(60, 1) + extension(44, 0) + fragment_header(17, 0) + kUdpHi)};
    for (const Frame& whole : frames) {
        for (std::size_t len = 0; len < whole.size(); ++len) {
            const Frame cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(len));
            Datagram d;
            const PacketKind expected =
                len < kEthernetLen ? PacketKind::kNotIp : PacketKind::kTruncated;
            EXPECT_EQ(parse_packet(cut, d), expected) << len;
        }
    }
}

// Any byte of the headers may lie: the payload found stays within the frame.
TEST(Packet, StaysWithinTheFrameWhateverAByteSays) {
    const Frame frames[] = {
        datagram4("hello"), datagram6("hello"),
        v6_with(0, extension(60, 1) + extension(44, 0) + fragment_header(17, 0) + kUdpHi)};
    for (const Frame& good : frames) {
        for (std::size_t at = 12; at < good.size(); ++at) {
            for (unsigned value = 0; value < 256; ++value) {
                Frame frame = good;
                frame[at] = static_cast<std::uint8_t>(value);
                Datagram d;
                const PacketKind kind = parse_packet(frame, d);
                if (kind == PacketKind::kUdp) {
                    ASSERT_LE(d.payload_offset + d.payload_len, d.end_offset);
                    ASSERT_EQ(d.payload.data(), frame.data() + d.payload_offset);
                }
                if (kind == PacketKind::kUdp || kind == PacketKind::kFragment ||
                    kind == PacketKind::kIpOther) {
                    ASSERT_LE(d.l4_offset, d.end_offset);
                    ASSERT_LE(d.end_offset, frame.size());
                }
            }
        }
    }
}

TEST(Packet, ParsesIpFromAnyOffset) {
    for (const Frame& whole : {datagram4("hi"), datagram6("hi")}) {
        const Frame ip(whole.begin() + kEthernetLen, whole.end());
        Datagram d;
        ASSERT_EQ(parse_ip(ip, 0, d), PacketKind::kUdp);
        EXPECT_EQ(d.text(), "hi");
        const Frame behind = Frame(18) + ip;
        ASSERT_EQ(parse_ip(behind, 18, d), PacketKind::kUdp);
        EXPECT_EQ(d.text(), "hi");
        EXPECT_EQ(parse_ip(ip, static_cast<std::uint32_t>(ip.size()), d), PacketKind::kTruncated);
    }
}

TEST(Packet, AnswersGoToUnicastSourcesOnly) {
    struct Case {
        Frame src;
        bool answerable;
    };
    const Case v4[] = {{{10, 0, 0, 1}, true},         {{0, 0, 0, 0}, false},
                       {{0, 1, 2, 3}, false},         {{224, 0, 0, 1}, false},
                       {{239, 255, 255, 250}, false}, {{240, 0, 0, 1}, true},
                       {{223, 1, 1, 1}, true},        {{255, 255, 255, 255}, false}};
    for (const Case& c : v4) {
        Datagram d;
        ASSERT_EQ(parse_packet(ethernet(0x800) + ipv4({.total_len = 30, .src = c.src}) + kUdpHi, d),
                  PacketKind::kUdp);
        EXPECT_EQ(d.answerable(), c.answerable) << to_string(d.src);
    }
    Datagram d;
    ASSERT_EQ(
        parse_packet(ethernet(0x800) + ipv4({.total_len = 30}) + udp(0, 5060, 10) + text("hi"), d),
        PacketKind::kUdp);
    EXPECT_FALSE(d.answerable());
    ASSERT_EQ(
        parse_packet(ethernet(0x86dd) + ipv6({.payload_len = 10, .src = Frame(16)}) + kUdpHi, d),
        PacketKind::kUdp);
    EXPECT_FALSE(d.answerable());
    ASSERT_EQ(
        parse_packet(ethernet(0x86dd) +
                         ipv6({.payload_len = 10, .src = Frame{0xff, 2} + Frame(14)}) + kUdpHi,
                     d),
        PacketKind::kUdp);
    EXPECT_FALSE(d.answerable());
    ASSERT_EQ(parse_packet(datagram6("x"), d), PacketKind::kUdp);
    EXPECT_TRUE(d.answerable());
}

}  // namespace
}  // namespace pinhole::net
