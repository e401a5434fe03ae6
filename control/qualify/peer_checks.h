// SPDX-License-Identifier: BSD-3-Clause
// When to check which core peer, and what its answers or its silence mean. A check that says
// otherwise than the peer's state is followed by the next after timeout_ms, not after the whole
// interval: what has changed is soon known, and one lost packet still changes nothing. Pure: time
// is handed in. Of the control thread; figures and states may be read by any.
#pragma once

#include "dataplane/counters.h"
#include "dataplane/route/peer_health.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pinhole::qualify {

// The [core] check_ keys.
struct PeerPolicy {
    std::uint32_t interval_ms = 5'000;  // 0: no checks
    std::uint32_t timeout_ms = 1'000;   // at most the interval
    std::uint32_t max_missed = 3;       // failed in a row: down
};

struct PeerFigures {
    Counter answered;
    Counter missed;                        // not answered within timeout_ms
    Counter refused;                       // answered 503: it says itself that it is out of service
    std::atomic<std::uint32_t> rtt_us{0};  // of the last answer; 0: none yet
    std::atomic<std::uint64_t> since_ms{0};  // when its state last changed

    // It is another peer's from here on.
    void clear(std::uint64_t now_ms) {
        for (Counter* counter : {&answered, &missed, &refused}) {
            counter->add(-counter->get());
        }
        rtt_us.store(0, std::memory_order_relaxed);
        since_ms.store(now_ms, std::memory_order_relaxed);
    }
};

class PeerChecks {
  public:
    // Good checks in a row after which a peer that was down is up again.
    static constexpr std::uint32_t kGoodToReturn = 2;

    // `states` outlives this.
    PeerChecks(const PeerPolicy& policy, route::PeerHealth& states, std::uint64_t now_ms);

    // From here on there are the first `peers` of those that there is room for, of which nothing is
    // known yet.
    void begin(const PeerPolicy& policy, std::size_t peers, std::uint64_t now_ms);

    // A peer whose check is due, to be told of by sent() or postponed(). Settles what has timed
    // out.
    [[nodiscard]] std::optional<std::size_t> next_due(std::uint64_t now_ms);
    void sent(std::size_t peer, std::uint64_t now_ms);
    // No check could leave here: that says nothing of the peer.
    void postponed(std::size_t peer, std::uint64_t now_ms);
    // `rtt_us` tells which check it answers: only the one under way counts, and once.
    void answered(std::size_t peer, std::uint32_t rtt_us, unsigned code, std::uint64_t now_ms);

    [[nodiscard]] const PeerFigures& figures(std::size_t peer) const { return figures_[peer]; }

  private:
    struct CheckProgress {
        std::uint64_t due_ms = 0;
        std::uint64_t sent_ms = 0;
        bool under_way = false;
        std::uint32_t failed = 0;  // in a row
        std::uint32_t good = 0;    // in a row
    };

    void settle(std::size_t peer, bool good, std::uint64_t now_ms);
    void change(std::size_t peer, route::PeerState state, std::uint64_t now_ms);

    PeerPolicy policy_;
    route::PeerHealth& states_;
    std::vector<CheckProgress> checks_;
    std::vector<PeerFigures> figures_;
};

}  // namespace pinhole::qualify
