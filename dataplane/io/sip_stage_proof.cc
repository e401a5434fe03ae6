// SPDX-License-Identifier: BSD-3-Clause
// What proves to a worker that a contact lives, so that the control thread need not ask it. Only what
// bears a secret of the contact's and comes by its own flow: bytes that anybody could have sent from
// a forged address put nothing off. A store a proof, no event; the worker's own.
#include "dataplane/io/sip_stage.h"

#include <bit>

namespace pinhole::io {

// A REGISTER has refreshed contacts by their own flow. A password shown just now is a proof; where
// nobody is asked for one, the Call-ID is, which only who has seen the phone's packets knows. A Path
// leads to a proxy, whose flow is no contact's.
void SipStage::note_proof(const Context& context, const table::Record& record,
                          const registrar::Named& named) {
    std::uint32_t proven = 0;
    if (context.request.path.empty() && context.request.flow == context.flow) {
        proven = checker_.has_value() ? (context.proven ? named.all : 0) : named.by_call;
    }
    for (; proven != 0; proven &= proven - 1) {
        const auto& contact = record.fixed(static_cast<std::size_t>(std::countr_zero(proven)));
        note_proof(contact.slot, contact.generation, table::Proof::kRegister);
    }
}

// Of a PBX with many lines some have to do; the others are pinged.
void SipStage::note_proof(const net::Flow& flow) {
    std::array<table::ContactId, 4> contacts;
    const table::FlowMatches found = shared_.table.find_by_flow(flow, contacts);
    for (std::size_t i = 0; i < found.count; ++i) {
        note_proof(contacts[i].slot, contacts[i].generation, table::Proof::kDialog);
    }
}

// The control thread looks when a ping is due; but who was given up for dead is to ring at once.
void SipStage::note_proof(std::uint32_t slot, std::uint32_t generation, table::Proof proof) {
    shared_.qualify.prove_any(slot, static_cast<std::uint32_t>(now_.ms), proof);
    if (shared_.qualify.reach_any({slot, generation}) == table::Reach::kUnreachable) [[unlikely]] {
        shared_.table.for_wheel().mark(slot);
    }
}

}  // namespace pinhole::io
