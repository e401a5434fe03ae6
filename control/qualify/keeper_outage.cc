// SPDX-License-Identifier: BSD-3-Clause
// The keeper in an outage, by watch.h's rules.
#include "control/qualify/keeper.h"

#include <algorithm>

namespace pinhole::qualify {
namespace {

// Slots looked at in a call of advance() once an outage has ended: 10 million within seconds.
constexpr std::uint32_t kRevivedAStep = 4'096;

}  // namespace

// Before the miss is counted. A canary's silence may be our doing, and that of a phone which has
// missed a ping already, or never answered one, says nothing new.
void Keeper::note_silence(std::uint32_t slot, const View& view) {
    if (view.missed == 0 && view.has(View::kEverAnswered) && !view.has(View::kCanary)) {
        gateways_.fell_silent(view.gateway, now_s_);
    } else if (view.state == Reach::kUnreachable) {
        note_outage(slot, view);
    }
}

// Is it silent, with all around it?
bool Keeper::thinned(const View& view) {
    return view.state == Reach::kUnreachable && gateways_.silent_with(view.gateway) != 0;
}

// A second to all that are silent together, so that the end is seen at once; to each at most every
// second interval and at least every 10 minutes.
Window Keeper::thin_window_of(const View& view) const {
    constexpr std::uint64_t kRarest_ms = 600'000;
    const std::uint64_t least_ms = std::uint64_t{2} * policy_.interval_ms;
    const auto ms = static_cast<std::uint32_t>(
        std::clamp(std::uint64_t{1'000} * gateways_.silent_with(view.gateway), least_ms,
                   std::max(least_ms, kRarest_ms)));
    return {ms / 5 * 3, ms};
}

// Once an outage.
void Keeper::note_outage(std::uint32_t slot, const View& view) {
    if (const std::uint32_t since_s = gateways_.silent_since_s(view.gateway); since_s != 0) {
        ledger_.note_once(slot, Event::kOutage, since_s);
    }
}

// Whoever waits for one of the rare pings of an outage that has ended is pinged within an interval,
// on whichever tick is emptier: those many are no burst.
void Keeper::revive() {
    for (std::uint32_t most = kRevivedAStep; revive_left_ != 0 && most != 0;
         --revive_left_, --most) {
        const std::uint32_t slot = revive_next_;
        revive_next_ = slot + 1 == states_.capacity() ? 0 : slot + 1;
        const View view = states_.get_control(slot);
        if (view.state != Reach::kUnreachable || plans_[slot] == kNoPing ||
            view.has(View::kQueued) || thinned(view)) {
            continue;
        }
        const std::int32_t ahead =
            wheel::ticks_ahead(static_cast<Tick>(now_ms_ / kTickMs), plans_[slot]);
        ContactBrief contact;
        if (ahead > static_cast<std::int32_t>(policy_.interval_ms / kTickMs) &&
            contacts_.read({slot, view.generation}, contact)) {
            plan(slot, now_ms_, {0, policy_.interval_ms});
            arm(slot, contact, view);
        }
    }
}

}  // namespace pinhole::qualify
