// SPDX-License-Identifier: BSD-3-Clause
#include "control/qualify/table_contacts.h"

#include "dataplane/nat/other_port.h"
#include "dataplane/table/qualify_state.h"

namespace pinhole::qualify {
namespace {

using table::QualifyView;

std::uint8_t traits_of(const table::ContactView& contact, const std::optional<net::Flow>& other) {
    const unsigned flags = contact.state.flags;
    unsigned traits = (flags & table::kSuspect) != 0 ? QualifyView::kSuspect : 0;
    traits |= (flags & table::kAlgMask) >> table::kAlgShift << QualifyView::kAlgShift;
    if (other.has_value()) {
        // The port's bits are mixed: phones count their ports up.
        traits |= (other->their_udp_port * 0x9e37U >> 8 & 3) << QualifyView::kPortShift;
    }
    return static_cast<std::uint8_t>(traits);
}

}  // namespace

ContactId TableContacts::id_at(std::uint32_t slot) {
    return table_.id_at(slot);
}

bool TableContacts::read(ContactId id, ContactBrief& out) {
    const table::Record* record = table_.record_of(id);
    // The record may be another contact's already, while the owner is ending this one.
    const std::size_t index = record != nullptr ? record->index_of(id) : 0;
    if (record == nullptr || index == record->contact_count()) {
        return false;
    }
    // Word by word: a temporary that is copied whole would wait for its parts to be stored.
    out.id = id;
    out.expires_at_s = record->load_expires_at_s(index);
    out.by_path = record->fixed(index).path_len != 0;
    out.index = static_cast<std::uint8_t>(index);
    out.record = record;
    return true;
}

bool TableContacts::where_is(std::uint32_t slot, Whereabouts& out) {
    table::ContactView contact;
    if (table_.read_slot(slot, contact) != table::SlotRead::kLive) {
        return false;
    }
    const net::Flow& flow = contact.state.flow;
    const auto other = nat::other_port(contact);
    out = {.address = flow.theirs,
           .udp_port = flow.their_udp_port,
           .flow_mark = static_cast<std::uint16_t>(table_.hash()(flow)),
           .aor_hash = table_.hash()(contact.aor),
           .agent = static_cast<std::uint8_t>(contact.state.flags >> table::kAgentShift),
           .same_call = (contact.state.flags & table::kSameCall) != 0,
           .traits = traits_of(contact, other),
           .has_other_port = other.has_value(),
           .at_contact = (contact.state.flags & table::kAtContact) != 0};
    return true;
}

void TableContacts::prefetch(std::uint32_t next, std::uint32_t after_next) const {
    table_.prefetch_slot_record(next);
    table_.prefetch_slot(after_next);
}

std::optional<route::PingTarget> ping_target(const ContactBrief& contact) {
    table::ContactState state;
    if (!contact.record->read_state(contact.index, state)) {
        return std::nullopt;
    }
    return route::PingTarget{contact.id, state.flow, contact.record->uri(contact.index),
                             contact.record->aor()};
}

}  // namespace pinhole::qualify
