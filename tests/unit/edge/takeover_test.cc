// SPDX-License-Identifier: BSD-3-Clause
// A gateway gives the port of a dead mapping to another phone, which then registers by the first
// phone's flow: the first phone gets no calls from then on. Also: which senders can't bring that
// about.
#include "dataplane/nat/takeover.h"

#include "tests/unit/edge/edge_scene.h"

#include <gtest/gtest.h>

namespace pinhole::edge::test {
namespace {

class Takeover : public EdgeScene {
  public:
    // Worker 0 receives everything. `first` and `second` are users whose AORs belong to these
    // shards.
    void begin(unsigned workers, unsigned first_shard, unsigned second_shard) {
        lay({.workers = workers});
        first = user_of(first_shard);
        second = user_of(second_shard, 1);
        settle(Register{.user = first, .call_id = "c1"});
        id = contact(first).id;
        edge->pass_ms(nat::kShortestMapping_ms);
    }
    // Sends a REGISTER by the flow and returns the answer, which may come by way of the AOR's
    // owner.
    std::vector<Sent> settle(const Register& request) { return settle_text(request.text()); }
    std::vector<Sent> settle_text(const std::string& text) {
        edge->put(0, flow, text);
        edge->settle();
        std::vector<Sent> seen = edge->sent(0);
        EXPECT_EQ(seen.size(), 1U);
        return seen;
    }
    // What the control thread writes of a phone that has answered pings and misses them now.
    void fall_silent() {
        edge->qualify().write_control(id.slot, {.generation = id.generation,
                                                .state = table::Reach::kUnreachable,
                                                .missed = 3,
                                                .flags = table::QualifyView::kEverAnswered});
    }
    [[nodiscard]] bool is_suspect(const std::string& user) const {
        return (contact(user).state.flags & table::kSuspect) != 0;
    }
    std::string call_result() {
        const std::string n = std::to_string(++calls);
        const auto seen = edge->ask(
            0, from(kCore, kSip),
            "INVITE sip:" + first +
                "@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK" + n +
                "\r\nMax-Forwards: 70\r\nFrom: <sip:200@example.com>;tag=f\r\nTo: <sip:" + first +
                "@example.com>\r\nCall-ID: c" + n +
                "\r\nCSeq: 1 INVITE\r\nContact: <sip:200@203.0.113.10>\r\n"
                "Content-Length: 0\r\n\r\n");
        return seen.size() == 1 ? seen[0].text.substr(0, 11) : "nothing";
    }

    const net::Flow flow = from(kNat, 32947);
    const std::string other_phone = "<sip:x@192.168.1.20:5060>";
    std::string first;
    std::string second;
    table::ContactId id;
    unsigned calls = 0;
};

TEST_F(Takeover, TheFirstPhoneGetsNoCallsUntilItRegistersAgain) {
    begin(1, 0, 0);
    EXPECT_EQ(call_result(), "INVITE sip:");
    fall_silent();
    edge->table().for_wheel().drain(100, [](std::uint32_t) {});
    settle({.user = second, .call_id = "c2", .contact = other_phone});
    EXPECT_TRUE(is_suspect(first));
    EXPECT_FALSE(is_suspect(second));
    EXPECT_EQ(edge->counters(0).displaced.get(), 1U);
    EXPECT_EQ(edge->table().for_wheel().drain(100, [](std::uint32_t) {}), 2U)
        << "the control thread hears of both contacts";
    EXPECT_EQ(contact(first).id, id);
    EXPECT_EQ(call_result(), "SIP/2.0 480");
    // The other phone's refresh is no news.
    settle({.user = second, .call_id = "c2", .cseq = 2, .contact = other_phone});
    EXPECT_EQ(edge->counters(0).displaced.get(), 1U);
    settle({.user = first, .call_id = "c1", .cseq = 2});
    EXPECT_FALSE(is_suspect(first));
    EXPECT_FALSE(is_suspect(second)) << "both have come by the flow now, so they share it";
    edge->qualify().write_control(id.slot, {.generation = id.generation});
    EXPECT_EQ(call_result(), "INVITE sip:");
}

// One or both AORs belong to the worker that doesn't receive the packets.
TEST_F(Takeover, AcrossWorkers) {
    begin(2, 1, 1);
    fall_silent();
    settle({.user = second, .call_id = "c2", .contact = other_phone});
    EXPECT_TRUE(is_suspect(first));
    EXPECT_EQ(edge->counters(0).displaced.get(), 1U);
    end();
    begin(2, 0, 1);
    fall_silent();
    settle({.user = second, .call_id = "c2", .contact = other_phone});
    EXPECT_TRUE(is_suspect(first));
    end();
    begin(2, 1, 0);
    fall_silent();
    settle({.user = second, .call_id = "c2", .contact = other_phone});
    EXPECT_TRUE(is_suspect(first));
}

// The second phone comes from another flow.
TEST_F(Takeover, ByAPhoneThatWasRegisteredAlready) {
    begin(1, 0, 0);
    fall_silent();
    Register request{.user = second, .call_id = "c2", .contact = other_phone};
    ASSERT_EQ(edge->ask(0, from(kNat, 40000), request.text()).size(), 1U);
    EXPECT_FALSE(is_suspect(first));
    request.cseq = 2;
    settle(request);
    EXPECT_TRUE(is_suspect(first));
}

TEST_F(Takeover, WhatIsNoTakeover) {
    const auto second_line = Register{.call_id = "c2", .contact = "<sip:x@192.168.1.10:5060>"};
    const auto stranger = Register{.call_id = "c2", .contact = other_phone};
    const struct {
        const char* what;
        Register request;
        bool silent;
        bool by_proxy;
    } cases[] = {
        {"another line of the phone", second_line, true, false},
        {"a phone that still answers, by a sender without a password", stranger, false, false},
        {"a proxy's phones", stranger, true, true},
    };
    for (const auto& c : cases) {
        SCOPED_TRACE(c.what);
        begin(1, 0, 0);
        if (c.silent) {
            fall_silent();
        }
        Register request = c.request;
        request.user = second;
        std::string text = request.text();
        if (c.by_proxy) {
            text.insert(text.find("Via:"), "Via: SIP/2.0/UDP 192.168.1.1;branch=z9hG4bKp\r\n");
        }
        settle_text(text);
        EXPECT_EQ(contacts(second), 1U);
        EXPECT_FALSE(is_suspect(first));
        end();
    }
}

// A mapping that was used a moment ago can't be another phone's.
TEST_F(Takeover, NotWithinTheShortestTimeoutOfGateways) {
    begin(1, 0, 0);
    settle({.user = first, .call_id = "c1", .cseq = 2});
    fall_silent();
    settle({.user = second, .call_id = "c2", .contact = other_phone});
    EXPECT_FALSE(is_suspect(first));
}

// An exchange registers more lines by one flow than the edge looks through.
TEST_F(Takeover, AnExchangesLinesAreNotLookedThrough) {
    begin(1, 0, 0);
    for (unsigned i = 0; i < nat::kMaxHolders - 1; ++i) {
        settle({.user = "line" + std::to_string(i), .call_id = "l" + std::to_string(i)});
    }
    edge->pass_ms(nat::kShortestMapping_ms);
    fall_silent();
    settle({.user = second, .call_id = "c2", .contact = other_phone});
    EXPECT_FALSE(is_suspect(first));
}

}  // namespace
}  // namespace pinhole::edge::test
