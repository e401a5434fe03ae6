// SPDX-License-Identifier: BSD-3-Clause
#include "control/qualify/peer_checks.h"

#include <algorithm>

namespace pinhole::qualify {
namespace {

using route::PeerState;

// RFC 3261 §21.5.4: the one answer that tells everybody to go elsewhere.
constexpr unsigned kOutOfService = 503;

}  // namespace

PeerChecks::PeerChecks(const PeerPolicy& policy, route::PeerHealth& states, std::uint64_t now_ms)
    : policy_(policy), states_(states), figures_(states.size()) {
    begin(policy, states.size(), now_ms);
}

void PeerChecks::begin(const PeerPolicy& policy, std::size_t peers, std::uint64_t now_ms) {
    policy_ = policy;
    checks_.assign(std::min(peers, states_.size()), {});
    for (std::size_t i = 0; i < checks_.size(); ++i) {
        // Not all at one moment.
        checks_[i].due_ms = now_ms + i * policy.timeout_ms / checks_.size();
        figures_[i].clear(now_ms);
        states_.write_control(i, PeerState::kUnknown);
    }
}

std::optional<std::size_t> PeerChecks::next_due(std::uint64_t now_ms) {
    if (policy_.interval_ms == 0) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < checks_.size(); ++i) {
        CheckProgress& check = checks_[i];
        if (check.under_way && now_ms - check.sent_ms >= policy_.timeout_ms) {
            figures_[i].missed.add();
            settle(i, false, now_ms);
        }
        if (!check.under_way && check.due_ms <= now_ms) {
            return i;
        }
    }
    return std::nullopt;
}

void PeerChecks::sent(std::size_t peer, std::uint64_t now_ms) {
    checks_[peer].under_way = true;
    checks_[peer].sent_ms = now_ms;
}

void PeerChecks::postponed(std::size_t peer, std::uint64_t now_ms) {
    checks_[peer].due_ms = now_ms + policy_.timeout_ms;
}

void PeerChecks::answered(std::size_t peer, std::uint32_t rtt_us, unsigned code,
                          std::uint64_t now_ms) {
    if (peer >= checks_.size() || !checks_[peer].under_way ||
        rtt_us >= std::uint64_t{policy_.timeout_ms} * 1000) {
        return;
    }
    PeerFigures& figures = figures_[peer];
    figures.rtt_us.store(std::max<std::uint32_t>(rtt_us, 1), std::memory_order_relaxed);
    const bool good = code != kOutOfService;
    (good ? figures.answered : figures.refused).add();
    settle(peer, good, now_ms);
}

void PeerChecks::settle(std::size_t peer, bool good, std::uint64_t now_ms) {
    CheckProgress& check = checks_[peer];
    check.under_way = false;
    check.failed = good ? 0 : check.failed + 1;
    check.good = good ? check.good + 1 : 0;
    const PeerState state = states_.state_any(peer);
    if (good && (state == PeerState::kUnknown ||
                 (state == PeerState::kDown && check.good >= kGoodToReturn))) {
        change(peer, PeerState::kUp, now_ms);
    } else if (!good && state != PeerState::kDown && check.failed >= policy_.max_missed) {
        change(peer, PeerState::kDown, now_ms);
    }
    const bool as_expected = states_.state_any(peer) == (good ? PeerState::kUp : PeerState::kDown);
    check.due_ms = check.sent_ms + (as_expected ? policy_.interval_ms : policy_.timeout_ms);
}

void PeerChecks::change(std::size_t peer, PeerState state, std::uint64_t now_ms) {
    figures_[peer].since_ms.store(now_ms, std::memory_order_relaxed);
    states_.write_control(peer, state);
}

}  // namespace pinhole::qualify
