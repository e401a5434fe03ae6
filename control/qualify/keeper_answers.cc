// SPDX-License-Identifier: BSD-3-Clause
// What an answer or silence says: a ping is answered or counts as missed, and the contact's state
// follows.
#include "control/qualify/keeper.h"

#include <algorithm>
#include <utility>

namespace pinhole::qualify {
namespace {

// In an outage the neighbours' silence stands for the pings that would be missed next.
constexpr std::uint32_t kMissedInOutage = 2;

}  // namespace

void Keeper::pong(ContactId id, std::uint32_t rtt_us, unsigned code, bool flow_matches) {
    constexpr unsigned kFirstFinal = 200;
    if (code < kFirstFinal) {
        return;
    }
    View view = id.slot < states_.capacity() ? states_.get_control(id.slot) : View{};
    if (!id.valid() || view.generation != id.generation || view.is_suspect() ||
        rtt_us / 1'000 > policy_.interval_ms) {
        figures_.stale_pongs.add();
        return;
    }
    if (!flow_matches) {
        figures_.wrong_flow_pongs.add();
    }
    // One answer a ping: the second of two that a network doubled, or that somebody kept to play it
    // again while the phone is gone, changes nothing.
    if (!view.has(View::kWaiting) && view.missed == 0 && view.state == Reach::kReachable) {
        figures_.repeated_pongs.add();
        return;
    }
    figures_.answered.add();
    figures_.rtt.record(rtt_us);
    note_life_of(view, now_s_, view.missed == 0);
    come_back(id.slot, view);
    ledger_.note(id.slot, Event::kAnswered, rtt_us / 100, now_s_);
    // Given up too soon, it need not be asked again that soon; a canary is one no more, or may be
    // now.
    const bool was_late = std::exchange(view.missed, std::uint8_t{0}) != 0;
    const bool was_canary = end_trial_alive(view);
    if (flow_matches && plans_[id.slot] != kNoPing && !view.has(View::kQueued)) {
        consider_canary(id.slot, view);
        if (was_late || was_canary || view.has(View::kCanary)) {
            plan(id.slot, now_ms_, window_of(view));
        }
    }
    view.flags |= View::kEverAnswered;
    view.flags &= static_cast<std::uint8_t>(~View::kWaiting);
    view.last_rtt_us = std::max(rtt_us, 1u);
    states_.write_control(id.slot, view);
}

void Keeper::miss(std::uint32_t slot, View& view) {
    figures_.missed.add();
    gateways_.at(view.gateway).missed.add(1);
    ledger_.note(slot, Event::kMissed, 0, now_s_);
    note_silence(slot, view);
    view.flags &= static_cast<std::uint8_t>(~View::kWaiting);
    view.missed = static_cast<std::uint8_t>(std::min(view.missed + 1, 255));
    if (view.has(View::kEverAnswered)) {
        const bool is_out = gateways_.silent_with(view.gateway) != 0;
        const std::uint32_t limit =
            is_out ? std::min(policy_.max_missed, kMissedInOutage) : policy_.max_missed;
        if (view.state != Reach::kUnreachable && view.missed >= limit) {
            set_state(view, Reach::kUnreachable);
            ledger_.note(slot, Event::kUnreachable, 0, now_s_);
            if (!is_out && !view.has(View::kCanary)) {
                call_witness(slot, view);
            }
            view.unreachable_since_s = now_s_;
        }
        const std::uint64_t pinged_ms =
            now_ms_ - (static_cast<std::uint32_t>(now_ms_) - view.last_ping_ms);
        if (thinned(view)) {
            note_outage(slot, view);
            plan(slot, pinged_ms, thin_window_of(view));
        } else if (view.state != Reach::kUnreachable || view.missed <= kQuickRetries) {
            // Who is unreachable and has missed all that comes quickly is pinged at the usual pace.
            plan(slot, pinged_ms, retry_window(policy_, view.missed));
        }
    }
    consider_probe(slot, view);
    states_.write_control(slot, view);
}

void Keeper::set_state(View& view, Reach to) {
    gauge(view.state, -1);
    gauge(to, +1);
    view.state = to;
}

// Before whatever it was that brought it back is noted.
void Keeper::come_back(std::uint32_t slot, View& view) {
    if (view.state == Reach::kUnreachable) {
        ledger_.note(slot, Event::kBack, 0, now_s_);
        dismiss_witness(slot, view);
    }
    set_state(view, Reach::kReachable);
}

void Keeper::gauge(Reach state, int by) {
    figures_.by_state[static_cast<std::size_t>(state)].add(static_cast<std::uint64_t>(by));
}

}  // namespace pinhole::qualify
