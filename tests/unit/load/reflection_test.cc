// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/reflection.h"

#include "dataplane/net/build.h"
#include "dataplane/net/checksum.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>
#include <vector>

namespace pinhole::load {
namespace {

void comes_back(const char* from, const char* to) {
    constexpr std::string_view kText = "OPTIONS sip:a SIP/2.0\r\n";
    net::Flow flow;
    flow.ours = *net::parse_address(from);
    flow.our_udp_port = 32947;
    flow.theirs = *net::parse_address(to);
    flow.their_udp_port = 5060;
    net::HeaderSpec spec;
    spec.src_mac = {2, 0, 0, 0, 0, 1};
    spec.dst_mac = {2, 0, 0, 0, 0, 2};
    const std::size_t headers = net::headers_len(flow.is_v4());
    std::vector<std::uint8_t> frame(headers + kText.size());
    std::memcpy(frame.data() + headers, kText.data(), kText.size());
    (void)net::write_headers(spec, flow, frame.data(), kText.size());

    net::Datagram datagram;
    ASSERT_EQ(net::parse_packet(frame, datagram), net::PacketKind::kUdp);
    reflect(frame, datagram);

    ASSERT_EQ(net::parse_packet(frame, datagram), net::PacketKind::kUdp);
    EXPECT_EQ(datagram.src, flow.theirs);
    EXPECT_EQ(datagram.src_port, 5060);
    EXPECT_EQ(datagram.dst, flow.ours);
    EXPECT_EQ(datagram.dst_port, 32947);
    EXPECT_EQ(datagram.text(), kText);
    EXPECT_TRUE(net::ip_header_right(frame, datagram));
    EXPECT_EQ(net::check_udp(frame, datagram), net::UdpChecksum::kRight);
    EXPECT_EQ(std::memcmp(frame.data(), spec.src_mac.data(), 6), 0);
    EXPECT_EQ(std::memcmp(frame.data() + 6, spec.dst_mac.data(), 6), 0);
}

TEST(Reflection, Ipv4ComesBack) {
    comes_back("100.64.0.1", "198.51.100.1");
}
TEST(Reflection, Ipv6ComesBack) {
    comes_back("2001:db8:64::1", "2001:db8:100::1");
}

}  // namespace
}  // namespace pinhole::load
