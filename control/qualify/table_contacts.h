// SPDX-License-Identifier: BSD-3-Clause
// The keeper's contacts as the binding table has them. A ping takes one look at the table: read()
// finds the record, and ping_target() builds on what was found. A contact that is due but not
// pinged costs one word of its state, so that no claim stands in its way. The control thread's own,
// between two of its quiescent states. Pure.
#pragma once

#include "control/qualify/contacts.h"
#include "dataplane/route/ping.h"
#include "dataplane/table/binding_table.h"

#include <cstdint>
#include <optional>

namespace pinhole::qualify {

class TableContacts final : public Contacts {
  public:
    explicit TableContacts(const table::BindingTable& table) : table_(table) {}

    ContactId id_at(std::uint32_t slot) override;
    bool read(ContactId id, ContactBrief& out) override;
    bool where_is(std::uint32_t slot, Whereabouts& out) override;
    // The slot leads to the record, so it is fetched a turn earlier.
    void prefetch(std::uint32_t next, std::uint32_t after_next) const override;

  private:
    const table::BindingTable& table_;
};

// What to send to a contact that TableContacts has read, and by which flow. None: a writer holds it
// claimed for too long.
[[nodiscard]] std::optional<route::PingTarget> ping_target(const ContactBrief& contact);

}  // namespace pinhole::qualify
