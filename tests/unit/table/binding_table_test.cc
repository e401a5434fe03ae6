// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/binding_table.h"

#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace pinhole::table::test {
namespace {

ContactView view_of(const BindingTable& table, std::string_view aor, std::size_t i = 0) {
    ContactView view;
    const Record* record = find(table, aor);
    EXPECT_TRUE(record != nullptr && i < record->contact_count() && record->read(i, view));
    return view;
}

// For tests of edits: `edit(current, edit)` always means it.
template <class Do>
BindingTable::Changed change(BindingTable& table, std::string_view aor, Do&& act) {
    return table.change_owner(table.hash()(aor), aor, [&](const Current& current, Edit& edit) {
        act(current, edit);
        return true;
    });
}

TEST(BindingTable, AddsAndFinds) {
    TestTable t(10);
    const Phone phone(1);
    EXPECT_EQ(find(*t, phone.aor), nullptr);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    const ContactView view = view_of(*t, phone.aor);
    EXPECT_EQ(view.uri, phone.uri);
    EXPECT_EQ(view.state, phone.state);
    ContactView by_id;
    ASSERT_EQ(t->read(view.id, by_id), SlotRead::kLive);
    EXPECT_EQ(by_id.aor, phone.aor);
    EXPECT_EQ(t->counts().contacts, 1u);
    EXPECT_EQ(t->counts().records, 1u);
    EXPECT_EQ(t->counts().record_bytes, find(*t, phone.aor)->bytes());
}

TEST(BindingTable, TellsTheLikelySlot) {
    TestTable t(10);
    const Phone phone(1);
    EXPECT_EQ(t->likely_slot(t->hash()(phone.aor)), kNoSlot);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    EXPECT_EQ(t->likely_slot(t->hash()(phone.aor)), view_of(*t, phone.aor).id.slot);
}

TEST(BindingTable, RefreshesInPlace) {
    TestTable t(10);
    const Phone phone(1);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    const ContactId id = view_of(*t, phone.aor).id;
    EXPECT_EQ(drained(t->for_wheel()), std::vector<std::uint32_t>{id.slot});
    const Record* record = find(*t, phone.aor);
    EXPECT_EQ(t->refresh_any(*record,
                             [](ClaimedRecord& claimed) {
                                 ContactState state = claimed.state(0);
                                 state.cseq = 2;
                                 state.expires_at_s = 9999;
                                 claimed.update(0, state);
                             }),
              RefreshResult::kOk);
    EXPECT_EQ(find(*t, phone.aor), record);
    EXPECT_EQ(view_of(*t, phone.aor).state.cseq, 2u);
    EXPECT_EQ(drained(t->for_wheel()), std::vector<std::uint32_t>{});
    EXPECT_EQ(t->refresh_any(*record, [](ClaimedRecord&) {}), RefreshResult::kOk);
}

TEST(BindingTable, TheWheelHearsOfAnEarlierExpiryOnly) {
    TestTable t(10);
    const Phone phone(1);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    drained(t->for_wheel());
    const auto expire_at = [&](std::uint32_t at_s) {
        return t->refresh_any(*find(*t, phone.aor), [&](ClaimedRecord& claimed) {
            ContactState state = claimed.state(0);
            state.expires_at_s = at_s;
            claimed.update(0, state);
        });
    };
    EXPECT_EQ(expire_at(3601), RefreshResult::kOk);
    EXPECT_EQ(drained(t->for_wheel()).size(), 0u);
    EXPECT_EQ(expire_at(60), RefreshResult::kOk);
    EXPECT_EQ(drained(t->for_wheel()).size(), 1u);
    ContactState state = phone.state;
    for (const std::uint32_t at_s : {61u, 59u}) {
        state.expires_at_s = at_s;
        EXPECT_EQ(change(*t, phone.aor, [&](const Current&, Edit& edit) { edit.modify(0, state); })
                      .result,
                  ChangeResult::kOk);
        EXPECT_EQ(drained(t->for_wheel()).size(), at_s == 59 ? 1u : 0u);
    }
}

TEST(BindingTable, ARefresherOfAReplacedRecordIsTold) {
    TestTable t(10);
    t.reclaimer.at_once = false;
    const Phone phone(1);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    const Record* old = find(*t, phone.aor);
    ASSERT_EQ(add(*t, phone.aor, Phone(2).contact()), ChangeResult::kOk);
    EXPECT_EQ(t->refresh_any(*old, [](ClaimedRecord&) { FAIL(); }), RefreshResult::kDead);
    EXPECT_NE(find(*t, phone.aor), old);
    ContactView view;
    EXPECT_TRUE(old->read(0, view)) << "a reader may still look at it";
    EXPECT_EQ(t->refresh_any(*find(*t, phone.aor), [](ClaimedRecord&) {}), RefreshResult::kOk);
}

TEST(BindingTable, WhoWaitsForAClaimTooLongIsTold) {
    TestTable t(10);
    const Phone phone(1);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    const Record* record = find(*t, phone.aor);
    EXPECT_EQ(t->refresh_any(*record,
                             [&](ClaimedRecord&) {
                                 EXPECT_EQ(t->refresh_any(*record, [](ClaimedRecord&) {}),
                                           RefreshResult::kContended);
                                 EXPECT_EQ(add(*t, phone.aor, Phone(2).contact()),
                                           ChangeResult::kContended);
                                 ContactView view;
                                 EXPECT_FALSE(record->read(0, view));
                                 EXPECT_EQ(t->read({0, 1}, view), SlotRead::kContended);
                                 // A single word is never torn, whoever holds the claim.
                                 EXPECT_EQ(t->id_at(0), (ContactId{0, 1}));
                                 EXPECT_EQ(record->load_expires_at_s(0), phone.state.expires_at_s);
                             }),
              RefreshResult::kOk);
    EXPECT_EQ(add(*t, phone.aor, Phone(2).contact()), ChangeResult::kOk);
}

// A proxy's flow is that of all the phones behind it: no walk is to meet them.
TEST(BindingTable, WhatAPathLeadsToIsNotFoundByItsFlow) {
    TestTable t(10);
    const Phone phone(1);
    const auto found = [&] {
        std::array<ContactId, 4> ids;
        return t->find_by_flow(phone.state.flow, ids).count;
    };
    const auto put = [&](std::string_view path) {
        NewContact contact = phone.contact();
        contact.path = path;
        return t
            ->change_owner(t->hash()(phone.aor), phone.aor,
                           [&](const Current& current, Edit& edit) {
                               return current.contacts.empty() ? edit.add(contact)
                                                               : edit.replace(0, contact);
                           })
            .result;
    };
    const auto by_path = [&] { return find(*t, phone.aor)->fixed(0).path_len != 0; };
    ASSERT_EQ(put("<sip:10.0.0.5;lr>"), ChangeResult::kOk);
    EXPECT_EQ(found(), 0U);
    EXPECT_TRUE(by_path());
    (void)drained(t->for_wheel());
    ASSERT_EQ(put(""), ChangeResult::kOk);
    EXPECT_EQ(found(), 1U) << "the phone has come to us";
    EXPECT_FALSE(by_path());
    EXPECT_EQ(drained(t->for_wheel()), std::vector<std::uint32_t>{0}) << "and is to be pinged";
    ASSERT_EQ(put("<sip:10.0.0.5;lr>"), ChangeResult::kOk);
    EXPECT_EQ(found(), 0U);
    EXPECT_EQ(drained(t->for_wheel()), std::vector<std::uint32_t>{0}) << "and no longer";
    ASSERT_EQ(t->change_owner(t->hash()(phone.aor), phone.aor,
                              [&](const Current& current, Edit& edit) {
                                  ContactState state = current.contacts[0].state;
                                  state.flow = make_flow(99);
                                  edit.modify(0, state);
                                  return true;
                              })
                  .result,
              ChangeResult::kOk);
    EXPECT_EQ(find(*t, phone.aor)->path(0), "<sip:10.0.0.5;lr>");
    ASSERT_EQ(drop_all(*t, phone.aor), ChangeResult::kOk);
    EXPECT_EQ(found(), 0U);
}

TEST(BindingTable, AFlowMovesInPlaceAndTheIndexFollows) {
    TestTable t(10);
    const Phone phone(1);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    const Record* record = find(*t, phone.aor);
    drained(t->for_wheel());
    ContactState moved = phone.state;
    moved.flow = make_flow(77, 1234);
    const auto changed =
        change(*t, phone.aor, [&](const Current&, Edit& edit) { edit.modify(0, moved); });
    EXPECT_EQ(changed.result, ChangeResult::kOk);
    EXPECT_EQ(changed.record, record) << "no memory needed";
    EXPECT_EQ(view_of(*t, phone.aor).state, moved);
    std::array<ContactId, 2> out;
    EXPECT_EQ(t->find_by_flow(phone.state.flow, out).count, 0u);
    EXPECT_EQ(t->find_by_flow(moved.flow, out).count, 1u);
    EXPECT_EQ(drained(t->for_wheel()).size(), 1u);
}

TEST(BindingTable, AnEditIsDoneWhole) {
    TestTable t(10);
    const Phone one(1);
    for (std::uint64_t n = 1; n <= 4; ++n) {
        ASSERT_EQ(add(*t, one.aor, Phone(n).contact()), ChangeResult::kOk);
    }
    std::vector<ContactId> ids;
    for (std::size_t i = 0; i < 4; ++i) {
        ids.push_back(view_of(*t, one.aor, i).id);
    }
    Phone other(9);
    ContactState modified = Phone(2).state;
    modified.flow = make_flow(1);
    const auto changed = change(*t, one.aor, [&](const Current& current, Edit& edit) {
        ASSERT_EQ(current.contacts.size(), 4u);
        edit.modify(1, modified);
        edit.drop(2);
        ASSERT_TRUE(edit.replace(3, other.contact()));
        ASSERT_TRUE(edit.add(kept_phone(5).contact()));
    });
    ASSERT_EQ(changed.result, ChangeResult::kOk);
    const Record* record = find(*t, one.aor);
    EXPECT_EQ(changed.record, record);
    ASSERT_EQ(record->contact_count(), 4u);
    EXPECT_EQ(view_of(*t, one.aor, 0).id, ids[0]);
    EXPECT_EQ(view_of(*t, one.aor, 1).id, ids[1]);
    EXPECT_EQ(view_of(*t, one.aor, 1).state, modified);
    EXPECT_EQ(view_of(*t, one.aor, 2).id, ids[3]) << "replaced: the same binding";
    EXPECT_EQ(view_of(*t, one.aor, 2).uri, other.uri);
    EXPECT_EQ(view_of(*t, one.aor, 3).uri, Phone(5).uri);
    EXPECT_EQ(t->record_of(ids[2]), nullptr);
    EXPECT_EQ(t->counts().contacts, 4u);
    std::array<ContactId, 8> out;
    EXPECT_EQ(t->find_by_flow(Phone(3).state.flow, out).count, 0u);
    EXPECT_EQ(t->find_by_flow(Phone(4).state.flow, out).count, 0u);
    EXPECT_EQ(t->find_by_flow(other.state.flow, out).count, 1u);
    EXPECT_EQ(out[0], ids[3]);
    EXPECT_EQ(t->find_by_flow(Phone(5).state.flow, out).count, 1u);
}

TEST(BindingTable, ARefusedChangeChangesNothing) {
    TestTable t(10);
    const Phone phone(1);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    const auto changed =
        t->change_owner(t->hash()(phone.aor), phone.aor, [](const Current&, Edit& edit) {
            edit.drop(0);
            return false;
        });
    EXPECT_EQ(changed.result, ChangeResult::kNothing);
    EXPECT_EQ(view_of(*t, phone.aor).state, phone.state);
    EXPECT_EQ(change(*t, phone.aor, [](const Current&, Edit&) {}).result, ChangeResult::kNothing);
    EXPECT_EQ(drop_all(*t, "nobody@example.com"), ChangeResult::kNothing);
}

TEST(BindingTable, TheLastContactTakesTheRecordAlong) {
    TestTable t(10);
    t.reclaimer.at_once = false;
    const Phone phone(1);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    const ContactId id = view_of(*t, phone.aor).id;
    drained(t->for_wheel());
    ASSERT_EQ(drop_all(*t, phone.aor), ChangeResult::kOk);
    EXPECT_EQ(find(*t, phone.aor), nullptr);
    ContactView view;
    EXPECT_EQ(t->read(id, view), SlotRead::kGone);
    EXPECT_EQ(t->read_slot(id.slot, view), SlotRead::kGone);
    EXPECT_EQ(view.id.generation, id.generation + 1);
    EXPECT_EQ(drained(t->for_wheel()), std::vector<std::uint32_t>{id.slot});
    EXPECT_EQ(t->counts().contacts, 0u);
    EXPECT_EQ(t->counts().records, 0u);
    EXPECT_EQ(t->counts().record_bytes, 0u);
    EXPECT_EQ(t->reclaim_owner(0), 0u) << "readers have not let go of it";
    t.reclaimer.all_quiescent();
    EXPECT_EQ(t->reclaim_owner(0), 2u) << "the record and the slot";
}

TEST(BindingTable, RemovesByIdOnlyWhatStillDeservesIt) {
    TestTable t(10);
    const Phone phone(1);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    const ContactId id = view_of(*t, phone.aor).id;
    const auto expired_by = [](std::uint32_t now_s) {
        return [now_s](const ContactView& view) { return view.state.expires_at_s <= now_s; };
    };
    EXPECT_EQ(t->remove_owner(id, expired_by(3599)), ChangeResult::kNothing);
    EXPECT_EQ(t->remove_owner({id.slot, id.generation + 1}, expired_by(3600)),
              ChangeResult::kNothing);
    EXPECT_EQ(t->remove_owner(id, expired_by(3600)), ChangeResult::kOk);
    EXPECT_EQ(t->remove_owner(id, expired_by(3600)), ChangeResult::kNothing);
    EXPECT_EQ(find(*t, phone.aor), nullptr);
}

TEST(BindingTable, HoldsExactlyWhatItIsMadeFor) {
    for (const std::uint32_t shards : {1u, 3u}) {
        for (const std::uint64_t mask : {~0ull, 0ull}) {
            TestTable t(500, shards, mask);
            for (std::uint64_t n = 0; n < 500; ++n) {
                ASSERT_EQ(add(*t, Phone(n)), ChangeResult::kOk) << n;
            }
            EXPECT_EQ(add(*t, Phone(500)), ChangeResult::kTableFull);
            EXPECT_EQ(find(*t, make_aor(500)), nullptr);
            EXPECT_EQ(t->counts().contacts, 500u);
            ASSERT_EQ(drop_all(*t, make_aor(123)), ChangeResult::kOk);
            reclaim_all(*t);  // it may have been another shard's
            EXPECT_EQ(add(*t, Phone(500)), ChangeResult::kOk);
            EXPECT_EQ(add(*t, Phone(123)), ChangeResult::kTableFull);
            EXPECT_NE(find(*t, make_aor(499)), nullptr);
        }
    }
}

TEST(BindingTable, AFullTableStillRefreshesAndMoves) {
    TestTable t(1);
    const Phone phone(1);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    ContactState moved = phone.state;
    moved.flow = make_flow(5);
    EXPECT_EQ(
        change(*t, phone.aor, [&](const Current&, Edit& edit) { edit.modify(0, moved); }).result,
        ChangeResult::kOk);
    EXPECT_EQ(change(*t, phone.aor,
                     [&](const Current&, Edit& edit) {
                         edit.drop(0);
                         ASSERT_TRUE(edit.add(phone.contact()));
                     })
                  .result,
              ChangeResult::kTableFull)
        << "a slot is free again only when readers have let go of it";
    EXPECT_EQ(view_of(*t, phone.aor).state, moved);
}

TEST(BindingTable, SeveralNewContactsComeTogetherOrNotAtAll) {
    TestTable t(3);
    const auto add_two = [&](std::string_view aor) {
        return change(*t, aor,
                      [](const Current&, Edit& edit) {
                          ASSERT_TRUE(edit.add(kept_phone(1).contact()));
                          ASSERT_TRUE(edit.add(kept_phone(2).contact()));
                      })
            .result;
    };
    EXPECT_EQ(add_two("a@b"), ChangeResult::kOk);
    EXPECT_EQ(add_two("c@d"), ChangeResult::kTableFull);
    EXPECT_EQ(find(*t, "c@d"), nullptr);
    EXPECT_EQ(add(*t, Phone(3)), ChangeResult::kOk) << "the one slot left was given back";
}

TEST(BindingTable, OutOfRecordMemoryChangesNothing) {
    HeapMemory arrays;
    HeapMemory records(1000);
    TestReclaimer reclaimer;
    const ShardMemory shard{arrays.arrays(), records.records()};
    const auto table = BindingTable::make(
        {100, make_hash(), reclaimer.get(), arrays.arrays(), std::span(&shard, 1)});
    std::uint64_t n = 0;
    while (add(*table, Phone(n)) == ChangeResult::kOk) {
        ++n;
    }
    EXPECT_GT(n, 2u);
    EXPECT_EQ(add(*table, Phone(n)), ChangeResult::kNoMemory);
    EXPECT_EQ(add(*table, make_aor(0), Phone(n).contact()), ChangeResult::kNoMemory);
    EXPECT_EQ(table->counts().contacts, n);
    EXPECT_EQ(table->counts().record_bytes, records.record_bytes_in_use());
    ASSERT_EQ(drop_all(*table, make_aor(0)), ChangeResult::kOk);
    EXPECT_EQ(add(*table, Phone(n)), ChangeResult::kOk) << "what is retired is reclaimed in need";
}

TEST(BindingTable, TooLargeIsRefused) {
    TestTable t(100);
    const std::string text(600, 'x');
    const Phone phone(1);
    NewContact contact = phone.contact();
    contact.uri = text;
    EXPECT_EQ(add(*t, "a@b", contact), ChangeResult::kTooLarge);
    contact = phone.contact();
    contact.params = text;
    contact.instance = {};
    EXPECT_EQ(add(*t, "a@b", contact), ChangeResult::kTooLarge);
    contact = phone.contact();
    contact.instance = text;
    EXPECT_EQ(add(*t, "a@b", contact), ChangeResult::kTooLarge) << "not within the params";
    EXPECT_EQ(add(*t, std::string(256, 'a'), phone.contact()), ChangeResult::kTooLarge);
    for (std::size_t n = 0; n < kMaxContactsPerAor; ++n) {
        EXPECT_EQ(add(*t, "a@b", Phone(1).contact()), ChangeResult::kOk);
    }
    EXPECT_EQ(add(*t, "a@b", Phone(1).contact()), ChangeResult::kTooLarge);
    EXPECT_EQ(t->counts().contacts, kMaxContactsPerAor);
    const auto more_than_an_edit_holds = change(*t, "c@d", [](const Current&, Edit& edit) {
        for (std::size_t n = 0; n < Edit::kMaxNew; ++n) {
            EXPECT_TRUE(edit.add(kept_phone(n).contact()));
        }
        EXPECT_FALSE(edit.add(kept_phone(99).contact()));
    });
    EXPECT_EQ(more_than_an_edit_holds.record->contact_count(), Edit::kMaxNew);
}

TEST(BindingTable, ReadersThatHoldOnMakeTheOwnerBusyNotWait) {
    TestTable t(10);
    t.reclaimer.at_once = false;
    const Phone phone(1);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    ChangeResult result = ChangeResult::kOk;
    std::uint32_t changes = 0;
    while (result == ChangeResult::kOk && changes <= RetireList::kCapacity) {
        result = change(*t, phone.aor, [&](const Current&, Edit& edit) {
                     ASSERT_TRUE(edit.replace(0, phone.contact()));
                 }).result;
        ++changes;
    }
    EXPECT_EQ(result, ChangeResult::kBusy);
    EXPECT_EQ(view_of(*t, phone.aor).state, phone.state);
    t.reclaimer.all_quiescent();
    EXPECT_EQ(drop_all(*t, phone.aor), ChangeResult::kOk);
}

TEST(BindingTable, ListsEveryRecordOnceInBoundedSteps) {
    TestTable t(1000, 3);
    std::set<std::string> expected;
    for (std::uint64_t n = 0; n < 300; ++n) {
        ASSERT_EQ(add(*t, Phone(n)), ChangeResult::kOk);
        expected.insert(make_aor(n));
    }
    std::set<std::string> seen;
    ListCursor cursor;
    bool more = true;
    while (more) {
        more = t->list(cursor, 7, [&](const Record& record) {
            EXPECT_TRUE(seen.emplace(record.aor()).second);
        });
    }
    EXPECT_EQ(seen, expected);
}

TEST(BindingTable, IsNotMadeWithoutItsArrays) {
    HeapMemory memory;
    TestReclaimer reclaimer;
    const ShardMemory shard = memory.shard();
    TableConfig config{100, make_hash(), reclaimer.get(), memory.arrays(), std::span(&shard, 1)};
    const MemoryPlan plan = memory_plan(100, 1);
    struct Limited {
        HeapMemory& memory;
        std::size_t left;
    } limited{memory, plan.shared_arrays - 1};
    config.arrays = {[](void* self, std::size_t bytes) -> void* {
                         auto& l = *static_cast<Limited*>(self);
                         if (bytes > l.left) {
                             return nullptr;
                         }
                         l.left -= bytes;
                         return l.memory.arrays().allocate(&l.memory, bytes);
                     },
                     &limited};
    EXPECT_EQ(BindingTable::make(config), nullptr);
    limited.left = plan.shared_arrays;
    EXPECT_NE(BindingTable::make(config), nullptr) << "the plan is enough";
    EXPECT_EQ(limited.left, 0u) << "and no more than enough";
    config.max_contacts = 0;
    EXPECT_EQ(BindingTable::make(config), nullptr);
}

TEST(MemoryPlan, AContactOfAMillionTakesLittleMoreThanItsRecord) {
    const MemoryPlan plan = memory_plan(1'000'000, 1, 256);
    EXPECT_LE((plan.shared_arrays + plan.shard_arrays) / 1'000'000, 62u);
}

}  // namespace
}  // namespace pinhole::table::test
