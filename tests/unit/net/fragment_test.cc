// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/fragment.h"

#include "dataplane/net/build.h"
#include "dataplane/net/checksum.h"
#include "tests/unit/net/frames.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pinhole::net {
namespace {

using test::Frame;

struct Frames {
    std::vector<Frame> all;
    std::size_t limit = 1000;
    std::uint8_t* next(std::size_t len) {
        if (all.size() == limit) {
            return nullptr;
        }
        all.emplace_back(len);
        return all.back().data();
    }
};

Frame whole_frame(bool v4, std::size_t payload_len, bool dont_fragment = false) {
    Flow flow;
    flow.ours = *parse_address(v4 ? "198.51.100.1" : "2001:db8::1");
    flow.theirs = *parse_address(v4 ? "67.194.23.55" : "2001:db8:1::9");
    flow.our_udp_port = 5060;
    flow.their_udp_port = 32947;
    Frame frame(headers_len(v4) + payload_len);
    for (std::size_t i = headers_len(v4); i < frame.size(); ++i) {
        frame[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    }
    HeaderSpec spec;
    spec.tos = kTosCs3;
    spec.dont_fragment = dont_fragment;
    EXPECT_EQ(write_headers(spec, flow, frame.data(), payload_len), frame.size());
    return frame;
}

// Puts the pieces together as RFC 791 and RFC 8200 say, checking each, and returns what IP carried.
Frame reassemble(const std::vector<Frame>& fragments, const Frame& whole, std::size_t mtu,
                 std::uint32_t id) {
    Datagram original;
    EXPECT_EQ(parse_packet(whole, original), PacketKind::kUdp);
    Frame data;
    for (std::size_t i = 0; i < fragments.size(); ++i) {
        Datagram d;
        EXPECT_EQ(parse_packet(fragments[i], d), PacketKind::kFragment);
        EXPECT_EQ(d.src, original.src);
        EXPECT_EQ(d.dst, original.dst);
        EXPECT_EQ(d.tos, original.tos);
        EXPECT_EQ(d.ttl, original.ttl);
        EXPECT_EQ(d.protocol, kProtoUdp);
        EXPECT_TRUE(ip_header_right(fragments[i], d));
        EXPECT_LE(d.end_offset - d.l3_offset, mtu);
        EXPECT_EQ(d.end_offset, fragments[i].size());
        EXPECT_EQ(d.fragment.id, original.v4 ? id & 0xffff : id);
        EXPECT_EQ(d.fragment.offset_bytes, data.size());
        EXPECT_EQ(d.fragment.more, i + 1 < fragments.size());
        EXPECT_TRUE(std::equal(whole.begin(), whole.begin() + 14, fragments[i].begin()));
        data.insert(data.end(), fragments[i].begin() + d.l4_offset, fragments[i].end());
    }
    return data;
}

class Fragments : public testing::TestWithParam<bool> {};

TEST_P(Fragments, ReassembleToTheWhole) {
    const bool v4 = GetParam();
    const std::size_t mtus[] = {v4 ? 68U : 1280U, 576, 1280, 1499, 1500, 9000};
    for (const std::size_t mtu : mtus) {
        const std::size_t fits = mtu - (headers_len(v4) - kEthernetLen);
        for (const std::size_t len :
             {fits + 1, fits + 7, fits + 8, 2 * fits, 2 * fits + 13, std::size_t{8192}}) {
            if (fits_mtu(v4, len, mtu)) {
                continue;
            }
            const Frame whole = whole_frame(v4, len);
            Frames out;
            ASSERT_EQ(fragment(whole, mtu, 0xabcd1234, out), FragmentResult::kDone);
            ASSERT_GE(out.all.size(), 2U);
            const Frame data = reassemble(out.all, whole, mtu, 0xabcd1234);
            const Frame carried(
                whole.begin() + static_cast<std::ptrdiff_t>(headers_len(v4) - kUdpLen),
                whole.end());
            EXPECT_EQ(data, carried) << "mtu " << mtu << " payload " << len;
        }
    }
}

TEST_P(Fragments, StopWhenThereIsNoRoom) {
    Frames out;
    out.limit = 2;
    EXPECT_EQ(fragment(whole_frame(GetParam(), 5000), 1500, 1, out), FragmentResult::kNoRoom);
    EXPECT_EQ(out.all.size(), 2U);
}

TEST_P(Fragments, WantRoomForEightBytes) {
    const std::size_t headers = GetParam() ? kIpv4Len : kIpv6Len + kIpv6FragmentLen;
    Frames out;
    EXPECT_EQ(fragment(whole_frame(GetParam(), 100), headers + 7, 1, out), FragmentResult::kBadMtu);
    EXPECT_TRUE(out.all.empty());
    EXPECT_EQ(fragment(whole_frame(GetParam(), 100), headers + 8, 1, out), FragmentResult::kDone);
    EXPECT_EQ(out.all.size(), 14U);
}

TEST_P(Fragments, EveryTruncationIsRefused) {
    const Frame whole = whole_frame(GetParam(), 100);
    for (std::size_t len = 0; len < whole.size(); ++len) {
        Frames out;
        const Frame cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(len));
        EXPECT_EQ(fragment(cut, 80, 1, out), FragmentResult::kBadFrame) << len;
    }
}

INSTANTIATE_TEST_SUITE_P(Families, Fragments, testing::Bool());

TEST(Fragment, HonoursDontFragment) {
    Frames out;
    EXPECT_EQ(fragment(whole_frame(true, 3000, true), 1500, 1, out), FragmentResult::kDontFragment);
}

TEST(Fragment, LeavesFragmentsAndForeignHeadersAlone) {
    Frames out;
    Frame frame = whole_frame(true, 3000);
    frame[kEthernetLen + 6] = 0x20;
    EXPECT_EQ(fragment(frame, 1500, 1, out), FragmentResult::kBadFrame);
    frame = whole_frame(true, 3000);
    frame[kEthernetLen] = 0x46;
    EXPECT_EQ(fragment(frame, 1500, 1, out), FragmentResult::kBadFrame);
    frame = whole_frame(false, 3000);
    frame[kEthernetLen + 6] = 0;
    EXPECT_EQ(fragment(frame, 1500, 1, out), FragmentResult::kBadFrame);
    frame[12] = 0;
    EXPECT_EQ(fragment(frame, 1500, 1, out), FragmentResult::kBadFrame);
}

}  // namespace
}  // namespace pinhole::net
