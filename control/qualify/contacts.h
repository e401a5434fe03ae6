// SPDX-License-Identifier: BSD-3-Clause
// What the keeper asks of the world: it reads contacts by Contacts, and what it decides goes out by
// Sink. In the daemon the binding table, the workers and the owners stand behind them
// (table_contacts.h, daemon/control_thread.cc), in tests and benches fakes do. The control thread
// alone calls them. Pure.
#pragma once

#include "dataplane/net/address.h"
#include "dataplane/table/contact_id.h"
#include "dataplane/table/record.h"

#include <cstdint>

namespace pinhole::qualify {

using table::ContactId;

// A contact as one look at it has found it. It is judged and pinged by that look, whatever becomes
// of it meanwhile.
struct ContactBrief {
    ContactId id;
    std::uint32_t expires_at_s = 0;
    bool by_path = false;  // a proxy leads there (RFC 3327): the pinhole is the proxy's to keep
    // The record, and which of its contacts: the ping's texts and flow stand there. Good until the
    // thread's next quiescent state. Fakes have none.
    std::uint8_t index = 0;
    const table::Record* record = nullptr;
};

struct Whereabouts {
    net::Address address;         // the far end's
    std::uint16_t udp_port = 0;   // likewise
    std::uint16_t flow_mark = 0;  // of the whole flow: another flow, another mark
    std::uint64_t aor_hash = 0;
    std::uint8_t agent = 0;  // the kind of phone
    bool same_call = false;  // it has registered there under the Call-ID it had: it did not restart
    std::uint8_t traits = 0;      // of QualifyView: what the binding says of itself
    bool has_other_port = false;  // its Contact names the same address with another port
    bool at_contact = false;      // it is reached at its Contact's port
};

class Contacts {
  public:
    // The contact that the slot holds now. Not valid: the slot is free.
    virtual ContactId id_at(std::uint32_t slot) = 0;
    // False: this contact is gone. Never so of one that a writer holds claimed: the keeper would
    // forget what it has learned of it.
    virtual bool read(ContactId id, ContactBrief& out) = 0;
    // By what flow the contact is reached; asked for new contacts and those that moved. False: the
    // slot is free, or its contact can't be read at present.
    virtual bool where_is(std::uint32_t slot, Whereabouts& out) = 0;
    // The next two slots that are likely to be read, in this order. Any slots.
    virtual void prefetch(std::uint32_t /*next*/, std::uint32_t /*after_next*/) const {}

  protected:
    ~Contacts() = default;
};

class Sink {
  public:
    // False: the worker's queue is full, or a writer holds the contact claimed. The keeper tries
    // again, once a call of advance().
    virtual bool send_ping(const ContactBrief& contact) = 0;
    // A ping to the port that the contact's Contact names. If it is lost, it is not sent again.
    virtual void send_probe(ContactId id) = 0;

    // Orders to the contact's owner. An order may fail or lose a race without saying so: the keeper
    // asks again while there is reason to. Remove the contact, if it has expired and nothing newer
    // came.
    virtual void expire(ContactId id) = 0;
    // Remove the contact, whose phone has not answered for remove_after_s.
    virtual void remove_unreachable(ContactId id) = 0;
    // Have the contact reached at the port that its Contact names.
    virtual void retarget(ContactId id) = 0;

  protected:
    ~Sink() = default;
};

}  // namespace pinhole::qualify
