// SPDX-License-Identifier: BSD-3-Clause
// Tells the operator when a core peer dies and when it is back. The control thread finds that out
// but may not log; this reads its findings. The service thread alone.
#pragma once

#include "dataplane/route/peer_health.h"

#include <string>
#include <vector>

namespace pinhole::daemon {

class PeerLog {
  public:
    // `names` in the order of the configuration; `health` outlives this.
    PeerLog(std::vector<std::string> names, const route::PeerHealth& health);

    // Others, of whom nothing is known yet.
    void use(std::vector<std::string> names);
    // A line for each peer whose state has changed since the last call.
    void follow();

  private:
    [[nodiscard]] bool any_usable() const;

    std::vector<std::string> names_;
    const route::PeerHealth& health_;
    std::vector<route::PeerState> seen_;
};

}  // namespace pinhole::daemon
