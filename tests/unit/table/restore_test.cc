// SPDX-License-Identifier: BSD-3-Clause
// Loading contacts with the ids they had, as the journal will.
#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace pinhole::table::test {
namespace {

NewContact with_id(const Phone& phone, ContactId id) {
    NewContact contact = phone.contact();
    contact.restored_id = id;
    return contact;
}
ChangeResult restore(BindingTable& table, const Phone& phone, ContactId id) {
    const NewContact contact = with_id(phone, id);
    return table.restore_owner(table.hash()(phone.aor), phone.aor, std::span(&contact, 1));
}

TEST(Restore, ContactsComeBackByTheirIds) {
    for (const std::uint32_t shards : {1u, 3u}) {
        TestTable t(10, shards);
        ASSERT_EQ(restore(*t, Phone(1), {7, 41}), ChangeResult::kOk);
        ASSERT_EQ(restore(*t, Phone(2), {2, 5}), ChangeResult::kOk);
        t->finish_restore();
        ContactView view;
        ASSERT_EQ(t->read({7, 41}, view), SlotRead::kLive);
        EXPECT_EQ(view.aor, Phone(1).aor);
        EXPECT_EQ(view.state, Phone(1).state);
        EXPECT_EQ(t->read({7, 40}, view), SlotRead::kGone);
        std::array<ContactId, 1> out;
        EXPECT_EQ(t->find_by_flow(Phone(2).state.flow, out).count, 1u);
        EXPECT_EQ(out[0], (ContactId{2, 5}));
        EXPECT_EQ(t->counts().contacts, 2u);
    }
}

TEST(Restore, AnAddressOfRecordComesBackWholeAndOnce) {
    TestTable t(40);
    std::vector<Phone> phones;
    for (std::uint64_t n = 0; n < kMaxContactsPerAor; ++n) {
        phones.emplace_back(n + 1);
    }
    std::vector<NewContact> all;
    for (std::uint32_t n = 0; n < phones.size(); ++n) {
        all.push_back(with_id(phones[n], {n, 1}));
    }
    const std::string aor = Phone(1).aor;
    ASSERT_EQ(t->restore_owner(t->hash()(aor), aor, all), ChangeResult::kOk);
    EXPECT_EQ(restore(*t, Phone(1), {35, 1}), ChangeResult::kNothing) << "it is there";
    t->finish_restore();
    ASSERT_NE(find(*t, aor), nullptr);
    EXPECT_EQ(find(*t, aor)->contact_count(), kMaxContactsPerAor);
}

TEST(Restore, AllOtherSlotsAreFreeAfterwards) {
    TestTable t(10);
    ASSERT_EQ(restore(*t, Phone(1), {7, 1}), ChangeResult::kOk);
    ASSERT_EQ(restore(*t, Phone(2), {2, 1}), ChangeResult::kOk);
    t->finish_restore();
    std::set<std::uint32_t> slots{7, 2};
    for (std::uint64_t n = 10; n < 18; ++n) {
        ASSERT_EQ(add(*t, Phone(n)), ChangeResult::kOk);
        EXPECT_TRUE(slots.insert(find(*t, make_aor(n))->fixed(0).slot).second);
    }
    EXPECT_EQ(add(*t, Phone(99)), ChangeResult::kTableFull);
}

TEST(Restore, WhatCannotBeIsRefused) {
    TestTable t(10);
    ASSERT_EQ(restore(*t, Phone(1), {7, 1}), ChangeResult::kOk);
    EXPECT_EQ(restore(*t, Phone(2), {7, 2}), ChangeResult::kNothing) << "taken";
    EXPECT_EQ(restore(*t, Phone(2), {10, 1}), ChangeResult::kNothing) << "beyond the table";
    EXPECT_EQ(restore(*t, Phone(2), {3, 0}), ChangeResult::kNothing) << "no id";
    const std::vector<NewContact> twice(2, with_id(Phone(2), {4, 1}));
    EXPECT_EQ(t->restore_owner(t->hash()("a@b"), "a@b", twice), ChangeResult::kNothing);
    t->finish_restore();
    EXPECT_EQ(t->counts().contacts, 1u);
    for (std::uint64_t n = 10; n < 19; ++n) {
        EXPECT_EQ(add(*t, Phone(n)), ChangeResult::kOk) << "nothing was lost by it";
    }
}

}  // namespace
}  // namespace pinhole::table::test
