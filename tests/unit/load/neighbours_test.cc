// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/neighbours.h"

#include "dataplane/net/checksum.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace pinhole::load {
namespace {

constexpr net::Mac kOurs{2, 0, 0, 0, 0, 1};
constexpr net::Mac kTheirs{2, 0, 0, 0, 0, 2};

net::Address at(const char* text) {
    return *net::parse_address(text);
}

struct Frame {
    std::array<std::uint8_t, kMaxNeighbourFrame> bytes{};
    std::size_t len = 0;
    [[nodiscard]] net::Bytes view() const { return {bytes.data(), len}; }
};

Frame question(const char* target, const char* own, const net::Mac& mac = kTheirs) {
    Frame frame;
    frame.len = write_neighbour_question(at(target), at(own), mac, frame.bytes.data());
    return frame;
}

// The sum over the pseudo header and all of ICMPv6, its checksum too, is all ones.
bool icmp6_sum_right(const Frame& frame) {
    const std::uint8_t* ip = frame.bytes.data() + net::kEthernetLen;
    const std::size_t len = frame.len - net::kEthernetLen - net::kIpv6Len;
    std::uint64_t sum = net::raw_sum(ip + 8, 32);
    sum +=
        std::uint64_t{__builtin_bswap16(static_cast<std::uint16_t>(len))} + __builtin_bswap16(58);
    return net::fold_sum(net::raw_sum(ip + net::kIpv6Len, len, sum)) == 0xffff;
}

TEST(Neighbours, AskedByArp) {
    const Frame asked = question("100.64.0.1", "198.51.100.1");
    EXPECT_EQ(asked.len, 42U);
    EXPECT_EQ(asked.bytes[0], 0xff);
    const auto message = read_neighbour(asked.view());
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->is_question);
    EXPECT_EQ(message->target, at("100.64.0.1"));
    EXPECT_EQ(message->sender, at("198.51.100.1"));
    EXPECT_EQ(message->sender_mac, kTheirs);

    Frame answer;
    answer.len = write_neighbour_answer(*message, kOurs, answer.bytes.data());
    EXPECT_EQ(answer.bytes[5], 2) << "to who asked";
    const auto read = read_neighbour(answer.view());
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->is_question);
    EXPECT_EQ(read->sender, at("100.64.0.1"));
    EXPECT_EQ(read->sender_mac, kOurs);
    EXPECT_EQ(read->target, at("198.51.100.1"));
}

TEST(Neighbours, AskedByDiscovery) {
    const Frame asked = question("2001:db8::12:3456", "2001:db8::1");
    EXPECT_EQ(asked.len, 86U);
    EXPECT_EQ(std::vector<std::uint8_t>(asked.bytes.begin(), asked.bytes.begin() + 6),
              (std::vector<std::uint8_t>{0x33, 0x33, 0xff, 0x12, 0x34, 0x56}));
    EXPECT_EQ(net::Address::v6_wire(asked.bytes.data() + 38), at("ff02::1:ff12:3456"));
    EXPECT_TRUE(icmp6_sum_right(asked));
    const auto message = read_neighbour(asked.view());
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->is_question);
    EXPECT_EQ(message->target, at("2001:db8::12:3456"));
    EXPECT_EQ(message->sender, at("2001:db8::1"));

    Frame answer;
    answer.len = write_neighbour_answer(*message, kOurs, answer.bytes.data());
    EXPECT_TRUE(icmp6_sum_right(answer));
    const auto read = read_neighbour(answer.view());
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->is_question);
    EXPECT_EQ(read->sender, at("2001:db8::12:3456"));
    EXPECT_EQ(read->sender_mac, kOurs);
    EXPECT_EQ(answer.bytes[net::kEthernetLen + net::kIpv6Len + 4], 0x60) << "solicited, override";
}

TEST(Neighbours, WhatIsCutOrElseIsNothing) {
    for (const Frame& whole :
         {question("100.64.0.1", "198.51.100.1"), question("2001:db8::12:3456", "2001:db8::1")}) {
        const std::size_t needed = whole.len == 42 ? 42 : 78;
        for (std::size_t len = 0; len < needed; ++len) {
            // Exactly as many bytes as there are, for the sanitizer to see.
            const std::vector<std::uint8_t> cut(whole.bytes.begin(),
                                                whole.bytes.begin() + static_cast<long>(len));
            EXPECT_FALSE(read_neighbour({cut.data(), cut.size()})) << len;
        }
    }
    Frame other = question("100.64.0.1", "198.51.100.1");
    other.bytes[21] = 3;  // RARP's operation
    EXPECT_FALSE(read_neighbour(other.view()));
    other = question("100.64.0.1", "198.51.100.1");
    other.bytes[18] = 8;  // longer hardware addresses
    EXPECT_FALSE(read_neighbour(other.view()));
    other = question("2001:db8::12:3456", "2001:db8::1");
    other.bytes[21] = 254;  // it was forwarded
    EXPECT_FALSE(read_neighbour(other.view()));
    other = question("2001:db8::12:3456", "2001:db8::1");
    other.bytes[54] = 133;  // a router solicitation
    EXPECT_FALSE(read_neighbour(other.view()));
    other.bytes[12] = 0x88;
    EXPECT_FALSE(read_neighbour(other.view()));
}

}  // namespace
}  // namespace pinhole::load
