// SPDX-License-Identifier: BSD-3-Clause
// What a stage decides about a packet. The edge carries it out: each packet is sent, dropped and
// counted, handed to the control thread, or kept, once. A value.
#pragma once

#include "dataplane/counters.h"
#include "dataplane/net/flow.h"

#include <cstdint>

namespace pinhole::edge {

struct Outcome {
    enum class Kind : std::uint8_t {
        kGoesOn,    // to the next stage
        kSend,      // the text that the stage has written, by `flow`
        kDrop,      // for `reason`
        kAskOwner,  // the job waits until `owner` has carried out its registration
        kPong,      // a phone has answered a ping: the job has the notice of it
        kPeerPong,  // a core peer has answered a check, likewise
    };
    Kind kind = Kind::kGoesOn;
    DropReason reason = DropReason::kMalformed;
    std::uint16_t owner = 0;
    net::Flow flow;

    [[nodiscard]] static Outcome send(const net::Flow& by) {
        return {.kind = Kind::kSend, .flow = by};
    }
    [[nodiscard]] static Outcome drop(DropReason why) {
        return {.kind = Kind::kDrop, .reason = why};
    }
    [[nodiscard]] static Outcome ask_owner(unsigned owner) {
        return {.kind = Kind::kAskOwner, .owner = static_cast<std::uint16_t>(owner)};
    }
    [[nodiscard]] bool goes_on() const { return kind == Kind::kGoesOn; }
};

}  // namespace pinhole::edge
