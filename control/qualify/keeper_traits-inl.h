// SPDX-License-Identifier: BSD-3-Clause
// The bodies of Keeper that follow what bindings say of themselves: that another phone may have their
// flow by now (registrar/takeover.h).
#pragma once

#include "control/qualify/keeper.h"

namespace pinhole::qualify {

// Of a new contact, one of an earlier run, or one that has changed. The caller writes `view`.
template <Contacts C, Sink S>
void Keeper<C, S>::take_traits(std::uint32_t slot, View& view, std::uint8_t traits) {
    const bool was_suspect = view.is_suspect();
    view.traits = traits;
    if (view.is_suspect() == was_suspect) {
        return;
    }
    figures_.suspects.add(was_suspect ? -std::uint64_t{1} : 1);
    ledger_.note(slot, was_suspect ? Event::kTrusted : Event::kSuspected, 0, now_s_);
}

// At the flow where it was. What its pings have told is not to be trusted once it is suspect, and is
// asked anew when its phone has registered again.
template <Contacts C, Sink S>
void Keeper<C, S>::retrace(std::uint32_t slot, const ContactBrief& contact, View view,
                           const Whereabouts& where) {
    const bool was_suspect = view.is_suspect();
    take_traits(slot, view, where.traits);
    if (view.is_suspect() != was_suspect) {
        set_state(view, Reach::kUnknown);
        end_turn(view);
        end_trial_gone(slot, view, false);
        view.missed = 0;
        view.flags &= View::kEverAnswered | View::kQueued;
        view.last_ping_ms = static_cast<std::uint32_t>(now_ms_);
        if (pings(contact, view)) {
            plan(slot, now_ms_, first_window_of(view));
        } else {
            set_plan(slot, kNoPing);
        }
    }
    states_.write_control(slot, view);
}

}  // namespace pinhole::qualify
