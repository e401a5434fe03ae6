// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/admit/rate_limits.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

namespace pinhole::admit {
namespace {

constexpr Moment kStart{.ms = 5'000, .s = 1'700'000'000};
constexpr std::uint64_t kAlice = 0xa11ce;
constexpr std::uint64_t kBob = 0xb0b;

// Small numbers: 10 by flow, 30 by address, 2 more for each phone; 3 guesses for a user, 12 for
// all.
constexpr LimitPolicy kPolicy{.flow = {60, 10},
                              .address = {60, 30},
                              .phone = {60, 2},
                              .guesses = {1, 3},
                              .address_guesses = {1, 12}};

Moment later(std::uint32_t s) {
    return {.ms = kStart.ms + s * 1000, .s = kStart.s + s};
}

net::Flow from(const std::string& address, std::uint16_t port) {
    net::Flow flow;
    flow.theirs = net::parse_address(address).value();
    flow.ours = net::parse_address(flow.theirs.is_v4() ? "198.51.100.1" : "2001:db8::1").value();
    flow.our_udp_port = 5060;
    flow.their_udp_port = port;
    return flow;
}

struct Limiter : testing::Test {
    explicit Limiter(unsigned workers = 1)
        : limits(
              kPolicy, 1024, workers,
              table::KeyedHash(std::array<std::byte, table::KeyedHash::kSeedBytes>{std::byte{9}})) {
    }

    unsigned admitted(const net::Flow& flow, unsigned tries, const Moment& now = kStart) {
        unsigned count = 0;
        for (unsigned i = 0; i < tries; ++i) {
            count += limits.admit(flow, now) == Limited::kNo ? 1 : 0;
        }
        return count;
    }
    // From a new port each time.
    unsigned admitted_by_ports(const std::string& address, unsigned tries,
                               const Moment& now = kStart) {
        unsigned count = 0;
        for (unsigned i = 0; i < tries; ++i) {
            count += admitted(from(address, static_cast<std::uint16_t>(10'000 + i)), 1, now);
        }
        return count;
    }
    unsigned guesses(const net::Flow& flow, std::uint64_t user, unsigned tries,
                     const Moment& now = kStart) {
        unsigned count = 0;
        for (unsigned i = 0; i < tries && limits.may_guess(flow, user, now); ++i, ++count) {
            limits.guessed_wrong(flow, user, now);
        }
        return count;
    }

    Limits limits;
};
struct LimiterOfTwo : Limiter {
    LimiterOfTwo() : Limiter(2) {}
};

TEST_F(Limiter, AFlow) {
    EXPECT_EQ(admitted(from("192.0.2.1", 5060), 100), 10u);
    EXPECT_EQ(limits.admit(from("192.0.2.1", 5060), kStart), Limited::kByFlow);
    EXPECT_EQ(admitted(from("192.0.2.1", 5061), 1), 1u) << "its neighbour has its own";
    EXPECT_EQ(admitted(from("192.0.2.1", 5060), 100, later(2)), 2u);
}

TEST_F(Limiter, AnAddressWhateverItsPorts) {
    EXPECT_EQ(admitted_by_ports("192.0.2.1", 100), 30u);
    EXPECT_EQ(limits.admit(from("192.0.2.1", 9), kStart), Limited::kByAddress);
    EXPECT_EQ(admitted(from("192.0.2.2", 9), 1), 1u) << "another address";
}

TEST_F(Limiter, WhatAFlowIsRefusedItsAddressKeeps) {
    EXPECT_EQ(admitted(from("192.0.2.1", 5060), 1000), 10u);
    EXPECT_EQ(admitted_by_ports("192.0.2.1", 100), 20u);
}

// RFC 4291: who has a /64 has 2^64 addresses; a site often has a /56.
TEST_F(Limiter, Ipv6BySubnets) {
    unsigned count = 0;
    for (unsigned i = 1; i < 100; ++i) {
        count += admitted(from("2001:db8:1:200:" + std::to_string(i) + "00::1", 5060), 1);
    }
    EXPECT_EQ(count, 30u);
    for (unsigned net = 1; net < 20; ++net) {
        const std::string prefix = "2001:db8:1:20" + std::string(1, "0123456789abcdef"[net % 16]);
        for (unsigned i = 0; i < 40; ++i) {
            count += admitted(from(prefix + "::" + std::to_string(i + 1), 5060), 1);
        }
    }
    EXPECT_EQ(count, 120u) << "four times that of a /64";
    EXPECT_EQ(admitted(from("2001:db8:1:300::1", 5060), 1), 1u) << "another /56";
}

TEST_F(Limiter, GrowsWithThePhonesBehind) {
    const std::string gateway = "192.0.2.1";
    for (std::uint16_t i = 0; i < 500; ++i) {
        limits.registered(from(gateway, static_cast<std::uint16_t>(20'000 + i)), 3600, true,
                          kStart);
    }
    // Some hours later all come back at once, by ports that nobody has seen.
    const Moment after = later(4 * 3600);
    EXPECT_GT(admitted_by_ports(gateway, 2000, after), 700u);
    EXPECT_LT(admitted_by_ports(gateway, 2000, after), 1030u);
    EXPECT_EQ(admitted_by_ports("192.0.2.2", 2000, after), 30u) << "not the neighbour's";
}

TEST_F(Limiter, ThePhonesThatLeftDoNotCount) {
    const net::Flow phone = from("192.0.2.1", 5060);
    for (int i = 0; i < 100; ++i) {
        limits.registered(phone, 3600, true, kStart);
        limits.left(phone, kStart);
    }
    EXPECT_EQ(admitted(phone, 100), 10u);
}

TEST_F(Limiter, AFlowOfManyLines) {
    const net::Flow pbx = from("192.0.2.1", 5060);
    for (int i = 0; i < 100; ++i) {
        limits.registered(pbx, 3600, true, kStart);
    }
    EXPECT_EQ(admitted(pbx, 1000), 210u);
}

TEST_F(Limiter, GuessesAtOneUser) {
    const net::Flow attacker = from("192.0.2.66", 5060);
    EXPECT_EQ(guesses(attacker, kAlice, 100), 3u);
    EXPECT_EQ(guesses(from("192.0.2.66", 5061), kAlice, 100), 0u) << "another port of theirs";
    EXPECT_EQ(guesses(attacker, kBob, 100), 3u);
    EXPECT_EQ(guesses(from("192.0.2.7", 5060), kAlice, 1), 1u) << "Alice herself is not locked out";
    EXPECT_EQ(guesses(attacker, kAlice, 100, later(60)), 1u);
}

TEST_F(Limiter, GuessesAtOneAfterAnother) {
    const net::Flow attacker = from("192.0.2.66", 5060);
    unsigned count = 0;
    for (std::uint64_t user = 1000; user < 2000; ++user) {
        count += guesses(attacker, user, 1);
    }
    EXPECT_EQ(count, 12u);
    EXPECT_EQ(guesses(from("192.0.2.7", 5060), kBob, 1), 1u);
}

TEST_F(Limiter, LookingIsFree) {
    const net::Flow phone = from("192.0.2.1", 5060);
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(limits.may_guess(phone, kAlice, kStart));
    }
}

TEST_F(Limiter, WhatIsKeptOverARestart) {
    for (std::uint16_t i = 0; i < 200; ++i) {
        limits.registered(from("192.0.2.1", static_cast<std::uint16_t>(i + 1)), 3600, true, kStart);
    }
    struct Other : Limiter {
        void TestBody() override {}
    } next;
    for (const Source& source : limits.addresses().all()) {
        next.limits.remember(source.name, source.phones_now(kStart.s), kStart);
    }
    EXPECT_EQ(next.admitted_by_ports("192.0.2.1", 1000), 430u);
    EXPECT_EQ(next.admitted_by_ports("192.0.2.2", 1000), 30u);
}

TEST_F(Limiter, WhatIsKeptOf64CountsForIts56Too) {
    for (std::uint16_t i = 0; i < 200; ++i) {
        limits.registered(from("2001:db8:1:201::1", static_cast<std::uint16_t>(i + 1)), 3600, true,
                          kStart);
    }
    struct Other : Limiter {
        void TestBody() override {}
    } next;
    for (const Source& source : limits.addresses().all()) {
        next.limits.remember(source.name, source.phones_now(kStart.s), kStart);
    }
    EXPECT_EQ(next.admitted_by_ports("2001:db8:1:201::2", 1000), 430u);
}

TEST_F(LimiterOfTwo, WorkersShareAnAddress) {
    EXPECT_EQ(admitted_by_ports("192.0.2.1", 100), 15u);
    EXPECT_EQ(admitted(from("192.0.2.2", 5060), 100), 10u) << "a flow has one worker";
}

TEST(Limits, MayBeOff) {
    LimitPolicy off = kPolicy;
    off.enabled = false;
    Limits limits(
        off, 16, 1,
        table::KeyedHash(std::array<std::byte, table::KeyedHash::kSeedBytes>{std::byte{9}}));
    for (int i = 0; i < 1000; ++i) {
        EXPECT_EQ(limits.admit(from("192.0.2.1", 5060), kStart), Limited::kNo);
        limits.guessed_wrong(from("192.0.2.1", 5060), kAlice, kStart);
    }
    EXPECT_TRUE(limits.may_guess(from("192.0.2.1", 5060), kAlice, kStart));
}

}  // namespace
}  // namespace pinhole::admit
