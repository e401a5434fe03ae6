// SPDX-License-Identifier: BSD-3-Clause
// A worker that gets ten times what it can do. Each millisecond of the test's clock it takes one
// burst from a queue that ten bursts arrive at; the queue has room for ten bursts and loses the
// rest.
#include "tests/unit/edge/edge_scene.h"

#include <algorithm>
#include <functional>
#include <set>

namespace pinhole::edge::test {
namespace {

constexpr unsigned kPhones = 100;
constexpr std::uint16_t kPhonePort = 20'000;

std::string request(const std::string& method, const std::string& uri, unsigned n) {
    const std::string call_id = "c" + std::to_string(n);
    return method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK" +
           call_id + ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:eve@example.com>;tag=f\r\nTo: <" +
           uri + ">\r\nCall-ID: " + call_id + "\r\nCSeq: 1 " + method +
           "\r\nUser-Agent: as long as those of most phones are\r\nContent-Length: 0\r\n\r\n";
}

class Avalanche : public EdgeScene {
  public:
    void SetUp() override { begin(true); }
    void TearDown() override {
        drain();
        EdgeScene::TearDown();
    }

    void begin(bool refuse) {
        lay({.max_contacts = 50'000, .refuse_when_overloaded = refuse});
        for (unsigned phone = 0; phone < kPhones; ++phone) {
            EXPECT_EQ(edge->ask(0, flow_of(phone), refresh(phone)).size(), 1U);
        }
    }
    static net::Flow flow_of(unsigned phone) {
        return from(kNat, static_cast<std::uint16_t>(kPhonePort + phone));
    }
    std::string refresh(unsigned phone) {
        const std::string user = std::to_string(phone);
        return Register{.user = user, .call_id = user, .cseq = ++cseq, .expires = "3600"}.text();
    }
    std::string newcomer() {
        const std::string user = "n" + std::to_string(++strangers);
        return Register{.user = user, .call_id = user, .expires = "3600"}.text();
    }
    // Returns a flow that nothing has come by before.
    net::Flow stranger() {
        ++strangers;
        return from(net::Address::v4(0x14000000 + strangers / 50'000),
                    static_cast<std::uint16_t>(10'000 + strangers % 50'000));
    }
    // Lets ten bursts arrive in each of `for_ms` milliseconds, each packet put by `next`, and
    // returns the answers.
    std::vector<Sent> storm(unsigned for_ms, const std::function<void()>& next) {
        std::vector<Sent> answers;
        for (unsigned ms = 0; ms < for_ms; ++ms) {
            // A full queue loses what comes, so that is not made.
            while (waiting < kQueue) {
                next();
                ++waiting;
            }
            edge->pass_ms(1);
            (void)edge->round(0);
            waiting -= kMaxBurst;
            for (Sent& seen : edge->sent(0)) {
                answers.push_back(std::move(seen));
            }
        }
        return answers;
    }
    // Overloads the worker until it refuses all that it may refuse.
    void press() {
        (void)storm((admit::Pressure::kGrace_us + 3 * admit::Pressure::kRise_us) / 1000 + 2, [&] {
            edge->put(0, stranger(), request("OPTIONS", "sip:100@example.com", 1));
        });
        drain();
    }
    // Works on what is left in the queue while the clock stands still.
    void drain() {
        while (waiting > 0) {
            (void)edge->round(0);
            waiting -= std::min(waiting, kMaxBurst);
            (void)edge->sent(0);
        }
    }
    std::uint64_t refused(Refused group) {
        return edge->counters(0).refused[static_cast<std::size_t>(group)].get();
    }
    static std::size_t with(const std::vector<Sent>& answers, const std::string& code) {
        return static_cast<std::size_t>(std::count_if(
            answers.begin(), answers.end(),
            [&](const Sent& seen) { return seen.text.substr(0, 11) == "SIP/2.0 " + code; }));
    }

    static constexpr unsigned kQueue = 10 * kMaxBurst;
    unsigned waiting = 0;
    unsigned cseq = 0;
    unsigned strangers = 0;
};

TEST_F(Avalanche, PhonesAreServedStrangersAreNot) {
    press();
    const std::uint64_t before = refused(Refused::kOther);
    unsigned turn = 0;
    unsigned refreshes = 0;
    const auto answers = storm(200, [&] {
        if (++turn % 10 == 0) {
            const unsigned phone = turn / 10 % kPhones;
            edge->put(0, flow_of(phone), refresh(phone));
            ++refreshes;
        } else {
            edge->put(0, stranger(), request("OPTIONS", "sip:100@example.com", turn));
        }
    });
    const std::size_t served = with(answers, "200");
    EXPECT_GE(served + kQueue / 10 + 1, refreshes) << "all but those still in the queue";
    EXPECT_EQ(refused(Refused::kOther) - before, 200 * kMaxBurst - served);
    EXPECT_NEAR(with(answers, "503"), served / admit::Overload::kServedForAnswer, 2);
    EXPECT_EQ(with(answers, "404"), 0U);
    EXPECT_EQ(answers.size(), served + with(answers, "503"));
}

TEST_F(Avalanche, TwoInThreeNewcomersAreServed) {
    press();
    std::set<std::string> retries;
    const std::uint64_t before = edge->drops(0, DropReason::kOverload);
    const auto answers = storm(300, [&] { edge->put(0, stranger(), newcomer()); });
    const unsigned taken = 300 * kMaxBurst;
    EXPECT_NEAR(with(answers, "200"), taken * 2 / 3, 40);
    EXPECT_NEAR(refused(Refused::kNewcomer), taken / 3, 40);
    EXPECT_EQ(edge->drops(0, DropReason::kOverload) - before,
              refused(Refused::kNewcomer) - with(answers, "503"));
    for (const Sent& seen : answers) {
        if (seen.has("SIP/2.0 503")) {
            const std::size_t at = seen.text.find("Retry-After: ") + 13;
            const std::string after = seen.text.substr(at, seen.text.find("\r\n", at) - at);
            EXPECT_GE(std::stoi(after), 60);
            EXPECT_LE(std::stoi(after), 120);
            retries.insert(after);
        }
    }
    EXPECT_GE(retries.size(), 55U) << "nearly all of the 61 values, in some 400 refusals";
}

TEST_F(Avalanche, RefusalsEndWithTheOverload) {
    press();
    EXPECT_TRUE(edge->ask(0, stranger(), request("OPTIONS", "sip:100@example.com", 7))[0].has(
        "SIP/2.0 503"));
    for (unsigned ms = 0; ms < 5 * admit::Pressure::kFall_us / 1000; ++ms) {
        edge->pass_ms(1);
        (void)edge->round(0);
    }
    const auto seen = edge->ask(0, stranger(), request("OPTIONS", "sip:100@example.com", 8));
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_FALSE(seen[0].has("SIP/2.0 503"));
}

TEST_F(Avalanche, TheCoreAndEmergencyCallsAreNeverRefused) {
    press();
    for (unsigned i = 0; i < 50; ++i) {
        edge->put(0, from(kCore, kSip), request("OPTIONS", "sip:example.com", i));
        edge->put(0, stranger(), request("INVITE", "urn:service:sos", i));
        (void)edge->round(0);
    }
    const std::uint64_t others = refused(Refused::kOther);
    const auto unregistered = static_cast<std::size_t>(EmergencySender::kUnregistered);
    EXPECT_EQ(edge->counters(0).emergencies[unregistered].get(), 50U);
    EXPECT_EQ(edge->responses(0, 200), kPhones + 50);
    // Calls that are no emergency calls are refused.
    for (unsigned i = 0; i < 50; ++i) {
        (void)edge->ask(0, stranger(), request("INVITE", "sip:100@example.com", i));
    }
    EXPECT_EQ(refused(Refused::kOther) - others, 50U);
}

TEST_F(Avalanche, WhatIsRefusedLeavesNothingBehind) {
    press();
    EXPECT_EQ(edge->table().counts().contacts, kPhones);
    EXPECT_EQ(edge->counters(0).calls_out.get(), 0U);
    // Neither an ACK is answered nor a request that is broken or too short for an answer.
    const std::uint64_t drops = edge->drops(0, DropReason::kOverload);
    EXPECT_TRUE(edge->ask(0, stranger(), request("ACK", "sip:100@example.com", 1)).empty());
    EXPECT_TRUE(edge->ask(0, stranger(), "OPTIONS sip:a SIP/2.0\r\nx\r\n\r\n").empty());
    EXPECT_EQ(edge->drops(0, DropReason::kOverload), drops + 2);
}

TEST_F(Avalanche, SwitchedOffItRefusesNothing) {
    begin(false);
    press();
    EXPECT_EQ(refused(Refused::kOther), 0U);
    EXPECT_EQ(edge->responses(0, 503), 0U);
}

}  // namespace
}  // namespace pinhole::edge::test
