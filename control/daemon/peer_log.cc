// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/peer_log.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace pinhole::daemon {

using route::PeerState;

PeerLog::PeerLog(std::vector<std::string> names, const route::PeerHealth& health)
    : names_(std::move(names)), health_(health), seen_(names_.size(), PeerState::kUnknown) {}

void PeerLog::use(std::vector<std::string> names) {
    names_ = std::move(names);
    seen_.assign(names_.size(), PeerState::kUnknown);
}

void PeerLog::follow() {
    for (std::size_t i = 0; i < names_.size(); ++i) {
        const PeerState state = health_.state_any(i);
        if (state == std::exchange(seen_[i], state) || state == PeerState::kUnknown) {
            continue;
        }
        if (state == PeerState::kUp) {
            spdlog::info("core peer {} answers", names_[i]);
        } else {
            spdlog::warn("core peer {} is down: it answers no OPTIONS, or 503; {}", names_[i],
                         any_usable() ? "new requests of phones go to the others"
                                      : "no other is up, phones' calls get 503");
        }
    }
}

bool PeerLog::any_usable() const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
        if (health_.usable_any(i)) {
            return true;
        }
    }
    return false;
}

}  // namespace pinhole::daemon
