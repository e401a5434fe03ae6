// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/edge/life.h"

#include <array>
#include <bit>

namespace pinhole::edge {

// A password shown just now is a proof; where nobody is asked for one, the Call-ID is, which only
// those know who have seen the phone's packets. A Path leads to a proxy, whose flow is no
// contact's.
void ProofsOfLife::note_refresh(const Job& job, const table::Record& record,
                                const registrar::Named& named, const Moment& now) {
    const registrar::Whose& whose = job.registration->whose;
    std::uint32_t proven = 0;
    if (whose.path.empty() && whose.flow == job.packet.flow) {
        const bool asks_for_passwords = shared_.authentication != nullptr;
        proven = !asks_for_passwords ? named.by_call : job.is_proven() ? named.all : 0;
    }
    for (; proven != 0; proven &= proven - 1) {
        const auto& contact = record.fixed(static_cast<std::size_t>(std::countr_zero(proven)));
        note({contact.slot, contact.generation}, table::Proof::kRegister, now);
    }
}

// Of a PBX with many lines some have to do; the others are pinged.
void ProofsOfLife::note_dialog(const net::Flow& flow, const Moment& now) {
    std::array<table::ContactId, 4> contacts;
    const table::FlowMatches found = shared_.table.find_by_flow(flow, contacts);
    for (std::size_t i = 0; i < found.count; ++i) {
        note(contacts[i], table::Proof::kDialog, now);
    }
}

// The control thread looks when a ping is due. A contact that was given up for dead is to ring at
// once.
void ProofsOfLife::note(table::ContactId id, table::Proof proof, const Moment& now) {
    shared_.qualify.prove_any(id.slot, now.stamp_ms(), proof);
    if (shared_.qualify.reach_any(id) == table::Reach::kUnreachable) [[unlikely]] {
        shared_.table.for_wheel().mark(id.slot);
    }
}

}  // namespace pinhole::edge
