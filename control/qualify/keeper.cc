// SPDX-License-Identifier: BSD-3-Clause
// A contact's way through the keeper: it comes, moves, changes and goes. Contract and rules are in
// keeper.h.
#include "control/qualify/keeper.h"

#include <algorithm>

namespace pinhole::qualify {

Keeper::Keeper(const PingPolicy& policy, const SharedState& shared, Contacts& contacts, Sink& sink,
               Now now, std::uint64_t seed)
    : policy_(policy),
      states_(shared.states),
      gateways_(shared.gateways),
      ledger_(shared.ledger),
      contacts_(contacts),
      sink_(sink),
      wheel_(states_.capacity(), static_cast<Tick>(now.ms / kTickMs)),
      plans_(states_.capacity()),
      load_((policy.learn ? std::max(policy.interval_ms, policy.max_interval_ms)
                          : policy.interval_ms) /
            kTickMs),
      queue_(states_.capacity()),
      random_(seed),
      now_ms_(now.ms),
      now_s_(now.s),
      second_began_ms_(now.ms - std::min<std::uint64_t>(now.ms, 999)) {}

void Keeper::set_now(Now now) {
    if (now.s != now_s_) {
        // The new second began since the last call and at most a second ago; within that, a whole
        // number of seconds after the last one, as it is if both clocks run alike.
        const std::uint64_t earliest =
            std::min(std::max(now_ms_ + 1, now.ms - std::min<std::uint64_t>(now.ms, 999)), now.ms);
        const std::uint64_t alike = second_began_ms_ + std::uint64_t{1'000} * (now.s - now_s_);
        second_began_ms_ = std::clamp(alike, earliest, now.ms);
    }
    now_ms_ = now.ms;
    now_s_ = now.s;
    pace_.set_limits(cap(), policy_.max_pings_per_s);
    pace_.set_now(now.ms * 1'000 + now.us);
}

void Keeper::changed(std::uint32_t slot) {
    ContactBrief contact;
    if (slot >= states_.capacity()) {
        return;
    }
    if (!contacts_.read(contacts_.id_at(slot), contact)) {
        forget(slot);
        return;
    }
    const View view = states_.get_control(slot);
    if (view.generation != contact.id.generation) {
        forget(slot);
        adopt(slot, contact);
        return;
    }
    Whereabouts where;  // nowhere, behind a Path: that gateway is the proxy's
    const bool knows_where = contact.by_path || contacts_.where_is(slot, where);
    if (!knows_where || where.flow_mark == view.flow_mark) {
        // It expires sooner, or a worker has seen that it is not as dead as it seemed.
        if (knows_where && !contact.by_path && where.traits != own_traits(view)) {
            retrace(slot, contact, view, where);
        }
        visit(slot, false);
    } else {
        moved(slot, contact, view, where);
    }
}

void Keeper::adopt(std::uint32_t slot, const ContactBrief& contact) {
    View view;
    view.generation = contact.id.generation;
    view.flags = states_.get_control(slot).flags;  // kQueued, if the slot's last contact left it
    view.last_ping_ms = static_cast<std::uint32_t>(now_ms_);  // no proof of before now is its own
    Whereabouts where;
    if (contacts_.where_is(slot, where) && !contact.by_path) {
        enter(view, where);
        note_life_of(view, now_s_, false);
    }
    ledger_.open(slot, contact.id.generation, where.aor_hash);
    ledger_.note(slot, Event::kRegistered, where.udp_port, now_s_);
    take_traits(slot, view, where.traits);
    states_.write_control(slot, view);
    states_.forget_life_control(slot);
    gauge(view.state, +1);
    if (pings(contact, view)) {
        plan(slot, now_ms_, first_window_of(view));
    }
    arm(slot, contact, view);
}

void Keeper::take_up(std::uint32_t slot) {
    ContactBrief contact;
    if (slot >= states_.capacity() || !contacts_.read(contacts_.id_at(slot), contact)) {
        return;
    }
    View view = states_.get_control(slot);
    if (view.generation != contact.id.generation) {
        adopt(slot, contact);
        return;
    }
    // Whether a ping that was out is answered nobody will know; gateways are numbered anew.
    view.flags &= View::kEverAnswered;
    view.gateway = 0;
    view.lesson = 0;
    view.flow_mark = 0;
    Whereabouts where;
    if (contacts_.where_is(slot, where) && !contact.by_path) {
        enter(view, where);
    }
    if (view.state == Reach::kUnreachable && removal_due(slot, view)) {
        view.unreachable_since_s = now_s_;  // an outage may have spared it, or we were the outage
    }
    ledger_.open(slot, contact.id.generation, where.aor_hash);
    view.traits = 0;  // of an earlier run's figures
    take_traits(slot, view, where.traits);
    states_.write_control(slot, view);
    gauge(view.state, +1);
    if (pings(contact, view)) {
        // One that came just before the end has not been pinged yet.
        const bool is_new = view.missed == 0 && !view.has(View::kEverAnswered);
        const std::uint32_t age_ms = static_cast<std::uint32_t>(now_ms_) - view.last_ping_ms;
        plan(slot, now_ms_, left_of(is_new ? first_window_of(view) : window_of(view), age_ms));
    }
    arm(slot, contact, view);
}

// What was learned of the old flow says nothing of the new one. A ping that is due sooner than the
// new window would have it stays, so that a phone that moves all the time is pinged all the same.
void Keeper::moved(std::uint32_t slot, const ContactBrief& contact, View view,
                   const Whereabouts& where) {
    learn_from_move(slot, view, where);
    dismiss_witness(slot, view);
    set_state(view, Reach::kUnknown);
    end_turn(view);
    view.missed = 0;
    view.flags &= View::kEverAnswered | View::kQueued;
    view.last_ping_ms = static_cast<std::uint32_t>(now_ms_);
    leave(view);
    if (!contact.by_path) {
        enter(view, where);
        ledger_.note(slot, where.at_contact ? Event::kRetargeted : Event::kMoved, where.udp_port,
                     now_s_);
        figures_.rebinds.add(where.at_contact ? 0 : 1);
        gateways_.at(view.gateway).rebinds.add(where.at_contact ? 0 : 1);
        note_life_of(view, now_s_, false);
    }
    view.traits &= static_cast<std::uint8_t>(~View::kProbed);
    take_traits(slot, view, where.traits);
    states_.write_control(slot, view);
    states_.forget_life_control(slot);  // it was by the old flow
    if (!pings(contact, view)) {
        set_plan(slot, kNoPing);
    } else {
        const Tick before = plans_[slot];
        plan(slot, now_ms_, first_window_of(view));
        if (before != kNoPing && wheel::ticks_ahead(before, plans_[slot]) > 0) {
            set_plan(slot, before);
        }
    }
    arm(slot, contact, view);
}

void Keeper::enter(View& view, const Whereabouts& where) {
    const Gateways::Place place = gateways_.enter(where.address, where.agent);
    view.gateway = place.index;
    view.lesson = place.lesson;
    view.flow_mark = where.flow_mark;
    gateways_.count_alg(view.gateway, View{.traits = where.traits}.alg(), +1);
    weigh(view);
}

void Keeper::leave(View& view) {
    gateways_.leave({view.gateway, view.lesson}, now_s_);
    gateways_.count_alg(view.gateway, view.alg(), -1);
    view.gateway = Gateways::kNone;
    view.lesson = 0;
    view.flow_mark = 0;
}

void Keeper::forget(std::uint32_t slot) {
    View view = states_.get_control(slot);
    if (view.generation == 0) {
        return;
    }
    end_turn(view);
    end_trial_gone(slot, view, false);
    dismiss_witness(slot, view);
    leave(view);
    drop_traits(view);
    Event why = Event::kRemoved;
    if (view.has(View::kExpiring)) {
        figures_.expired.add();
        why = Event::kExpired;
    } else if (view.has(View::kRemoving)) {
        figures_.removed.add();
        why = Event::kRemovedUnreachable;
    }
    ledger_.close(slot, why, now_s_);
    gauge(view.state, -1);
    View gone;
    gone.flags = view.flags & View::kQueued;
    states_.write_control(slot, gone);
    set_plan(slot, kNoPing);
    wheel_.cancel(slot);
}

// The rates that follow from what was learned are other ones then.
void Keeper::use(const PingPolicy& policy) {
    const bool others = policy.learn != policy_.learn ||
                        policy.interval_ms != policy_.interval_ms ||
                        policy.max_interval_ms != policy_.max_interval_ms;
    policy_ = policy;
    for (std::uint32_t slot = 0; others && slot < states_.capacity(); ++slot) {
        weigh(states_.get_control(slot));
    }
}

}  // namespace pinhole::qualify
