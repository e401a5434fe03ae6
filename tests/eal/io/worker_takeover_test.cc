// SPDX-License-Identifier: BSD-3-Clause
// A gateway gives a dead mapping's port to another phone, which registers by the first one's flow: the
// first one gets no calls any more. And who can't bring that about.
#include "dataplane/nat/takeover.h"
#include "tests/eal/io/worker_scene.h"

#include <gtest/gtest.h>

namespace pinhole::io {
namespace {

class Takeover : public WorkerScene {
  public:
    // Worker 0 receives all; `first` and `second` are AORs of the shards named.
    void begin(unsigned workers, unsigned first_shard, unsigned second_shard) {
        lay(workers);
        first = user_of(first_shard);
        second = user_of(second_shard, 1);
        settle(Register{.user = first, .call_id = "c1"});
        id = contact(first).id;
        edge->pass_ms(nat::kShortestMapping_ms);
    }
    // Its REGISTER by the flow, through the owner and back.
    std::vector<Seen> settle(const Register& request) { return settle_text(request.text()); }
    std::vector<Seen> settle_text(const std::string& text) {
        std::vector<Seen> seen = edge->ask(0, flow, text);
        for (unsigned i = 1; i < edge->mesh().workers() && seen.empty(); ++i) {
            edge->worker(i).round();
        }
        if (seen.empty()) {
            edge->worker(0).round();
            seen = edge->sent(0);
        }
        EXPECT_EQ(seen.size(), 1U);
        return seen;
    }
    // The phone has answered pings and misses them now, as the control thread sees it.
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
            0, to_edge(kCore, kSip),
            "INVITE sip:" + first +
                "@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK" + n +
                "\r\nMax-Forwards: 70\r\nFrom: <sip:200@example.com>;tag=f\r\nTo: <sip:" + first +
                "@example.com>\r\nCall-ID: c" + n +
                "\r\nCSeq: 1 INVITE\r\nContact: <sip:200@203.0.113.10>\r\n"
                "Content-Length: 0\r\n\r\n");
        return seen.size() == 1 ? seen[0].text.substr(0, 11) : "nothing";
    }

    const net::Flow flow = to_edge(kNat, 32947);
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
        << "the control thread hears of both";
    EXPECT_EQ(contact(first).id, id);
    EXPECT_EQ(call_result(), "SIP/2.0 480");
    // The other phone's refresh is no news.
    settle({.user = second, .call_id = "c2", .cseq = 2, .contact = other_phone});
    EXPECT_EQ(edge->counters(0).displaced.get(), 1U);
    settle({.user = first, .call_id = "c1", .cseq = 2});
    EXPECT_FALSE(is_suspect(first));
    EXPECT_FALSE(is_suspect(second)) << "both have come by the flow now: it is shared";
    edge->qualify().write_control(id.slot, {.generation = id.generation});
    EXPECT_EQ(call_result(), "INVITE sip:");
}

// The AORs are of two shards, neither of them the receiving worker's.
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

// It moves in from another flow.
TEST_F(Takeover, ByAPhoneThatWasRegisteredAlready) {
    begin(1, 0, 0);
    fall_silent();
    Register request{.user = second, .call_id = "c2", .contact = other_phone};
    ASSERT_EQ(edge->ask(0, to_edge(kNat, 40000), request.text()).size(), 1U);
    EXPECT_FALSE(is_suspect(first));
    request.cseq = 2;
    settle(request);
    EXPECT_TRUE(is_suspect(first));
}

TEST_F(Takeover, WhatIsNone) {
    const auto second_line = Register{.call_id = "c2", .contact = "<sip:x@192.168.1.10:5060>"};
    const auto stranger = Register{.call_id = "c2", .contact = other_phone};
    const struct {
        const char* what;
        Register request;
        bool silent;
        bool by_proxy;
    } cases[] = {
        {"another line of the phone", second_line, true, false},
        {"a phone that has not fallen silent, by who has shown no password", stranger, false,
         false},
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

// The mapping that was used a moment ago can't be another's.
TEST_F(Takeover, NotWithinAnyGatewaysTimeout) {
    begin(1, 0, 0);
    settle({.user = first, .call_id = "c1", .cseq = 2});
    fall_silent();
    settle({.user = second, .call_id = "c2", .contact = other_phone});
    EXPECT_FALSE(is_suspect(first));
}

// An exchange with more lines than are looked into.
TEST_F(Takeover, AnExchangesLinesAreNotLookedInto) {
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
}  // namespace pinhole::io
