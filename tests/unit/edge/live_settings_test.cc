// SPDX-License-Identifier: BSD-3-Clause
// Settings that change while packets flow: they hold from the next round on; and draining. Also:
// what the edge has answered stands in a worker's change log, whichever worker owns the AOR.
#include "dataplane/table/change_log.h"
#include "tests/unit/edge/edge_scene.h"

#include <string>
#include <vector>

namespace pinhole::edge::test {
namespace {

class LiveSettingsScene : public EdgeScene {
  public:
    unsigned ask(const Register& message, std::uint16_t port = 5060) {
        const auto seen = edge->ask(0, from(kNat, port), message.text());
        return seen.size() == 1 ? static_cast<unsigned>(std::stoul(seen[0].text.substr(8))) : 0;
    }
};

TEST_F(LiveSettingsScene, AnotherPolicyHoldsFromTheNextRoundOn) {
    lay();
    Register message;
    message.expires = "600";
    EXPECT_EQ(ask(message), 200U);
    LiveSettings next = edge->live();
    next.registrar.min_expires_s = 700;
    next.registrar.max_expires_s = 7200;
    edge->set_live(next);
    message.cseq = 2;
    EXPECT_EQ(ask(message), 423U);
}

TEST_F(LiveSettingsScene, OtherLimitsHold) {
    constexpr admit::LimitPolicy kFew{
        .flow = {60, 3}, .address = {60, 3}, .phone = {60, 0}, .guesses = {1, 3}};
    lay();
    Register message;
    message.contact = "";
    for (unsigned i = 0; i < 10; ++i, ++message.cseq) {
        EXPECT_EQ(ask(message), 200U);
    }
    LiveSettings next = edge->live();
    next.limits = kFew;
    edge->set_live(next);
    unsigned answered = 0;
    for (unsigned i = 0; i < 10; ++i, ++message.cseq) {
        answered += ask(message) == 200 ? 1 : 0;
    }
    EXPECT_EQ(answered, 3U);
}

TEST_F(LiveSettingsScene, DrainingRefusesNewBindingsAndServesTheOthers) {
    lay();
    Register there;
    ASSERT_EQ(ask(there), 200U);
    LiveSettings next = edge->live();
    next.draining = true;
    next.retry_after_s = 60;
    edge->set_live(next);

    Register newcomer;
    newcomer.user = "200";
    newcomer.call_id = "call-200";
    newcomer.contact = "<sip:200@192.168.1.11:5060>";
    const auto seen = edge->ask(0, from(kNat, 5061), newcomer.text());
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].text.substr(8, 3), "503");
    EXPECT_TRUE(seen[0].has("\r\nRetry-After: "));
    EXPECT_EQ(contacts("200"), 0U);

    there.cseq = 2;
    EXPECT_EQ(ask(there), 200U) << "a refresh";
    there.cseq = 3;
    EXPECT_EQ(ask(there, 5070), 200U) << "its mapping has moved";
    EXPECT_EQ(contacts("100"), 1U);
    there.cseq = 4;
    there.expires = "0";
    EXPECT_EQ(ask(there, 5070), 200U) << "it leaves";
    EXPECT_EQ(contacts("100"), 0U);

    next.draining = false;
    edge->set_live(next);
    newcomer.cseq = 2;
    EXPECT_EQ(ask(newcomer, 5061), 200U);
}

struct TestLog {
    TestLog()
        : data((1 << 16) / 8), log(head, {reinterpret_cast<std::byte*>(data.data()), 1 << 16}) {}
    std::vector<table::ChangeKind> take() {
        std::vector<table::ChangeKind> kinds;
        std::uint64_t position = 0;
        for (auto part = log.pending(position); !part.empty(); part = log.pending(position)) {
            const table::ChangeHead* change = table::read_change(part, position);
            if (change == nullptr) {
                ADD_FAILURE() << "damaged";
                break;
            }
            kinds.push_back(change->kind());
            log.took(position + change->bytes());
        }
        return kinds;
    }
    table::ChangeLogHead head{};
    std::vector<std::uint64_t> data;
    table::ChangeLog log;
};

// A change of structure stands in the log of the AOR's owner, a refresh in that of the worker that
// received it.
TEST_F(LiveSettingsScene, WhatIsAnsweredIsLogged) {
    using enum table::ChangeKind;
    lay({.workers = 2});
    std::array<TestLog, 2> logs;
    for (std::uint32_t worker = 0; worker < 2; ++worker) {
        edge->table().log_to(worker, &logs[worker].log);
    }
    Register message;
    message.user = user_of(1);
    edge->put(0, from(kNat, 5060), message.text());
    for (unsigned i = 0; i < 3; ++i) {
        (void)edge->round(0);
        EXPECT_TRUE(edge->sent(0).empty() || logs[1].log.written() != 0);
        (void)edge->round(1);
    }
    EXPECT_EQ(logs[1].take(), std::vector{kImage});
    EXPECT_TRUE(logs[0].take().empty());
    message.cseq = 2;
    EXPECT_EQ(ask(message), 200U);
    EXPECT_EQ(logs[0].take(), std::vector{kRefresh});
    EXPECT_EQ(ask(message), 200U) << "a retransmission";
    EXPECT_TRUE(logs[0].take().empty()) << "it changes nothing";
    edge->table().log_to(0, nullptr);
    edge->table().log_to(1, nullptr);
}

}  // namespace
}  // namespace pinhole::edge::test
