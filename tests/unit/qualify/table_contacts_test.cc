// SPDX-License-Identifier: BSD-3-Clause
// What the keeper reads of the binding table, and what a ping is built from.
#include "control/qualify/table_contacts.h"

#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

namespace pinhole::qualify {
namespace {

using table::test::add;
using table::test::drop_all;
using table::test::find;
using table::test::kept_phone;
using table::test::TestTable;

TEST(TableContacts, ReadsAContactByItsId) {
    TestTable t(10);
    ASSERT_EQ(add(*t, kept_phone(1)), table::ChangeResult::kOk);
    TableContacts contacts(*t);
    const ContactId id = contacts.id_at(0);
    ASSERT_TRUE(id.valid());
    EXPECT_FALSE(contacts.id_at(1).valid());
    EXPECT_FALSE(contacts.id_at(10).valid()) << "there is no such slot";
    ContactBrief read;
    ASSERT_TRUE(contacts.read(id, read));
    EXPECT_EQ(read.id, id);
    EXPECT_EQ(read.expires_at_s, kept_phone(1).state.expires_at_s);
    EXPECT_FALSE(read.by_path);
    EXPECT_FALSE(contacts.read({id.slot, id.generation + 1}, read));
}

TEST(TableContacts, KnowsWhoIsReachedThroughAProxy) {
    TestTable t(10);
    table::NewContact contact = kept_phone(1).contact();
    contact.path = "<sip:proxy.example.com;lr>";
    ASSERT_EQ(add(*t, kept_phone(1).aor, contact), table::ChangeResult::kOk);
    TableContacts contacts(*t);
    ContactBrief read;
    ASSERT_TRUE(contacts.read(contacts.id_at(0), read));
    EXPECT_TRUE(read.by_path);
}

// Whoever looked at the table again would find nobody.
TEST(TableContacts, APingIsBuiltFromTheOneReadEvenIfTheContactGoesMeanwhile) {
    TestTable t(10);
    t.reclaimer.at_once = false;  // we are a reader that has not been quiescent since
    ASSERT_EQ(add(*t, kept_phone(1)), table::ChangeResult::kOk);
    TableContacts contacts(*t);
    ContactBrief read;
    ASSERT_TRUE(contacts.read(contacts.id_at(0), read));
    ASSERT_EQ(drop_all(*t, kept_phone(1).aor), table::ChangeResult::kOk);
    ContactBrief again;
    EXPECT_FALSE(contacts.read(read.id, again));
    const auto target = ping_target(read);
    ASSERT_TRUE(target.has_value());
    EXPECT_EQ(target->id, read.id);
    EXPECT_EQ(target->flow, kept_phone(1).state.flow);
    EXPECT_EQ(target->contact_uri, kept_phone(1).uri);
    EXPECT_EQ(target->aor, kept_phone(1).aor);
    EXPECT_FALSE(target->probe);
}

TEST(TableContacts, AClaimedContactIsThereButNotPinged) {
    TestTable t(10);
    ASSERT_EQ(add(*t, kept_phone(1)), table::ChangeResult::kOk);
    TableContacts contacts(*t);
    const table::Record* record = find(*t, kept_phone(1).aor);
    ASSERT_EQ(record->sequence().claim(), table::Claim::kClaimed);
    ContactBrief read;
    ASSERT_TRUE(contacts.read(contacts.id_at(0), read));
    EXPECT_FALSE(ping_target(read).has_value());
    record->sequence().release_unchanged();
    EXPECT_TRUE(ping_target(read).has_value());
}

}  // namespace
}  // namespace pinhole::qualify
