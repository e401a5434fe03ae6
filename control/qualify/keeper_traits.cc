// SPDX-License-Identifier: BSD-3-Clause
// The keeper follows what bindings say of themselves: that another phone may have their flow by now
// (nat/takeover.h), and what their gateway does to SIP (nat/alg.h).
#include "control/qualify/keeper.h"

#include <bit>

namespace pinhole::qualify {
namespace {

constexpr std::uint8_t kMissesBeforeProbe = 2;

}  // namespace

// Of a new contact, one of an earlier run, or one that has changed. The caller writes `view`.
void Keeper::take_traits(std::uint32_t slot, View& view, std::uint8_t traits) {
    const View before = view;
    const bool same_port = ((before.traits ^ traits) & View::kPortMask) == 0;
    if (!same_port && view.state == Reach::kUnknown) {
        view.missed = 0;  // it has changed what it says of itself: another chance
    }
    view.traits = traits | (same_port ? before.traits & View::kProbed : 0);
    if (before.alg() != view.alg()) {
        gauge_alg(before.alg(), -1);
        gauge_alg(view.alg(), +1);
    }
    if (before.is_suspect() != view.is_suspect()) {
        figures_.suspects.add(before.is_suspect() ? -std::uint64_t{1} : 1);
        ledger_.note(slot, before.is_suspect() ? Event::kTrusted : Event::kSuspected, 0, now_s_);
    }
}

// It is gone.
void Keeper::drop_traits(const View& view) {
    gauge_alg(view.alg(), -1);
    figures_.suspects.add(view.is_suspect() ? -std::uint64_t{1} : 0);
}

void Keeper::gauge_alg(unsigned alg, int by) {
    if (alg != 0) {
        figures_.rewritten[alg - 1].add(static_cast<std::uint64_t>(by));
    }
}

// At the flow where it was. What its pings have told is not to be trusted once it is suspect, and
// is asked anew when its phone has registered again.
void Keeper::retrace(std::uint32_t slot, const ContactBrief& contact, View view,
                     const Whereabouts& where) {
    const bool was_suspect = view.is_suspect();
    gateways_.count_alg(view.gateway, view.alg(), -1);
    take_traits(slot, view, where.traits);
    gateways_.count_alg(view.gateway, view.alg(), +1);
    if (view.is_suspect() != was_suspect) {
        dismiss_witness(slot, view);
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

// Two pings in a row have got no answer by this flow, and the phone says that it listens at another
// port. Once a flow and a port, and seldom at one gateway: who registers new ports all the time has
// nothing scanned by us.
void Keeper::consider_probe(std::uint32_t slot, View& view) {
    Whereabouts where;
    // After 2, 4, 8 of them and so on: others of the gateway may have had the turn.
    if (view.missed < kMissesBeforeProbe || !std::has_single_bit(view.missed) ||
        view.state != Reach::kUnknown || (view.traits & View::kProbed) != 0 ||
        !contacts_.where_is(slot, where) || !where.has_other_port ||
        where.flow_mark != view.flow_mark || !gateways_.may_probe(view.gateway, now_ms_)) {
        return;
    }
    view.traits |= View::kProbed;
    sink_.send_probe(ContactId{slot, view.generation});
    figures_.probes.add();
}

// What says that there is nobody of that name is another's phone.
void Keeper::probe_answered(ContactId id, unsigned code) {
    const View view = id.slot < states_.capacity() ? states_.get_control(id.slot) : View{};
    const bool knows = code >= 200 && code != 404 && code != 410 && code != 604;
    if (id.valid() && view.generation == id.generation && (view.traits & View::kProbed) != 0 &&
        view.state != Reach::kReachable && !view.is_suspect() && knows) {
        sink_.retarget(id);
    } else {
        figures_.stale_pongs.add();
    }
}

}  // namespace pinhole::qualify
