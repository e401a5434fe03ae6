// SPDX-License-Identifier: BSD-3-Clause
// What a routing decision is made from, and what comes of it. The worker fills both in and sends
// what is decided; nothing in this folder keeps anything but pins. Values and references; any
// thread.
#pragma once

#include "dataplane/counters.h"
#include "dataplane/net/flow.h"
#include "dataplane/route/emergency.h"
#include "dataplane/route/peers.h"
#include "dataplane/route/pin_table.h"
#include "dataplane/sip/identity.h"
#include "dataplane/sip/message.h"
#include "dataplane/table/contact_id.h"
#include "dataplane/tokens/keys.h"

#include <cstdint>
#include <string_view>

namespace pinhole::table {
class BindingTable;
class QualifyTable;
}  // namespace pinhole::table

namespace pinhole::route {

struct Arrival {
    net::Flow flow;  // ours and theirs as the packet came
    bool from_core_peer =
        false;                // by its address, and by the port or local address that it came to
    unsigned peer_index = 0;  // into Context::peers, if so
};

// Who has shown the password of an AOR, though not from where it is registered.
struct Proven {
    std::string_view aor;                       // empty: nobody has
    std::uint8_t credentials = sip::kNoHeader;  // the header that they stand in: it goes no further
};

// The AOR that a URI names, read and hashed before. None: `uri` is empty.
struct ReadAor {
    std::string_view uri;  // whole, where it stands in the message
    std::string_view aor;
    std::uint64_t hash = 0;

    [[nodiscard]] bool is_of(std::string_view text) const {
        return !uri.empty() && uri.data() == text.data() && uri.size() == text.size();
    }
};

struct Context {
    const table::BindingTable& table;
    const table::QualifyTable& qualify;
    const sip::Identity& identity;
    const Peers& peers;
    const PeerHealth& peer_health;
    const Emergency& emergency;
    const tokens::Keys& keys;
    PinTable& pins;
    bool call_unreachable = false;  // [qualify] call_unreachable = "try"
    bool redirect = false;          // [core] mode = "redirect"
    bool assert_identity = false;   // [core] assert_identity
    bool gruu = true;               // [registrar] gruu
    Proven proven = {};
    ReadAor called = {};       // of the request URI
    std::uint64_t now_us = 0;  // of the clock that pings are stamped by
    std::uint64_t now_ms = 0;  // of the clock that pins are stamped by
    std::uint32_t now_s = 0;   // of the clock that contacts expire by
};

enum class Kind : std::uint8_t {
    kForward,   // `out` is a whole datagram, to be sent by `flow`
    kReply,     // `out` is our own answer of `code`, to be sent by `flow`
    kDrop,      // for `reason`
    kPong,      // `contact` lives: `rtt_us`, `code`, `flow_matches`
    kPeerPong,  // the core peer `peer_index` has answered its check: `rtt_us`, `code`
};

struct Decision {
    Kind kind = Kind::kDrop;
    DropReason reason = DropReason::kMalformed;
    std::uint16_t code = 0;
    bool is_call_in = false;       // an INVITE forwarded to a phone
    bool is_call_out = false;      // an INVITE forwarded to a core peer
    bool is_response = false;      // a response forwarded
    bool is_emergency = false;     // an INVITE or MESSAGE for help, forwarded to a core peer ...
    bool is_unregistered = false;  // ... for a phone that has no registration
    bool is_stranger = false;      // refused because nobody here knows the sender: counted as
                                   // kStranger, beside the answer or in place of `reason`
    bool flow_matches = false;     // the pong came by the contact's own flow
    bool is_probe = false;         // the pong answers a ping to another port than the contact's
    bool no_peer = false;          // refused because no core peer is alive
    bool proves_life = false;      // it bears a secret that only who is reached by the flow it
                                   // came by can have: the contacts of that flow live
    std::uint16_t peer_index = 0;
    table::ContactId contact;
    std::uint32_t rtt_us = 0;
    net::Flow flow;

    [[nodiscard]] static Decision drop(DropReason why) {
        Decision d;
        d.reason = why;
        return d;
    }
};

}  // namespace pinhole::route
