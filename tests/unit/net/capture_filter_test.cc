// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/capture_filter.h"

#include "tests/unit/net/frames.h"

#include <gtest/gtest.h>

namespace pinhole::net {
namespace {

using namespace test;

// A filter that can't be read matches nothing here, and fails the test.
bool takes(std::string_view words, const Frame& frame) {
    std::string problem;
    const auto filter = CaptureFilter::parse(words, problem);
    EXPECT_TRUE(filter) << problem;
    return filter && filter->matches(frame);
}

TEST(CaptureFilter, EachTermHasToHold) {
    // 192.0.2.1:32947 to 198.51.100.7:5060, and 2001:db8::1 to 2001:db8::2.
    const Frame v4 = datagram4("REGISTER sip:example.com\r\nTo: <sip:alice@example.com>\r\n");
    const Frame v6 = datagram6("REGISTER sip:example.com\r\nCall-ID: x7@phone\r\n");
    struct Case {
        const char* words;
        bool first, second;
    };
    for (const Case& each :
         {Case{"", true, true}, Case{"  ", true, true}, Case{"host 192.0.2.1", true, false},
          Case{"host 198.51.100.7", true, false}, Case{"host 2001:db8::2", false, true},
          Case{"host 192.0.2.2", false, false}, Case{"port 32947", true, true},
          Case{"port 5060", true, true}, Case{"port 5061", false, false},
          Case{"text alice@example.com", true, false}, Case{"text x7@phone", false, true},
          Case{"text Alice", false, false},
          Case{"port 5060 host 192.0.2.1 text alice", true, false},
          Case{"text alice host 2001:db8::1", false, false}}) {
        EXPECT_EQ(takes(each.words, v4), each.first) << each.words;
        EXPECT_EQ(takes(each.words, v6), each.second) << each.words;
    }
}

TEST(CaptureFilter, WhatIsNoDatagramMeetsNoTerm) {
    const Frame arp(42, 0);
    EXPECT_TRUE(takes("", arp));
    EXPECT_FALSE(takes("host 0.0.0.0", arp));
    EXPECT_FALSE(takes("port 5060", Frame{}));
}

TEST(CaptureFilter, BadOnesAreSentences) {
    for (const char* words : {"host", "host x", "port 0", "port 65536", "port 50x", "text", "udp 7",
                              "port 1 port 2", "text a text b", "host 1.2.3.4 and port 5"}) {
        std::string problem;
        EXPECT_FALSE(CaptureFilter::parse(words, problem)) << words;
        EXPECT_NE(problem.find("`host ADDRESS`"), std::string::npos) << words;
    }
    std::string problem;
    EXPECT_FALSE(CaptureFilter::parse("text " + std::string(129, 'a'), problem));
    EXPECT_TRUE(CaptureFilter::parse("text " + std::string(128, 'a'), problem));
}

}  // namespace
}  // namespace pinhole::net
