// SPDX-License-Identifier: BSD-3-Clause
// A round of a worker: one moment and one view of the world, by which everything in it is judged.
// Also what each stage asks of them. References that are good for the round; one worker.
#pragma once

#include "dataplane/edge/surroundings.h"
#include "dataplane/moment.h"
#include "dataplane/sip/message.h"

#include <optional>

namespace pinhole::edge {

struct Round {
    const Surroundings& around;
    Moment now;

    [[nodiscard]] const LiveSettings& settings() const { return *around.settings; }

    // The core peer that speaks by this flow. It is known by its address and by where it speaks: on
    // an access port it is a stranger with a forged address.
    [[nodiscard]] std::optional<unsigned> peer_at(const net::Flow& flow) const {
        return around.ports[flow.port].role == Role::kAccess ? std::nullopt
                                                             : around.peers.index_of(flow.theirs);
    }
    // Nobody but core peers is answered there.
    [[nodiscard]] bool is_core_port(const net::Flow& flow) const {
        return around.ports[flow.port].role == Role::kCore;
    }
    [[nodiscard]] bool is_emergency(const sip::Message& message) const {
        return message.uri() != nullptr &&
               around.emergency.is_call(message, *message.uri(), around.identity);
    }
};

}  // namespace pinhole::edge
