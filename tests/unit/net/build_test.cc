// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/build.h"

#include "dataplane/net/checksum.h"
#include "tests/unit/net/frames.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pinhole::net {
namespace {

using test::Frame;

Flow flow_of(bool v4) {
    Flow flow;
    flow.ours = *parse_address(v4 ? "198.51.100.1" : "2001:db8::1");
    flow.theirs = *parse_address(v4 ? "67.194.23.55" : "2001:db8:1::9");
    flow.our_udp_port = 5060;
    flow.their_udp_port = 32947;
    return flow;
}

Frame frame_of(const HeaderSpec& spec, const Flow& flow, std::string_view payload) {
    Frame frame(headers_len(flow.is_v4()) + payload.size());
    std::copy(payload.begin(), payload.end(),
              frame.end() - static_cast<std::ptrdiff_t>(payload.size()));
    EXPECT_EQ(write_headers(spec, flow, frame.data(), payload.size()), frame.size());
    return frame;
}

class Build : public testing::TestWithParam<bool> {
  protected:
    HeaderSpec spec{
        .src_mac = {2, 0, 0, 0, 0, 1}, .dst_mac = {2, 0, 0, 0, 0, 2}, .tos = kTosCs3, .ip_id = 77};
    Flow flow = flow_of(GetParam());
};

TEST_P(Build, ParsesBackToTheSame) {
    for (const std::size_t len : {0, 1, 8, 451, 1400}) {
        const std::string payload(len, 's');
        const Frame frame = frame_of(spec, flow, payload);
        Datagram d;
        ASSERT_EQ(parse_packet(frame, d), PacketKind::kUdp);
        EXPECT_EQ(d.text(), payload);
        EXPECT_EQ(d.src, flow.ours);
        EXPECT_EQ(d.dst, flow.theirs);
        EXPECT_EQ(d.src_port, 5060);
        EXPECT_EQ(d.dst_port, 32947);
        EXPECT_EQ(d.ttl, 64);
        EXPECT_EQ(d.tos, kTosCs3);
        EXPECT_EQ(d.end_offset, frame.size());
        EXPECT_EQ(frame[5], 2);
        EXPECT_EQ(frame[11], 1);
        EXPECT_TRUE(ip_header_right(frame, d));
        EXPECT_EQ(check_udp(frame, d), UdpChecksum::kRight);
    }
}

TEST_P(Build, LeavesTheChecksumsToTheDevice) {
    spec.checksum = ChecksumBy::kDevice;
    const Frame frame = frame_of(spec, flow, "OPTIONS");
    Datagram d;
    ASSERT_EQ(parse_packet(frame, d), PacketKind::kUdp);
    EXPECT_EQ(check_udp(frame, d), UdpChecksum::kPartial);
    if (GetParam()) {
        EXPECT_EQ(load_be16(frame.data() + kEthernetLen + 10), 0);
    }
}

TEST_P(Build, RefusesWhatUdpCannotSay) {
    const std::size_t most = GetParam() ? kMaxPayloadV4 : kMaxPayloadV6;
    Frame frame(headers_len(GetParam()) + most);
    EXPECT_EQ(write_headers(spec, flow, frame.data(), most), frame.size());
    Datagram d;
    EXPECT_EQ(parse_packet(frame, d), PacketKind::kUdp);
    EXPECT_EQ(d.payload_len, most);
    EXPECT_EQ(write_headers(spec, flow, frame.data(), most + 1), 0U);
}

TEST_P(Build, WritesAReplyOverThePacketThatCameIn) {
    Frame frame = GetParam() ? test::datagram4("REGISTER") : test::datagram6("REGISTER");
    Datagram request;
    ASSERT_EQ(parse_packet(frame, request), PacketKind::kUdp);
    const Flow back = request.flow(0);
    std::uint8_t* start = frame.data() + request.payload_offset - headers_len(GetParam());
    ASSERT_NE(write_headers(spec, back, start, request.payload_len), 0U);
    Datagram reply;
    ASSERT_EQ(parse_packet(frame, reply), PacketKind::kUdp);
    EXPECT_EQ(reply.src, request.dst);
    EXPECT_EQ(reply.dst, request.src);
    EXPECT_EQ(reply.dst_port, 32947);
    EXPECT_EQ(reply.text(), "REGISTER");
    EXPECT_EQ(check_udp(frame, reply), UdpChecksum::kRight);
}

INSTANTIATE_TEST_SUITE_P(Families, Build, testing::Bool());

TEST(BuildV4, DontFragmentIsSetOnlyWhenAskedFor) {
    HeaderSpec spec;
    EXPECT_EQ(load_be16(frame_of(spec, flow_of(true), "x").data() + 20), 0);
    spec.dont_fragment = true;
    EXPECT_EQ(load_be16(frame_of(spec, flow_of(true), "x").data() + 20), kIpv4DontFragment);
}

TEST(BuildV4, RefusesAMixtureOfFamilies) {
    Flow flow = flow_of(true);
    flow.ours = flow_of(false).ours;
    Frame frame(100);
    EXPECT_EQ(write_headers({}, flow, frame.data(), 1), 0U);
}

TEST(BuildMtu, FitsToTheByte) {
    EXPECT_TRUE(fits_mtu(true, 1472, 1500));
    EXPECT_FALSE(fits_mtu(true, 1473, 1500));
    EXPECT_TRUE(fits_mtu(false, 1452, 1500));
    EXPECT_FALSE(fits_mtu(false, 1453, 1500));
}

}  // namespace
}  // namespace pinhole::net
