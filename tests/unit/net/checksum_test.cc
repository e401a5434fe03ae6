// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/checksum.h"

#include "tests/unit/net/frames.h"

#include <gtest/gtest.h>

#include <random>

namespace pinhole::net {
namespace {

using namespace test;

// RFC 1071, as it is written there: 16-bit words in network order, one at a time.
std::uint16_t naive_sum(const Frame& data) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < data.size(); i += 2) {
        sum += data[i] * 256U + (i + 1 < data.size() ? data[i + 1] : 0U);
        sum = (sum & 0xffffU) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(sum);
}

std::uint16_t swapped(std::uint16_t v) {
    return __builtin_bswap16(v);
}

TEST(Checksum, EqualsTheNaiveSumAtEveryLengthAndAlignment) {
    std::mt19937 random(1);
    for (std::size_t len = 0; len < 300; ++len) {
        for (std::size_t shift = 0; shift < 4; ++shift) {
            Frame data(len + shift);
            for (auto& byte : data) {
                byte = static_cast<std::uint8_t>(random());
            }
            const Frame tail(data.begin() + static_cast<std::ptrdiff_t>(shift), data.end());
            EXPECT_EQ(swapped(fold_sum(raw_sum(data.data() + shift, len))), naive_sum(tail));
            for (const SumVariant& variant : sum_variants()) {
                EXPECT_EQ(swapped(fold_sum(variant.sum(data.data() + shift, len, 0))),
                          naive_sum(tail))
                    << variant.name << ' ' << len;
            }
        }
    }
}

TEST(Checksum, CarriesOfTheLargestPacketAreKept) {
    const Frame ones(65535, 0xff);
    for (const SumVariant& variant : sum_variants()) {
        EXPECT_EQ(swapped(fold_sum(variant.sum(ones.data(), ones.size(), 0))), naive_sum(ones));
    }
    EXPECT_EQ(fold_sum(~std::uint64_t{0}), 0xffff);
}

TEST(Checksum, AddsUpInPieces) {
    Frame data(97);
    for (std::size_t i = 0; i < data.size(); ++i) {
        data[i] = static_cast<std::uint8_t>(i * 37);
    }
    for (std::size_t cut = 0; cut < data.size(); cut += 2) {
        const std::uint64_t first = raw_sum(data.data(), cut);
        EXPECT_EQ(fold_sum(raw_sum(data.data() + cut, data.size() - cut, first)),
                  fold_sum(raw_sum(data.data(), data.size())));
    }
}

TEST(Checksum, KnowsTheExampleOfAnIpv4Header) {
    // Wikipedia's "IPv4 header checksum" example, 0xb861.
    const Frame header{0x45, 0, 0,    0x73, 0, 0, 0x40, 0,    0x40, 0x11,
                       0,    0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0,    0xc7};
    EXPECT_EQ(swapped(ipv4_header_checksum(header.data(), header.size())), 0xb861);
}

// Pseudo header, UDP header and payload, in one piece.
Frame with_pseudo_header(const Frame& frame, const Datagram& d) {
    const std::size_t udp_len = d.payload_len + kUdpLen;
    const std::size_t skip = d.v4 ? 12 : 0;
    Frame all(d.src.bytes.begin() + static_cast<std::ptrdiff_t>(skip), d.src.bytes.end());
    all = all + Frame(d.dst.bytes.begin() + static_cast<std::ptrdiff_t>(skip), d.dst.bytes.end());
    all = all + Frame{0, 17} + be16(static_cast<unsigned>(udp_len));
    const auto begin = frame.begin() + static_cast<std::ptrdiff_t>(d.l4_offset);
    return all + Frame(begin, begin + static_cast<std::ptrdiff_t>(udp_len));
}

void set_field(Frame& frame, const Datagram& d, std::uint16_t in_memory_order) {
    std::memcpy(frame.data() + d.l4_offset + 6, &in_memory_order, 2);
}

class UdpChecksums : public testing::TestWithParam<bool> {
  protected:
    void SetUp() override { make("REGISTER sip:example.com SIP/2.0"); }
    void make(std::string_view payload) {
        frame = GetParam() ? datagram4(payload) : datagram6(payload);
        ASSERT_EQ(parse_packet(frame, d), PacketKind::kUdp);
    }
    std::uint16_t computed() const {
        return udp_checksum(d.src, d.dst, frame.data() + d.l4_offset,
                            static_cast<std::uint16_t>(d.payload_len + kUdpLen));
    }
    Frame frame;
    Datagram d;
};

TEST_P(UdpChecksums, EqualTheNaiveSumOverThePseudoHeader) {
    for (std::size_t len = 0; len < 70; ++len) {
        make(std::string(len, 'x'));
        const auto expected = static_cast<std::uint16_t>(~naive_sum(with_pseudo_header(frame, d)));
        EXPECT_EQ(swapped(computed()), expected) << len;
    }
}

TEST_P(UdpChecksums, RightIsRightAndEveryOtherBitWrong) {
    set_field(frame, d, computed());
    EXPECT_EQ(check_udp(frame, d), UdpChecksum::kRight);
    for (std::size_t bit = d.l4_offset * 8; bit < d.end_offset * 8; ++bit) {
        const std::size_t at = bit / 8;
        if (at >= d.l4_offset + 4 && at < d.l4_offset + 6) {
            continue;  // the length, which the parsed datagram holds already
        }
        frame[at] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_EQ(check_udp(frame, d), UdpChecksum::kWrong) << bit;
        frame[at] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
}

TEST_P(UdpChecksums, ThePseudoHeadersSumIsPartial) {
    const auto udp_len = static_cast<std::uint16_t>(d.payload_len + kUdpLen);
    set_field(frame, d, udp_pseudo_sum(d.src, d.dst, udp_len));
    const Frame all = with_pseudo_header(frame, d);
    const Frame pseudo(all.begin(), all.end() - udp_len);
    EXPECT_EQ(swapped(udp_pseudo_sum(d.src, d.dst, udp_len)), naive_sum(pseudo));
    EXPECT_EQ(check_udp(frame, d), UdpChecksum::kPartial);
    EXPECT_TRUE(acceptable(check_udp(frame, d), true));
    EXPECT_FALSE(acceptable(check_udp(frame, d), false));
}

TEST_P(UdpChecksums, NoneIsForIpv4Alone) {
    EXPECT_EQ(check_udp(frame, d), GetParam() ? UdpChecksum::kZero : UdpChecksum::kZeroOverV6);
    EXPECT_EQ(acceptable(check_udp(frame, d), true), GetParam());
}

// A sum that comes out as zero is written as 0xffff, or it would mean "none".
TEST_P(UdpChecksums, ZeroIsWrittenAsOnes) {
    make("xxxx");
    set_field(frame, d, 0);
    frame[d.payload_offset] = frame[d.payload_offset + 1] = 0;
    const std::uint16_t rest = naive_sum(with_pseudo_header(frame, d));
    const auto missing = static_cast<std::uint16_t>(0xffff - rest);
    store_be16(frame.data() + d.payload_offset, missing);
    EXPECT_EQ(computed(), 0xffff);
    set_field(frame, d, computed());
    EXPECT_EQ(check_udp(frame, d), UdpChecksum::kRight);
}

INSTANTIATE_TEST_SUITE_P(Families, UdpChecksums, testing::Bool());

TEST(Checksum, AWrongIpv4HeaderIsSeen) {
    Frame frame = datagram4("x");
    const std::uint16_t checksum = ipv4_header_checksum(frame.data() + kEthernetLen, kIpv4Len);
    std::memcpy(frame.data() + kEthernetLen + 10, &checksum, 2);
    Datagram d;
    ASSERT_EQ(parse_packet(frame, d), PacketKind::kUdp);
    EXPECT_TRUE(ip_header_right(frame, d));
    frame[kEthernetLen + 8] ^= 1;
    EXPECT_FALSE(ip_header_right(frame, d));
    const Frame v6 = datagram6("x");
    ASSERT_EQ(parse_packet(v6, d), PacketKind::kUdp);
    EXPECT_TRUE(ip_header_right(v6, d));
}

}  // namespace
}  // namespace pinhole::net
