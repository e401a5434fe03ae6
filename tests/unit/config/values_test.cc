// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/values.h"

#include <gtest/gtest.h>

#include <string>

namespace pinhole::config {
namespace {

TEST(Values, ReadAndWrittenAgain) {
    for (const char* text : {"af_packet:eth0", "af_xdp:ens1f0np0", "pci:0000:03:00.0",
                             "memif:/run/a.sock", "vdev:net_tap0,iface=tap0"}) {
        const auto device = read_device(text);
        ASSERT_TRUE(device.value) << text << ": " << device.reason;
        EXPECT_EQ(to_text(*device.value), text);
    }
    for (const char* text : {"203.0.113.10:5062", "[2001:db8::1]:5060"}) {
        const auto peer = read_peer(text);
        ASSERT_TRUE(peer.value) << text << ": " << peer.reason;
        EXPECT_EQ(to_text(*peer.value), text);
    }
    for (const char* text :
         {"example.com", "example.com:5080", "198.51.100.1", "[2001:db8::1]:5060"}) {
        const auto domain = read_domain(text);
        ASSERT_TRUE(domain.value) << text << ": " << domain.reason;
        EXPECT_EQ(to_text(*domain.value), text);
    }
    for (const char* text : {"127.0.0.1:9060", "[::]:9060", ""}) {
        const auto listen = read_listen(text);
        ASSERT_TRUE(listen.value) << text << ": " << listen.reason;
        EXPECT_EQ(to_text(*listen.value), text);
    }
}

TEST(Values, Refused) {
    for (const char* text :
         {"", "eth0", "af_packet", "af_packet:", "af_packet:a b", "af_packet:a/b", "af_packet:..",
          "tap:x", "pci:0000:03:00", "pci:0000:03:00.g", "memif:a", "memif:/", "memif:/a,id=1",
          "vdev:,x", "vdev:a b"}) {
        const auto device = read_device(text);
        EXPECT_FALSE(device.value) << text;
        EXPECT_FALSE(device.reason.empty()) << text;
    }
    for (const char* text :
         {"", "0.0.0.0", "::", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:5060x",
          "[2001:db8::1", "[2001:db8::1]5060", "192.0.2.0/24", "a.example"}) {
        EXPECT_FALSE(read_peer(text).value) << text;
    }
    for (const char* text : {"", ".", "a..b", "a.", "-a.b", "a b", "sip:a", "a:b:c", "[a.example]",
                             "1.2.3", "a:", "*.example.com"}) {
        EXPECT_FALSE(read_domain(text).value) << text;
    }
    for (const char* text : {"9060", ":9060", "localhost:9060", "127.0.0.1", "127.0.0.1:0"}) {
        EXPECT_FALSE(read_listen(text).value) << text;
    }
}

TEST(Values, DomainsAreLowerCase) {
    EXPECT_EQ(read_domain("EXAMPLE.Com").value->host, "example.com");
}

}  // namespace
}  // namespace pinhole::config
