// SPDX-License-Identifier: BSD-3-Clause
// RFC 3261 §10.3 over a real table: each request goes the way that a worker sends it, in place
// first, else to the owner.
#include "dataplane/registrar/rules.h"

#include "dataplane/nat/agent.h"
#include "dataplane/nat/alg.h"
#include "dataplane/registrar/answer.h"
#include "dataplane/table/binding_table.h"
#include "dataplane/table/heap_memory.h"
#include "tests/unit/registrar/request_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinhole::registrar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class Rules : public testing::Test {
  protected:
    Rules() { remake(1000); }

    void remake(std::uint32_t max_contacts) {
        table_.reset();
        const table::ShardMemory shard = memory_.shard();
        table_ = table::BindingTable::make(
            {.max_contacts = max_contacts,
             .hash = test_hash(),
             .reclaimer = {[](void*) { return std::uint64_t{0}; },
                           [](void*, std::uint64_t) { return true; }, nullptr},
             .arrays = memory_.arrays(),
             .shards = {&shard, 1}});
        ASSERT_NE(table_, nullptr);
    }

    Verdict send(const RequestText& text, net::Flow flow = flow_from(kHome, 32947)) {
        last_ = read(text, policy_, now_, flow);
        last_->request.alg = static_cast<std::uint8_t>(alg_);
        last_->request.agent = nat::agent_of(last_->message.first(sip::HeaderId::kUserAgent));
        in_place_ = false;
        if (last_->verdict != Verdict::kOk || (last_->request.count == 0 && !last_->request.star)) {
            return last_->verdict;
        }
        const RegisterRequest& request = last_->request;
        const table::Record* record = table_->find(request.whose->aor_hash, request.whose->aor);
        if (record != nullptr && may_refresh(*record, request)) {
            InPlace done = InPlace::kNeedsOwner;
            EXPECT_EQ(table_->refresh_any(*record,
                                          [&](table::ClaimedRecord& claimed) {
                                              done = refresh(claimed, request, named_);
                                          }),
                      table::RefreshResult::kOk);
            if (done != InPlace::kNeedsOwner) {
                in_place_ = true;
                return done == InPlace::kDone ? Verdict::kOk : Verdict::kOutOfOrder;
            }
        }
        Verdict verdict = Verdict::kOk;
        const auto changed =
            table_->change_owner(request.whose->aor_hash, request.whose->aor,
                                 [&](const table::Current& current, table::Edit& edit) {
                                     verdict = plan(current, request, policy_, reachability_, edit);
                                     return verdict == Verdict::kOk;
                                 });
        table_->reclaim_owner(0);
        return changed.result == table::ChangeResult::kTableFull ? Verdict::kTableFull : verdict;
    }

    [[nodiscard]] std::vector<table::ContactView> stored() const {
        const std::string aor = "alice@example.com";
        const table::Record* record = table_->find(test_hash()(aor), aor);
        if (record == nullptr) {
            return {};
        }
        std::vector<table::ContactView> views(table::kMaxContactsPerAor);
        EXPECT_TRUE(record->read_all(views));
        views.resize(record->contact_count());
        return views;
    }
    [[nodiscard]] std::vector<std::string> uris() const {
        std::vector<std::string> uris;
        for (const auto& view : stored()) {
            uris.emplace_back(view.uri);
        }
        return uris;
    }
    [[nodiscard]] std::string ok_text() const {
        std::array<char, 8000> room;
        sip::Writer out(room.data(), room.size());
        const std::string aor = "alice@example.com";
        EXPECT_EQ(write_ok(last_->message, table_->find(test_hash()(aor), aor),
                           {{net::Address::v4(kHome), 32947, true}, "t", now_}, out),
                  Answered::kWritten);
        return std::string(out.view());
    }

    static RequestText contacts(unsigned cseq, std::vector<std::string> list,
                                std::string extra = "") {
        RequestText text;
        text.cseq = cseq;
        text.contacts = std::move(list);
        text.extra = std::move(extra);
        return text;
    }

    table::HeapMemory memory_;
    std::unique_ptr<table::BindingTable> table_;
    RegistrarPolicy policy_;
    Reachability reachability_;
    Moment now_{.ms = 50'000, .s = 1'000'000};
    std::unique_ptr<ReadRequest> last_;
    bool in_place_ = false;
    nat::Alg alg_ = nat::Alg::kNone;
    Named named_;
};

TEST_F(Rules, AddStoresTheFlowNotTheContact) {
    ASSERT_EQ(send({}), Verdict::kOk);
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(net::far_end(stored()[0].state.flow), "67.194.23.55:32947");
    EXPECT_EQ(left_s(stored()[0].state, now_), 3600U);
    EXPECT_THAT(ok_text(), HasSubstr("Contact: <sip:alice@192.168.1.10:5060>;expires=3600\r\n"));
}

TEST_F(Rules, RefreshIsDoneInPlaceAndKeepsTheId) {
    ASSERT_EQ(send({}), Verdict::kOk);
    const table::ContactId id = stored()[0].id;
    now_ = {.ms = now_.ms + 1'800'000, .s = now_.s + 1800};
    ASSERT_EQ(send(contacts(2, {"<sip:alice@192.168.1.10:5060>"})), Verdict::kOk);
    EXPECT_TRUE(in_place_);
    EXPECT_EQ(stored()[0].id, id);
    EXPECT_EQ(stored()[0].state.cseq, 2U);
    EXPECT_EQ(left_s(stored()[0].state, now_), 3600U);
}

TEST_F(Rules, MovedFlowIsStructureAndKeepsTheId) {
    ASSERT_EQ(send({}), Verdict::kOk);
    const table::ContactId id = stored()[0].id;
    ASSERT_EQ(send(contacts(2, {"<sip:alice@192.168.1.10:5060>"}), flow_from(kHome, 40000)),
              Verdict::kOk);
    EXPECT_FALSE(in_place_);
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(stored()[0].id, id);
    EXPECT_EQ(stored()[0].state.flow.their_udp_port, 40000);
}

// In doubt whether the flow is still its own: only its own REGISTER ends that, and its owner does it,
// so that the control thread hears. The same request again is no news of it.
TEST_F(Rules, ASuspectsOwnRegisterClearsIt) {
    ASSERT_EQ(send({}), Verdict::kOk);
    const auto doubt = [&] {
        const std::string aor = "alice@example.com";
        ASSERT_EQ(table_->refresh_any(*table_->find(test_hash()(aor), aor),
                                      [&](table::ClaimedRecord& claimed) {
                                          table::ContactState state = claimed.state(0);
                                          state.flags |= table::kSuspect;
                                          claimed.update(0, state);
                                      }),
                  table::RefreshResult::kOk);
    };
    const auto is_suspect = [&] { return (stored()[0].state.flags & table::kSuspect) != 0; };
    const auto marks = [&] { return table_->for_wheel().drain(100, [](std::uint32_t) {}); };
    doubt();
    marks();
    ASSERT_EQ(send({}), Verdict::kOk);
    EXPECT_TRUE(is_suspect()) << "a retransmission";
    EXPECT_EQ(marks(), 0U);
    ASSERT_EQ(send(contacts(2, {"<sip:alice@192.168.1.10:5060>"})), Verdict::kOk);
    EXPECT_FALSE(is_suspect());
    EXPECT_FALSE(in_place_);
    EXPECT_EQ(marks(), 1U);
    EXPECT_EQ(stored().size(), 1U);
    doubt();
    ASSERT_EQ(send(contacts(3, {"<sip:alice@192.168.1.10:5060>"}), flow_from(kHome, 40000)),
              Verdict::kOk);
    EXPECT_FALSE(is_suspect());
    ASSERT_EQ(send(contacts(4, {"<sip:alice@192.168.1.10:5060>"}), flow_from(kHome, 40000)),
              Verdict::kOk);
    EXPECT_TRUE(in_place_) << "an ordinary refresh again";
}

// A phone that was found at its Contact's port stays there while it answers there, from whatever port
// it registers.
TEST_F(Rules, WhoWasFoundAtItsContactsPortStaysThere) {
    const std::vector<std::string> contact{"<sip:alice@67.194.23.55:5070>"};
    ASSERT_EQ(send(contacts(1, contact)), Verdict::kOk);
    const std::string aor = "alice@example.com";
    const auto retarget = [&] {
        (void)table_->change_owner(test_hash()(aor), aor,
                                   [&](const table::Current& current, table::Edit& edit) {
                                       table::ContactState state = current.contacts[0].state;
                                       state.flow.their_udp_port = 5070;
                                       state.flags |= table::kAtContact;
                                       edit.modify(0, state);
                                       return true;
                                   });
    };
    const auto port = [&] { return stored()[0].state.flow.their_udp_port; };
    const auto found = [&] { return (stored()[0].state.flags & table::kAtContact) != 0; };
    retarget();
    ASSERT_EQ(send(contacts(2, contact)), Verdict::kOk);
    EXPECT_EQ(port(), 5070);
    EXPECT_TRUE(found());
    ASSERT_EQ(send(contacts(3, contact), flow_from(kHome, 40000)), Verdict::kOk);
    EXPECT_EQ(port(), 5070);
    EXPECT_EQ(stored()[0].state.cseq, 3U);
    // It answers there no more.
    reachability_ = {[](const void*, table::ContactId) { return true; }, nullptr};
    ASSERT_EQ(send(contacts(4, contact), flow_from(kHome, 40000)), Verdict::kOk);
    EXPECT_EQ(port(), 40000);
    EXPECT_FALSE(found());
    reachability_ = {};
    retarget();
    ASSERT_EQ(send(contacts(5, contact), flow_from(kOffice, 40000)), Verdict::kOk);
    EXPECT_EQ(port(), 40000) << "another address: all is told anew";
    EXPECT_FALSE(found());
    ASSERT_EQ(stored().size(), 1U);
}

// It is found out when a binding is made or changes, and a refresh leaves it as it is.
TEST_F(Rules, WhatWasFoundOutOfTheGatewayIsKept) {
    const auto alg = [&] {
        return static_cast<nat::Alg>((stored()[0].state.flags & table::kAlgMask) >>
                                     table::kAlgShift);
    };
    alg_ = nat::Alg::kHalf;
    ASSERT_EQ(send({}), Verdict::kOk);
    EXPECT_EQ(alg(), nat::Alg::kHalf);
    alg_ = nat::Alg::kBroken;
    ASSERT_EQ(send(contacts(2, {"<sip:alice@192.168.1.10:5060>"})), Verdict::kOk);
    EXPECT_TRUE(in_place_);
    EXPECT_EQ(alg(), nat::Alg::kHalf);
    table_->for_wheel().drain(100, [](std::uint32_t) {});
    ASSERT_EQ(send(contacts(3, {"<sip:alice@192.168.1.10:5060>;line=2"})), Verdict::kOk);
    EXPECT_FALSE(in_place_);
    EXPECT_EQ(alg(), nat::Alg::kBroken);
    EXPECT_EQ(table_->for_wheel().drain(100, [](std::uint32_t) {}), 1U);
    alg_ = nat::Alg::kConsistent;
    ASSERT_EQ(send(contacts(4, {"<sip:alice@192.168.1.10:5060>;line=2"}), flow_from(kHome, 40000)),
              Verdict::kOk);
    EXPECT_EQ(alg(), nat::Alg::kConsistent);
    ASSERT_EQ(send(contacts(5, {"<sip:alice@192.168.1.10:5060>;line=2"}), flow_from(kHome, 40000)),
              Verdict::kOk);
    EXPECT_TRUE(in_place_);
    EXPECT_EQ(alg(), nat::Alg::kConsistent);
    EXPECT_TRUE((stored()[0].state.flags & table::kSameCall) != 0);
}

// A phone whose gateway gave it another port is the one it was, however full its AOR: by its Call-ID
// and Contact, or by its instance whatever else has changed. What it was moved under is marked.
TEST_F(Rules, ARebindMovesTheBindingOfAFullAor) {
    policy_.max_contacts_per_aor = 1;
    RequestText text;
    text.contacts = {"<sip:alice@192.168.1.10:5060>;+sip.instance=\"<urn:uuid:1>\""};
    ASSERT_EQ(send(text), Verdict::kOk);
    const table::ContactId id = stored()[0].id;
    EXPECT_EQ(stored()[0].state.flags & table::kSameCall, 0);
    text.cseq = 2;
    ASSERT_EQ(send(text, flow_from(kHome, 40000)), Verdict::kOk);
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(stored()[0].id, id);
    EXPECT_EQ(stored()[0].state.flow.their_udp_port, 40000);
    EXPECT_EQ(stored()[0].state.flags & table::kSameCall, table::kSameCall);
    text.cseq = 3;
    text.call_id = "after-a-restart";
    ASSERT_EQ(send(text, flow_from(kHome, 40001)), Verdict::kOk);
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(stored()[0].id, id);
    EXPECT_EQ(stored()[0].state.flow.their_udp_port, 40001);
    EXPECT_EQ(stored()[0].state.flags & table::kSameCall, 0);
}

TEST_F(Rules, WhatARefreshHasNamedAndUnderWhichCallId) {
    ASSERT_EQ(send({}), Verdict::kOk);
    ASSERT_EQ(send(contacts(2, {"<sip:alice@192.168.1.10:5060>"})), Verdict::kOk);
    ASSERT_TRUE(in_place_);
    EXPECT_EQ(named_.all, 1U);
    EXPECT_EQ(named_.by_call, 1U);
    ASSERT_EQ(send(contacts(2, {"<sip:alice@192.168.1.10:5060>"})), Verdict::kOk);
    EXPECT_EQ(named_.all, 1U);
    EXPECT_EQ(named_.by_call, 0U) << "a retransmission";
    RequestText other = contacts(9, {"<sip:alice@192.168.1.10:5060>"});
    other.call_id = "another";
    ASSERT_EQ(send(other), Verdict::kOk);
    ASSERT_TRUE(in_place_);
    EXPECT_EQ(named_.by_call, 0U);
}

TEST_F(Rules, Rfc3261_10_3_RetransmissionGetsTheSameAnswerAndChangesNothing) {
    ASSERT_EQ(send(contacts(7, {"<sip:alice@192.168.1.10:5060>;expires=600"})), Verdict::kOk);
    const auto before = stored();
    const std::string answer = ok_text();
    now_.ms += 500;
    ASSERT_EQ(send(contacts(7, {"<sip:alice@192.168.1.10:5060>;expires=600"})), Verdict::kOk);
    EXPECT_EQ(stored()[0].state, before[0].state);
    EXPECT_EQ(ok_text(), answer);
}

TEST_F(Rules, Rfc3261_10_3_OlderCSeqIsRefusedWholeUntilTheWindowEnds) {
    ASSERT_EQ(send(contacts(7, {"<sip:alice@192.168.1.10:5060>"})), Verdict::kOk);
    now_.ms += 31'000;
    EXPECT_EQ(send(contacts(6, {"<sip:alice@192.168.1.10:5060>"})), Verdict::kOutOfOrder);
    EXPECT_EQ(send(contacts(6, {"<sip:alice@192.168.1.10:5060>;expires=0", "<sip:new@host>"})),
              Verdict::kOutOfOrder);
    EXPECT_THAT(uris(), ElementsAre("sip:alice@192.168.1.10:5060"));
    EXPECT_EQ(stored()[0].state.cseq, 7U);
    now_.ms += 1'000;
    EXPECT_EQ(send(contacts(6, {"<sip:alice@192.168.1.10:5060>"})), Verdict::kOk);
    EXPECT_EQ(stored()[0].state.cseq, 6U);
}

TEST_F(Rules, Rfc3261_10_3_SeveralContactsAllOrNothing) {
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>;q=0.2", "<sip:a@h2>"})), Verdict::kOk);
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h1", "sip:a@h2"));
    EXPECT_EQ(send(contacts(2, {"<sip:a@h1>;expires=0", "<sip:a@h3>;expires=5"})),
              Verdict::kTooBrief);
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h1", "sip:a@h2"));
    EXPECT_EQ(send(contacts(3, {"<sip:a@h1>;expires=0", "<sip:a@h3>"})), Verdict::kOk);
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h2", "sip:a@h3"));
}

TEST_F(Rules, Rfc3261_10_2_2_RemoveOneAndAll) {
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>", "<sip:a@h2>", "<sip:a@h3>"})), Verdict::kOk);
    ASSERT_EQ(send(contacts(2, {"<sip:a@h2>;expires=0"})), Verdict::kOk);
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h1", "sip:a@h3"));
    EXPECT_EQ(send(contacts(1, {"*"}, "Expires: 0\r\n")), Verdict::kOutOfOrder);
    EXPECT_EQ(uris().size(), 2U);
    EXPECT_EQ(send(contacts(3, {"*"}, "Expires: 0\r\n")), Verdict::kOk);
    EXPECT_THAT(uris(), IsEmpty());
    EXPECT_EQ(send(contacts(3, {"*"}, "Expires: 0\r\n")), Verdict::kOk) << "its retransmission";
    EXPECT_EQ(table_->counts().contacts, 0U);
}

TEST_F(Rules, RemovingWhatIsNotThereIsFine) {
    EXPECT_EQ(send(contacts(1, {"<sip:a@h1>;expires=0"})), Verdict::kOk);
    EXPECT_THAT(uris(), IsEmpty());
}

TEST_F(Rules, Rfc3261_10_2_3_FetchListsWithoutChanging) {
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>;q=0.25", "<sip:a@h2>;q=0.05;x=y"})), Verdict::kOk);
    now_.s += 600;
    ASSERT_EQ(send(contacts(2, {})), Verdict::kOk);
    EXPECT_THAT(ok_text(), HasSubstr("Contact: <sip:a@h1>;q=0.25;expires=3000\r\n"));
    EXPECT_THAT(ok_text(), HasSubstr("Contact: <sip:a@h2>;x=y;q=0.05;expires=3000\r\n"));
    EXPECT_EQ(stored()[0].state.cseq, 1U);
}

TEST_F(Rules, Rfc3261_10_3_AContactLastsAsLongAsItWasGranted) {
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>;expires=60"})), Verdict::kOk);
    const table::ContactId id = stored()[0].id;
    // Granted late in its second: 59.1 s later the clock has gone on by 60.
    now_ = {.ms = now_.ms + 59'100, .s = now_.s + 60};
    ASSERT_EQ(send(contacts(2, {})), Verdict::kOk);
    EXPECT_THAT(ok_text(), HasSubstr("Contact: <sip:a@h1>;expires=1\r\n"));
    ASSERT_EQ(send(contacts(3, {"<sip:a@h1>;expires=60"})), Verdict::kOk);
    EXPECT_EQ(stored()[0].id, id) << "the same binding: dialogs hang on its id";
    EXPECT_EQ(left_s(stored()[0].state, now_), 60U);
    now_.s += 61;
    EXPECT_EQ(left_s(stored()[0].state, now_), 0U);
}

TEST_F(Rules, Rfc3261_10_3_ExpiredContactsAreNeitherListedNorCounted) {
    policy_.max_contacts_per_aor = 1;
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>;expires=60"})), Verdict::kOk);
    now_ = {.ms = now_.ms + 60'001, .s = now_.s + 61};
    ASSERT_EQ(send(contacts(2, {})), Verdict::kOk);
    EXPECT_THAT(ok_text(), Not(HasSubstr("Contact:")));
    ASSERT_EQ(send(contacts(3, {"<sip:a@h2>"})), Verdict::kOk);
    EXPECT_THAT(uris(), ElementsAre("sip:a@h2"));
}

TEST_F(Rules, AFullAorRejects) {
    policy_.max_contacts_per_aor = 2;
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>", "<sip:a@h2>"})), Verdict::kOk);
    EXPECT_EQ(send(contacts(2, {"<sip:a@h3>"})), Verdict::kAorFull);
    EXPECT_EQ(send(contacts(3, {"<sip:a@h1>;expires=0", "<sip:a@h3>"})), Verdict::kOk);
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h2", "sip:a@h3"));
}

TEST_F(Rules, AFullAorGivesUpTheUnreachableThenTheOldest) {
    policy_.max_contacts_per_aor = 3;
    policy_.full_aor = FullAor::kReplace;
    for (unsigned i = 1; i <= 3; ++i) {
        ASSERT_EQ(send(contacts(i, {"<sip:a@h" + std::to_string(i) + ">"})), Verdict::kOk);
        now_.ms += 1000;
    }
    table::ContactId dead;
    for (const auto& view : stored()) {
        if (view.uri == "sip:a@h2") {
            dead = view.id;
        }
    }
    reachability_ = {[](const void* context, table::ContactId id) {
                         return id == *static_cast<const table::ContactId*>(context);
                     },
                     &dead};
    ASSERT_EQ(send(contacts(4, {"<sip:a@h4>"})), Verdict::kOk);
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h1", "sip:a@h3", "sip:a@h4"));
    ASSERT_EQ(send(contacts(5, {"<sip:a@h5>"})), Verdict::kOk);
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h3", "sip:a@h4", "sip:a@h5"));
    EXPECT_EQ(send(contacts(6, {"<sip:b@1>", "<sip:b@2>", "<sip:b@3>", "<sip:b@4>"})),
              Verdict::kAorFull)
        << "more than fit even when all others go";
    EXPECT_EQ(uris().size(), 3U);
}

// One that was refreshed while this request waited for the shard's owner is the youngest of all.
TEST_F(Rules, AFullAorKeepsWhatWasRefreshedWhileTheRequestWaited) {
    policy_.max_contacts_per_aor = 2;
    policy_.full_aor = FullAor::kReplace;
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>"})), Verdict::kOk);
    now_.ms += 1000;
    ASSERT_EQ(send(contacts(2, {"<sip:a@h2>"})), Verdict::kOk);
    now_.ms -= 1;
    ASSERT_EQ(send(contacts(3, {"<sip:a@h3>"})), Verdict::kOk);
    EXPECT_THAT(uris(), UnorderedElementsAre("sip:a@h2", "sip:a@h3"));
}

// Who is registered must be told so: what one datagram can't list is not taken.
TEST_F(Rules, AnAorHoldsNoMoreThanAnAnswerLists) {
    policy_.max_contacts_per_aor = table::kMaxContactsPerAor;
    const std::string long_text(450, 'a');
    const auto contact = [&](unsigned i) {
        return "<sip:" + long_text + std::to_string(i) +
               "@h>;+sip.instance=\"<urn:" + std::to_string(i) + ">\";reg-id=1;x=" + long_text;
    };
    unsigned i = 1;
    while (send(contacts(i, {contact(i)})) == Verdict::kOk) {
        ++i;
    }
    EXPECT_EQ(send(contacts(i, {contact(i)})), Verdict::kAorFull);
    EXPECT_GE(i, 7U);
    ASSERT_EQ(send(contacts(i, {contact(1)})), Verdict::kOk) << "a refresh";
    std::array<char, 9728> room;
    sip::Writer out(room.data(), room.size());
    const std::string aor = "alice@example.com";
    EXPECT_EQ(write_ok(last_->message, table_->find(test_hash()(aor), aor),
                       {{net::Address::v4(kHome), 32947, true}, "t", now_}, out),
              Answered::kWritten);
    // Nor by longer texts for contacts that are there.
    unsigned refused = 0;
    for (unsigned n = 1; n < i; ++n) {
        refused += send(contacts(2 * i, {contact(n) + std::string(24, 'b')})) == Verdict::kAorFull;
    }
    EXPECT_GT(refused, 0U);
    policy_.full_aor = FullAor::kReplace;
    EXPECT_EQ(send(contacts(3 * i, {contact(i)})), Verdict::kOk);
}

TEST_F(Rules, ARestartedPhoneReplacesItsBinding) {
    ASSERT_EQ(send({}), Verdict::kOk);
    RequestText restarted;
    restarted.call_id = "call-2";
    ASSERT_EQ(send(restarted, flow_from(kHome, 50000)), Verdict::kOk);
    EXPECT_EQ(stored().size(), 1U);
    restarted.cseq = 2;
    ASSERT_EQ(send(restarted, flow_from(kOffice, 50000)), Verdict::kOk);
    EXPECT_EQ(stored().size(), 1U) << "the same Call-ID has moved to the office";
    RequestText home;
    home.call_id = "call-3";
    ASSERT_EQ(send(home, flow_from(kHome, 1234)), Verdict::kOk);
    EXPECT_EQ(stored().size(), 2U) << "home and office are both alice@192.168.1.10:5060";
}

TEST_F(Rules, AMovedPhoneIsKnownByItsCallIdWhereItsTwinHasBeen) {
    const std::string uri = "<sip:alice@192.168.1.10:5060>";
    RequestText twin = contacts(1, {uri});
    ASSERT_EQ(send(twin, flow_from(kOffice, 50000)), Verdict::kOk);
    RequestText mine = contacts(1, {uri});
    mine.call_id = "mine";
    ASSERT_EQ(send(mine, flow_from(kHome, 32947)), Verdict::kOk);
    const auto before = stored();
    ASSERT_EQ(before.size(), 2U);
    const table::ContactId my_id = before[1].id;

    mine = contacts(2, {uri});
    mine.call_id = "mine";
    ASSERT_EQ(send(mine, flow_from(kOffice, 50000)), Verdict::kOk);
    EXPECT_FALSE(in_place_);
    const auto after = stored();
    ASSERT_EQ(after.size(), 2U);
    EXPECT_EQ(after[0].state.cseq, 1U) << "the twin's is not touched";
    EXPECT_EQ(after[1].id, my_id);
    EXPECT_EQ(after[1].state.cseq, 2U);
    EXPECT_EQ(after[1].state.flow, flow_from(kOffice, 50000));
}

TEST_F(Rules, AChangedTextOfTheSameInstanceKeepsTheId) {
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1:1000>;+sip.instance=\"<urn:1>\";reg-id=1"})),
              Verdict::kOk);
    const table::ContactId id = stored()[0].id;
    ASSERT_EQ(send(contacts(2, {"<sip:a@h1:2000>;+sip.instance=\"<urn:1>\";reg-id=1"})),
              Verdict::kOk);
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(stored()[0].uri, "sip:a@h1:2000");
    EXPECT_EQ(stored()[0].id, id);
}

TEST_F(Rules, AFullTableRefusesNewcomersAndServesTheOthers) {
    remake(1);
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>"})), Verdict::kOk);
    EXPECT_EQ(send(contacts(2, {"<sip:a@h2>"})), Verdict::kTableFull);
    EXPECT_EQ(send(contacts(3, {"<sip:a@h1>"})), Verdict::kOk);
    EXPECT_THAT(uris(), ElementsAre("sip:a@h1"));
}

// Nobody with a forged address has us send a victim a long list for a short request.
TEST_F(Rules, ALimitedAnswerListsTheSendersOwnFirstAndWhatFits) {
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>", "<sip:a@h2>", "<sip:a@h3>"})), Verdict::kOk);
    const net::Flow mine = flow_from(kHome, 40000);
    ASSERT_EQ(send(contacts(2, {"<sip:a@mine>"}), mine), Verdict::kOk);
    std::array<char, 2000> room;
    const auto answer = [&](std::size_t limit) {
        sip::Writer out(room.data(), room.size());
        const std::string aor = "alice@example.com";
        AnswerContext context{{net::Address::v4(kHome), 40000, true}, "t", now_, mine, limit};
        const Answered answered =
            write_ok(last_->message, table_->find(test_hash()(aor), aor), context, out);
        if (answered != Answered::kWritten) {
            return std::string();
        }
        EXPECT_LE(out.size(), limit);
        return std::string(out.view());
    };
    const std::string whole = answer(2000);
    EXPECT_LT(whole.find("sip:a@mine"), whole.find("sip:a@h1"));
    const std::string part = answer(whole.size() - 1);
    EXPECT_THAT(part, HasSubstr("sip:a@mine"));
    EXPECT_THAT(part, Not(HasSubstr("sip:a@h3")));
    EXPECT_EQ(answer(100), "");
}

TEST_F(Rules, Rfc3261_10_3_RefusalsSayWhatToDo) {
    std::array<char, 4000> room;
    const auto refusal = [&](const RequestText& text, Verdict verdict) {
        EXPECT_EQ(send(text), verdict);
        sip::Writer out(room.data(), room.size());
        EXPECT_EQ(write_refusal(last_->message, verdict, policy_, 17,
                                {{net::Address::v4(kHome), 32947, true}, "t", now_}, out),
                  Answered::kWritten);
        return std::string(out.view());
    };
    EXPECT_THAT(refusal(contacts(1, {"<sip:a@h1>;expires=5"}), Verdict::kTooBrief),
                testing::AllOf(HasSubstr("SIP/2.0 423 "), HasSubstr("Min-Expires: 60\r\n")));
    EXPECT_THAT(
        refusal(contacts(1, {"<sip:a@h1>"}, "Require: precondition, x\r\n"),
                Verdict::kBadExtension),
        testing::AllOf(HasSubstr("SIP/2.0 420 "), HasSubstr("Unsupported: precondition, x\r\n")));
    remake(1);
    ASSERT_EQ(send(contacts(1, {"<sip:a@h1>"})), Verdict::kOk);
    EXPECT_THAT(refusal(contacts(2, {"<sip:a@h2>"}), Verdict::kTableFull),
                testing::AllOf(HasSubstr("SIP/2.0 503 "), HasSubstr("Retry-After: 17\r\n")));
}

}  // namespace
}  // namespace pinhole::registrar
