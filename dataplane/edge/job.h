// SPDX-License-Identifier: BSD-3-Clause
// A packet on its way through the stages, with what one stage finds out and a later one uses. What
// a stage alone needs stays in that stage. One worker; `registration` is read by the AOR's owner
// while the job waits for it.
#pragma once

#include "dataplane/counters.h"
#include "dataplane/edge/command.h"
#include "dataplane/edge/packet.h"
#include "dataplane/registrar/register_request.h"
#include "dataplane/registrar/verdict.h"
#include "dataplane/route/context.h"
#include "dataplane/route/ping.h"
#include "dataplane/sip/message.h"

#include <cstdint>
#include <optional>

namespace pinhole::edge {

// What becomes of a packet that an overloaded worker has no time for.
enum class Refusal : std::uint8_t { kNone, kAnswered, kSilent };

// Which stage decides.
enum class Task : std::uint8_t {
    kRoute,     // all but what follows
    kPong,      // an answer to a ping, whose message stays unread
    kRegister,  // a REGISTER for the registrar
};

// What of the tables the decision will read, so that it can be fetched for the whole burst at once.
struct Wanted {
    enum class Kind : std::uint8_t { kNothing, kAor, kContact } kind = Kind::kNothing;
    std::uint64_t key = 0;  // the AOR's hash, or the contact's slot
};

// A REGISTER as far as it has been read: whose bindings, then what it asks for. Complete and
// unchanging from the moment its owner is asked. Its views point into the packet, into itself and
// nowhere else.
struct Registration {
    registrar::Whose whose;
    registrar::RegisterRequest request;
};

struct Job {
    Packet packet;
    sip::Message message;
    sip::ParseError error;
    Task task;
    Refusal refusal;
    registrar::Verdict verdict;       // of a REGISTER, so far
    std::optional<unsigned> peer;     // the core peer that sent it
    std::optional<AuthResult> proof;  // of a REGISTER: none where nobody is asked for one
    Wanted wanted;
    route::Pong pong;            // of kPong, as it was read
    PongNotice pong_notice;      // what the control thread is to hear: of Outcome::kPong ...
    PeerPongNotice peer_notice;  // ... and of Outcome::kPeerPong
    route::ReadAor called;       // of a call from a core peer
    Registration* registration;  // of kRegister

    // As it was received; of the fields above no other has a value before the gate has set it.
    void begin(Handle handle, std::string_view text, const net::Flow& flow) {
        packet.handle = handle;
        packet.text = text;
        packet.flow = flow;
        refusal = Refusal::kNone;
        registration = nullptr;
    }

    // A secret was shown just now, by which nobody else could have sent this request.
    [[nodiscard]] bool is_proven() const { return proof == AuthResult::kGood; }
};

}  // namespace pinhole::edge
