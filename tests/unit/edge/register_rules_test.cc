// SPDX-License-Identifier: BSD-3-Clause
// RFC 3261 §10.3 through the edge: what a REGISTER does to the contacts of its AOR, and what it is
// answered, whether a worker does it in place or the AOR's owner.
#include "dataplane/nat/alg.h"
#include "dataplane/registrar/rules.h"
#include "tests/unit/edge/edge_scene.h"
#include "tests/unit/registrar/request_text.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

namespace pinhole::edge::test {
namespace {

using registrar::FullAor;
using registrar::left_s;
using registrar::RegistrarPolicy;
using registrar::RequestText;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class RegisterRules : public EdgeScene {
  protected:
    RegisterRules() { lay(); }

    static net::Flow home(std::uint16_t port = 32947) { return from(kNat, port); }
    static net::Flow office(std::uint16_t port) { return from(address("67.194.23.56"), port); }

    // The code of the answer.
    std::string send(const RequestText& text, const net::Flow& flow = home()) {
        const std::uint64_t before = edge->counters(0).refreshed_in_place.get();
        const std::vector<Sent> answers = edge->ask(0, flow, text.text());
        in_place_ = edge->counters(0).refreshed_in_place.get() != before;
        answer_ = answers.empty() ? "" : answers[0].text;
        return answers.empty() ? "" : answers[0].code();
    }

    static RequestText contacts(unsigned cseq, std::vector<std::string> list,
                                std::string extra = "") {
        RequestText text;
        text.cseq = cseq;
        text.contacts = std::move(list);
        text.extra = std::move(extra);
        return text;
    }
    // So long that its answer may list all contacts, whoever sends it.
    static std::string room() { return "X-Room: " + std::string(6500, '.') + "\r\n"; }

    [[nodiscard]] std::vector<table::ContactView> stored() const {
        std::vector<table::ContactView> views;
        for (std::size_t i = 0; i < edge->contacts("alice"); ++i) {
            views.push_back(edge->contact("alice", i));
        }
        return views;
    }
    [[nodiscard]] table::ContactState state(std::size_t i = 0) const {
        return contact("alice", i).state;
    }
    [[nodiscard]] bool has_flag(std::uint16_t flag) const { return (state().flags & flag) != 0; }
    [[nodiscard]] std::vector<std::string> uris() const {
        std::vector<std::string> uris;
        for (const auto& view : stored()) {
            uris.emplace_back(view.uri);
        }
        return uris;
    }
    void set_reach(table::ContactId id, table::Reach reach) {
        edge->qualify().write_control(id.slot, {.generation = id.generation, .state = reach});
    }
    // How many contacts the control thread is to look at.
    std::size_t marks() {
        return edge->table().for_wheel().drain(100, [](std::uint32_t) {});
    }

    std::string answer_;
    bool in_place_ = false;
};

const std::string kAlice = "<sip:alice@192.168.1.10:5060>";

TEST_F(RegisterRules, AddStoresTheFlowNotTheContact) {
    ASSERT_EQ(send({}), "200");
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(net::far_end(state().flow), "67.194.23.55:32947");
    EXPECT_EQ(left_s(state(), edge->now()), 3600U);
    EXPECT_THAT(answer_, HasSubstr("Contact: <sip:alice@192.168.1.10:5060>;expires=3600\r\n"));
}

TEST_F(RegisterRules, RefreshIsDoneInPlaceAndKeepsTheId) {
    ASSERT_EQ(send({}), "200");
    EXPECT_FALSE(in_place_);
    const table::ContactId id = stored()[0].id;
    edge->pass_s(1800);
    ASSERT_EQ(send(contacts(2, {kAlice})), "200");
    EXPECT_TRUE(in_place_);
    EXPECT_EQ(stored()[0].id, id);
    EXPECT_EQ(state().cseq, 2U);
    EXPECT_EQ(left_s(state(), edge->now()), 3600U);
}

TEST_F(RegisterRules, MovedFlowIsStructureAndKeepsTheId) {
    ASSERT_EQ(send({}), "200");
    const table::ContactId id = stored()[0].id;
    ASSERT_EQ(send(contacts(2, {kAlice}), home(40000)), "200");
    EXPECT_FALSE(in_place_);
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(stored()[0].id, id);
    EXPECT_EQ(state().flow.their_udp_port, 40000);
}

// In doubt whether the flow is still its own: only its own REGISTER ends that, and its owner does
// it, so that the control thread hears. The same request again is no news of it.
TEST_F(RegisterRules, ASuspectsOwnRegisterClearsIt) {
    ASSERT_EQ(send({}), "200");
    const auto doubt = [&] {
        ASSERT_EQ(edge->table().refresh_any(*record("alice"),
                                            [&](table::ClaimedRecord& claimed) {
                                                table::ContactState state = claimed.state(0);
                                                state.flags |= table::kSuspect;
                                                claimed.update(0, state);
                                            }),
                  table::RefreshResult::kOk);
    };
    doubt();
    (void)marks();
    ASSERT_EQ(send({}), "200");
    EXPECT_TRUE(has_flag(table::kSuspect)) << "a retransmission";
    EXPECT_EQ(marks(), 0U);
    ASSERT_EQ(send(contacts(2, {kAlice})), "200");
    EXPECT_FALSE(has_flag(table::kSuspect));
    EXPECT_FALSE(in_place_);
    EXPECT_EQ(marks(), 1U);
    EXPECT_EQ(stored().size(), 1U);
    doubt();
    ASSERT_EQ(send(contacts(3, {kAlice}), home(40000)), "200");
    EXPECT_FALSE(has_flag(table::kSuspect));
    ASSERT_EQ(send(contacts(4, {kAlice}), home(40000)), "200");
    EXPECT_TRUE(in_place_) << "an ordinary refresh again";
}

// A phone that was found at its Contact's port stays there while it answers there, from whatever
// port it registers.
TEST_F(RegisterRules, WhoWasFoundAtItsContactsPortStaysThere) {
    const std::vector<std::string> contact{"<sip:alice@67.194.23.55:5070>"};
    ASSERT_EQ(send(contacts(1, contact)), "200");
    const auto retarget = [&] {
        Command command;
        command.kind = CommandKind::kRetarget;
        command.id = stored()[0].id;
        edge->command(0, command);
        edge->settle();
        ASSERT_EQ(state().flow.their_udp_port, 5070);
        ASSERT_TRUE(has_flag(table::kAtContact));
    };
    retarget();
    ASSERT_EQ(send(contacts(2, contact)), "200");
    EXPECT_EQ(state().flow.their_udp_port, 5070);
    EXPECT_TRUE(has_flag(table::kAtContact));
    ASSERT_EQ(send(contacts(3, contact), home(40000)), "200");
    EXPECT_EQ(state().flow.their_udp_port, 5070);
    EXPECT_EQ(state().cseq, 3U);
    // It answers there no more.
    set_reach(stored()[0].id, table::Reach::kUnreachable);
    ASSERT_EQ(send(contacts(4, contact), home(40000)), "200");
    EXPECT_EQ(state().flow.their_udp_port, 40000);
    EXPECT_FALSE(has_flag(table::kAtContact));
    set_reach(stored()[0].id, table::Reach::kUnknown);
    retarget();
    ASSERT_EQ(send(contacts(5, contact), office(40000)), "200");
    EXPECT_EQ(state().flow.their_udp_port, 40000) << "another address: all is told anew";
    EXPECT_FALSE(has_flag(table::kAtContact));
    ASSERT_EQ(stored().size(), 1U);
}

// It is found out when a binding is made or changes, and a refresh leaves it as it is.
TEST_F(RegisterRules, WhatWasFoundOutOfTheGatewayIsKept) {
    const auto alg = [&] {
        return static_cast<nat::Alg>((state().flags & table::kAlgMask) >> table::kAlgShift);
    };
    // A gateway that changed the Contact and not the Via.
    const std::string changed = "<sip:alice@67.194.23.55:32947>";
    ASSERT_EQ(send(contacts(1, {changed})), "200");
    EXPECT_EQ(alg(), nat::Alg::kHalf);
    // Something behind the end of the message.
    const std::string cut = "Content-Length: 0\r\n\r\nv=0";
    ASSERT_EQ(send(contacts(2, {changed}, cut)), "200");
    EXPECT_TRUE(in_place_);
    EXPECT_EQ(alg(), nat::Alg::kHalf);
    (void)marks();
    ASSERT_EQ(send(contacts(3, {"<sip:alice@67.194.23.55:32947>;line=2"}, cut)), "200");
    EXPECT_FALSE(in_place_);
    EXPECT_EQ(alg(), nat::Alg::kBroken);
    EXPECT_EQ(marks(), 1U);
    ASSERT_EQ(send(contacts(4, {"<sip:alice@67.194.23.55:32947>;line=2"}), home(40000)), "200");
    EXPECT_EQ(alg(), nat::Alg::kHalf);
    ASSERT_EQ(send(contacts(5, {"<sip:alice@67.194.23.55:32947>;line=2"}, cut), home(40000)),
              "200");
    EXPECT_TRUE(in_place_);
    EXPECT_EQ(alg(), nat::Alg::kHalf);
    EXPECT_TRUE(has_flag(table::kSameCall));
}

// A phone whose gateway gave it another port is the one it was, however full its AOR: by its
// Call-ID and Contact, or by its instance whatever else has changed. What it was moved under is
// marked.
TEST_F(RegisterRules, ARebindMovesTheBindingOfAFullAor) {
    lay({.policy = {.max_contacts_per_aor = 1}});
    RequestText text;
    text.contacts = {"<sip:alice@192.168.1.10:5060>;+sip.instance=\"<urn:uuid:1>\""};
    ASSERT_EQ(send(text), "200");
    const table::ContactId id = stored()[0].id;
    EXPECT_FALSE(has_flag(table::kSameCall));
    text.cseq = 2;
    ASSERT_EQ(send(text, home(40000)), "200");
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(stored()[0].id, id);
    EXPECT_EQ(state().flow.their_udp_port, 40000);
    EXPECT_TRUE(has_flag(table::kSameCall));
    text.cseq = 3;
    text.call_id = "after-a-restart";
    ASSERT_EQ(send(text, home(40001)), "200");
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(stored()[0].id, id);
    EXPECT_EQ(state().flow.their_udp_port, 40001);
    EXPECT_FALSE(has_flag(table::kSameCall));
}

TEST_F(RegisterRules, Rfc3261_10_3_RetransmissionGetsTheSameAnswerAndChangesNothing) {
    const RequestText text = contacts(7, {"<sip:alice@192.168.1.10:5060>;expires=600"});
    ASSERT_EQ(send(text), "200");
    const table::ContactState before = state();
    const std::string answer = answer_;
    edge->pass_ms(500);
    ASSERT_EQ(send(text), "200");
    EXPECT_EQ(state(), before);
    EXPECT_EQ(answer_, answer);
}

TEST_F(RegisterRules, Rfc3261_10_3_OlderCSeqIsRefusedWholeUntilTheWindowEnds) {
    ASSERT_EQ(send(contacts(7, {kAlice})), "200");
    edge->pass_s(31);
    EXPECT_EQ(send(contacts(6, {kAlice})), "500");
    EXPECT_EQ(send(contacts(6, {"<sip:alice@192.168.1.10:5060>;expires=0", "<sip:new@host>"})),
              "500");
    EXPECT_THAT(uris(), ElementsAre("sip:alice@192.168.1.10:5060"));
    EXPECT_EQ(state().cseq, 7U);
    edge->pass_s(1);
    EXPECT_EQ(send(contacts(6, {kAlice})), "200");
    EXPECT_EQ(state().cseq, 6U);
}

TEST_F(RegisterRules, Rfc3261_10_3_SeveralContactsAllOrNothing) {
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>;q=0.2", "<sip:a@h2>"})), "200");
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h1", "sip:a@h2"));
    EXPECT_EQ(send(contacts(2, {"<sip:a@h1>;expires=0", "<sip:a@h3>;expires=5"})), "423");
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h1", "sip:a@h2"));
    EXPECT_EQ(send(contacts(3, {"<sip:a@h1>;expires=0", "<sip:a@h3>"})), "200");
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h2", "sip:a@h3"));
}

TEST_F(RegisterRules, Rfc3261_10_2_2_RemoveOneAndAll) {
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>", "<sip:a@h2>", "<sip:a@h3>"})), "200");
    ASSERT_EQ(send(contacts(2, {"<sip:a@h2>;expires=0"})), "200");
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h1", "sip:a@h3"));
    EXPECT_EQ(send(contacts(1, {"*"}, "Expires: 0\r\n")), "500");
    EXPECT_EQ(uris().size(), 2U);
    EXPECT_EQ(send(contacts(3, {"*"}, "Expires: 0\r\n")), "200");
    EXPECT_THAT(uris(), IsEmpty());
    EXPECT_EQ(send(contacts(3, {"*"}, "Expires: 0\r\n")), "200") << "its retransmission";
    EXPECT_EQ(edge->table().counts().contacts, 0U);
}

TEST_F(RegisterRules, RemovingWhatIsNotThereIsFine) {
    EXPECT_EQ(send(contacts(1, {"<sip:a@h1>;expires=0"})), "200");
    EXPECT_THAT(uris(), IsEmpty());
}

TEST_F(RegisterRules, Rfc3261_10_2_3_FetchListsWithoutChanging) {
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>;q=0.25", "<sip:a@h2>;q=0.05;x=y"})), "200");
    edge->pass_s(600);
    ASSERT_EQ(send(contacts(2, {}, room())), "200");
    EXPECT_THAT(answer_, HasSubstr("Contact: <sip:a@h1>;q=0.25;expires=3000\r\n"));
    EXPECT_THAT(answer_, HasSubstr("Contact: <sip:a@h2>;x=y;q=0.05;expires=3000\r\n"));
    EXPECT_EQ(state().cseq, 1U);
}

TEST_F(RegisterRules, Rfc3261_10_3_AContactLastsAsLongAsItWasGranted) {
    edge->pass_ms(950);
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>;expires=60"})), "200");
    const table::ContactId id = stored()[0].id;
    // Granted late in its second: 59.1 s later the clock has gone on by 60.
    const std::uint32_t granted_s = edge->now().s;
    edge->pass_ms(59'100);
    ASSERT_EQ(edge->now().s, granted_s + 60);
    ASSERT_EQ(send(contacts(2, {}, room())), "200");
    EXPECT_THAT(answer_, HasSubstr("Contact: <sip:a@h1>;expires=1\r\n"));
    ASSERT_EQ(send(contacts(3, {"<sip:a@h1>;expires=60"})), "200");
    EXPECT_EQ(stored()[0].id, id) << "the same binding: dialogs hang on its id";
    EXPECT_EQ(left_s(state(), edge->now()), 60U);
    edge->pass_s(61);
    EXPECT_EQ(left_s(state(), edge->now()), 0U);
}

TEST_F(RegisterRules, Rfc3261_10_3_ExpiredContactsAreNeitherListedNorCounted) {
    lay({.policy = {.max_contacts_per_aor = 1}});
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>;expires=60"})), "200");
    edge->pass_s(61);
    ASSERT_EQ(send(contacts(2, {}, room())), "200");
    EXPECT_THAT(answer_, Not(HasSubstr("Contact:")));
    ASSERT_EQ(send(contacts(3, {"<sip:a@h2>"})), "200");
    EXPECT_THAT(uris(), ElementsAre("sip:a@h2"));
}

TEST_F(RegisterRules, AFullAorRejects) {
    lay({.policy = {.max_contacts_per_aor = 2}});
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>", "<sip:a@h2>"})), "200");
    EXPECT_EQ(send(contacts(2, {"<sip:a@h3>"})), "403");
    EXPECT_EQ(send(contacts(3, {"<sip:a@h1>;expires=0", "<sip:a@h3>"})), "200");
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h2", "sip:a@h3"));
}

TEST_F(RegisterRules, AFullAorGivesUpTheUnreachableThenTheOldest) {
    lay({.policy = {.max_contacts_per_aor = 3, .full_aor = FullAor::kReplace}});
    for (unsigned i = 1; i <= 3; ++i) {
        ASSERT_EQ(send(contacts(i, {"<sip:a@h" + std::to_string(i) + ">"})), "200");
        edge->pass_s(1);
    }
    for (const auto& view : stored()) {
        if (view.uri == "sip:a@h2") {
            set_reach(view.id, table::Reach::kUnreachable);
        }
    }
    ASSERT_EQ(send(contacts(4, {"<sip:a@h4>"})), "200");
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h1", "sip:a@h3", "sip:a@h4"));
    ASSERT_EQ(send(contacts(5, {"<sip:a@h5>"})), "200");
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h3", "sip:a@h4", "sip:a@h5"));
    EXPECT_EQ(send(contacts(6, {"<sip:b@1>", "<sip:b@2>", "<sip:b@3>", "<sip:b@4>"})), "403")
        << "more than fit even when all others go";
    EXPECT_EQ(uris().size(), 3U);
}

// One that was refreshed while this request waited for the shard's owner is the youngest of all.
TEST_F(RegisterRules, AFullAorKeepsWhatWasRefreshedWhileTheRequestWaited) {
    lay({.workers = 2, .policy = {.max_contacts_per_aor = 2, .full_aor = FullAor::kReplace}});
    const std::string aor = "alice@example.com";
    const unsigned owner = edge->table().shard_of(edge->table().hash()(aor));
    const unsigned other = 1 - owner;
    const auto put = [&](unsigned cseq, const std::string& contact) {
        edge->put(other, home(), contacts(cseq, {contact}).text());
    };
    put(1, "<sip:a@h1>");
    edge->settle();
    edge->pass_s(1);
    put(2, "<sip:a@h2>");
    edge->settle();
    edge->pass_s(1);
    put(3, "<sip:a@h3>");
    (void)edge->round(other);  // h3 waits for its owner
    edge->pass_ms(1);
    put(4, "<sip:a@h2>");
    (void)edge->round(other);
    EXPECT_EQ(edge->counters(other).refreshed_in_place.get(), 1U);
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h1", "sip:a@h2"));
    edge->settle();
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h2", "sip:a@h3"));
}

// Who is registered must be told so: what one datagram can't list is not taken.
TEST_F(RegisterRules, AnAorHoldsNoMoreThanAnAnswerLists) {
    lay({.policy = {.max_contacts_per_aor = table::kMaxContactsPerAor}});
    const std::string long_text(450, 'a');
    const auto contact = [&](unsigned i) {
        return "<sip:" + long_text + std::to_string(i) +
               "@h>;+sip.instance=\"<urn:" + std::to_string(i) + ">\";reg-id=1;x=" + long_text;
    };
    unsigned i = 1;
    while (send(contacts(i, {contact(i)})) == "200") {
        ++i;
    }
    EXPECT_EQ(send(contacts(i, {contact(i)})), "403");
    EXPECT_GE(i, 7U);
    ASSERT_EQ(send(contacts(i, {contact(1)}, room())), "200") << "a refresh";
    std::size_t listed = 0;
    for (std::size_t at = 0; (at = answer_.find("\r\nContact: ", at)) != std::string::npos; ++at) {
        ++listed;
    }
    EXPECT_EQ(listed, i - 1);
    // Nor by longer texts for contacts that are there.
    unsigned refused = 0;
    for (unsigned n = 1; n < i; ++n) {
        refused += send(contacts(2 * i, {contact(n) + std::string(24, 'b')})) == "403" ? 1 : 0;
    }
    EXPECT_GT(refused, 0U);
    edge->set_live({.registrar = {.max_contacts_per_aor = table::kMaxContactsPerAor,
                                  .full_aor = FullAor::kReplace}});
    EXPECT_EQ(send(contacts(3 * i, {contact(i)})), "200");
}

TEST_F(RegisterRules, ARestartedPhoneReplacesItsBinding) {
    ASSERT_EQ(send({}), "200");
    RequestText restarted;
    restarted.call_id = "call-2";
    ASSERT_EQ(send(restarted, home(50000)), "200");
    EXPECT_EQ(stored().size(), 1U);
    restarted.cseq = 2;
    ASSERT_EQ(send(restarted, office(50000)), "200");
    EXPECT_EQ(stored().size(), 1U) << "the same Call-ID has moved to the office";
    RequestText at_home;
    at_home.call_id = "call-3";
    ASSERT_EQ(send(at_home, home(1234)), "200");
    EXPECT_EQ(stored().size(), 2U) << "home and office are both alice@192.168.1.10:5060";
}

TEST_F(RegisterRules, AMovedPhoneIsKnownByItsCallIdWhereItsTwinHasBeen) {
    ASSERT_EQ(send(contacts(1, {kAlice}), office(50000)), "200");
    RequestText mine = contacts(1, {kAlice});
    mine.call_id = "mine";
    ASSERT_EQ(send(mine), "200");
    const auto before = stored();
    ASSERT_EQ(before.size(), 2U);
    const table::ContactId my_id = before[1].id;

    mine = contacts(2, {kAlice});
    mine.call_id = "mine";
    ASSERT_EQ(send(mine, office(50000)), "200");
    EXPECT_FALSE(in_place_);
    const auto after = stored();
    ASSERT_EQ(after.size(), 2U);
    EXPECT_EQ(after[0].state.cseq, 1U) << "the twin's is not touched";
    EXPECT_EQ(after[1].id, my_id);
    EXPECT_EQ(after[1].state.cseq, 2U);
    EXPECT_EQ(after[1].state.flow, office(50000));
}

TEST_F(RegisterRules, AChangedTextOfTheSameInstanceKeepsTheId) {
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1:1000>;+sip.instance=\"<urn:1>\";reg-id=1"})), "200");
    const table::ContactId id = stored()[0].id;
    ASSERT_EQ(send(contacts(2, {"<sip:a@h1:2000>;+sip.instance=\"<urn:1>\";reg-id=1"})), "200");
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(stored()[0].uri, "sip:a@h1:2000");
    EXPECT_EQ(stored()[0].id, id);
}

TEST_F(RegisterRules, AFullTableRefusesNewcomersAndServesTheOthers) {
    lay({.max_contacts = 1});
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>"})), "200");
    EXPECT_EQ(send(contacts(2, {"<sip:a@h2>"})), "503");
    EXPECT_THAT(answer_, HasSubstr("Retry-After: "));
    EXPECT_EQ(edge->counters(0).table_full.get(), 1U);
    EXPECT_EQ(send(contacts(3, {"<sip:a@h1>"})), "200");
    EXPECT_THAT(uris(), ElementsAre("sip:a@h1"));
}

TEST_F(RegisterRules, Rfc3261_10_3_RefusalsSayWhatToDo) {
    EXPECT_EQ(send(contacts(1, {"<sip:a@h1>;expires=5"})), "423");
    EXPECT_THAT(answer_, HasSubstr("Min-Expires: 60\r\n"));
    EXPECT_EQ(send(contacts(1, {"<sip:a@h1>"}, "Require: precondition, x\r\n")), "420");
    EXPECT_THAT(answer_, HasSubstr("Unsupported: precondition, x\r\n"));
}

}  // namespace
}  // namespace pinhole::edge::test
