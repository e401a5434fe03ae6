// SPDX-License-Identifier: BSD-3-Clause
// A phone has answered at the port that its Contact names and not at the one that it sends from
// (registrar/other_port.h): it is reached there from now on. By the owner, since its flow changes; what
// is lost on the way costs nothing but that the phone stays where it was.
#include "dataplane/io/sip_stage.h"
#include "dataplane/nat/other_port.h"

namespace pinhole::io {

// If the Contact still names that address, and nobody else is reached there.
void SipStage::retarget(table::ContactId id) {
    const table::Record* record = shared_.table.record_of(id);
    if (record == nullptr) {
        return;
    }
    const auto changed = shared_.table.change_owner(
        record->hash(), record->aor(), [&](const table::Current& current, table::Edit& edit) {
            for (std::size_t i = 0; i < current.contacts.size(); ++i) {
                const table::ContactView& contact = current.contacts[i];
                const auto flow = contact.id == id ? nat::other_port(contact) : std::nullopt;
                if (!flow.has_value() ||
                    shared_.table.has_flow(*flow, shared_.table.hash()(*flow))) {
                    continue;
                }
                table::ContactState state = contact.state;
                state.flow = *flow;
                state.flags |= table::kAtContact;
                edit.modify(i, state);
                return true;
            }
            return false;
        });
    if (changed.result == table::ChangeResult::kOk) {
        counters_.retargeted.add();
    }
}

}  // namespace pinhole::io
