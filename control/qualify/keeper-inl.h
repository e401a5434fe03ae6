// SPDX-License-Identifier: BSD-3-Clause
// The bodies of Keeper; contract and rules are in keeper.h.
#pragma once

#include "control/qualify/keeper.h"

#include <algorithm>

namespace pinhole::qualify {

// A removal that came to nothing is asked for again after this long, and up to as much again by
// chance, so that a million that expired together are not asked for together a second time.
inline constexpr std::uint32_t kRemovalRetryMs = 1'000;
// A contact is looked at again after this long at the latest; the wheel could not hold an expiry of
// years.
inline constexpr std::uint32_t kFarthestS = 1'000'000;

template <Contacts C, Sink S>
Keeper<C, S>::Keeper(const PingPolicy& policy, const Books& books, C& contacts, S& sink, Now now,
                     std::uint64_t seed)
    : policy_(policy),
      states_(books.states),
      gateways_(books.gateways),
      ledger_(books.ledger),
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

// ---- The clocks

template <Contacts C, Sink S>
void Keeper<C, S>::set_now(Now now) {
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

// The first tick that doesn't lie before.
template <Contacts C, Sink S>
auto Keeper<C, S>::tick_of(std::uint64_t ms) const -> Tick {
    return static_cast<Tick>((ms + kTickMs - 1) / kTickMs);
}

template <Contacts C, Sink S>
auto Keeper<C, S>::tick_of_second(std::uint32_t at_s) const -> Tick {
    const std::uint32_t ahead_s = at_s > now_s_ ? std::min(at_s - now_s_, kFarthestS) : 0;
    return tick_of(second_began_ms_ + std::uint64_t{1'000} * ahead_s);
}

// ---- A contact's way through

template <Contacts C, Sink S>
void Keeper<C, S>::changed(std::uint32_t slot) {
    ContactBrief contact;
    if (slot >= states_.capacity()) {
        return;
    }
    if (!contacts_.read(slot, contact)) {
        forget(slot);
        return;
    }
    const View view = states_.get_control(slot);
    if (view.generation != contact.generation) {
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

template <Contacts C, Sink S>
void Keeper<C, S>::adopt(std::uint32_t slot, const ContactBrief& contact) {
    View view;
    view.generation = contact.generation;
    view.flags = states_.get_control(slot).flags;  // kQueued, if the slot's last contact left it
    view.last_ping_ms = static_cast<std::uint32_t>(now_ms_);  // no proof of before now is its own
    Whereabouts where;
    if (contacts_.where_is(slot, where) && !contact.by_path) {
        enter(view, where);
        note_life_of(view, now_s_, false);
    }
    ledger_.open(slot, contact.generation, where.aor_hash);
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

template <Contacts C, Sink S>
void Keeper<C, S>::take_up(std::uint32_t slot) {
    ContactBrief contact;
    if (slot >= states_.capacity() || !contacts_.read(slot, contact)) {
        return;
    }
    View view = states_.get_control(slot);
    if (view.generation != contact.generation) {
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
    ledger_.open(slot, contact.generation, where.aor_hash);
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
template <Contacts C, Sink S>
void Keeper<C, S>::moved(std::uint32_t slot, const ContactBrief& contact, View view,
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

template <Contacts C, Sink S>
void Keeper<C, S>::enter(View& view, const Whereabouts& where) {
    const Gateways::Place place = gateways_.enter(where.address, where.agent);
    view.gateway = place.index;
    view.lesson = place.lesson;
    view.flow_mark = where.flow_mark;
    gateways_.count_alg(view.gateway, View{.traits = where.traits}.alg(), +1);
    weigh(view);
}

template <Contacts C, Sink S>
void Keeper<C, S>::forget(std::uint32_t slot) {
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

// A due entry, or a contact whose turn in the queue has come: whatever it was for, the contact is
// looked at as it is now.
template <Contacts C, Sink S>
void Keeper<C, S>::visit(std::uint32_t slot, bool queued_turn) {
    ContactBrief contact;
    View view = states_.get_control(slot);
    if (!contacts_.read(slot, contact) || contact.generation != view.generation) {
        changed(slot);
        return;
    }
    take_life(slot, view);
    if (ask_removal(slot, contact, view)) {
        return;
    }
    if (view.has(View::kWaiting) &&
        static_cast<std::uint32_t>(now_ms_) - view.last_ping_ms >= effective_timeout_ms(policy_)) {
        miss(slot, view);
    } else if (const std::uint32_t again_ms = repeat_ms(view);
               again_ms != 0 &&
               static_cast<std::uint32_t>(now_ms_) - view.last_ping_ms >= again_ms) {
        repeat(slot, view);
    }
    if (ping_due(slot) && !view.has(View::kQueued)) {
        ping(slot, view, queued_turn);
    }
    arm(slot, contact, view);
}

template <Contacts C, Sink S>
bool Keeper<C, S>::ask_removal(std::uint32_t slot, const ContactBrief& contact, View& view) {
    const ContactId id{slot, contact.generation};
    const std::uint8_t before = view.flags;
    view.flags &= static_cast<std::uint8_t>(~(View::kExpiring | View::kRemoving));
    if (now_s_ >= contact.expires_at_s) {
        view.flags |= View::kExpiring;
        sink_.expire(id);
    } else if (removal_due(slot, view)) {
        view.flags |= View::kRemoving;
        sink_.remove_unreachable(id);
    } else {
        if (view.flags !=
            before) {  // it was refreshed, or has answered, before its owner got to it
            states_.write_control(slot, view);
        }
        return false;
    }
    states_.write_control(slot, view);
    wheel_.schedule(slot, tick_of(now_ms_ + kRemovalRetryMs + random_.below(kRemovalRetryMs)));
    return true;
}

template <Contacts C, Sink S>
bool Keeper<C, S>::removal_due(std::uint32_t slot, const View& view) const {
    // A canary's silence is our doing: its phone will register.
    return policy_.remove_after_s != 0 && view.state == Reach::kUnreachable &&
           !view.has(View::kCanary) && !is_witness(slot, view) &&
           now_s_ - view.unreachable_since_s >= policy_.remove_after_s &&
           !gateways_.excuses(view.gateway, view.unreachable_since_s, now_s_,
                              {policy_.interval_ms / 1'000, policy_.remove_after_s});
}

// The entry for whatever comes first.
template <Contacts C, Sink S>
void Keeper<C, S>::arm(std::uint32_t slot, const ContactBrief& contact, const View& view) {
    Tick due = tick_of_second(contact.expires_at_s);
    const auto sooner = [&due](Tick tick) { due = wheel::ticks_ahead(tick, due) > 0 ? tick : due; };
    if (plans_[slot] != kNoPing && !view.has(View::kQueued)) {
        sooner(plans_[slot]);
    }
    if (view.has(View::kWaiting)) {
        const std::uint32_t waited = static_cast<std::uint32_t>(now_ms_) - view.last_ping_ms;
        const std::uint32_t again_ms = repeat_ms(view);
        sooner(
            tick_of(now_ms_ - waited + (again_ms != 0 ? again_ms : effective_timeout_ms(policy_))));
    }
    if (policy_.remove_after_s != 0 && view.state == Reach::kUnreachable &&
        !view.has(View::kCanary)) {
        // What an outage spares is looked at again when its next ping is due.
        const std::uint32_t at_s = view.unreachable_since_s + policy_.remove_after_s;
        if (at_s > now_s_ || removal_due(slot, view)) {
            sooner(tick_of_second(at_s));
        }
    }
    wheel_.schedule(slot, due);
}

template <Contacts C, Sink S>
void Keeper<C, S>::set_state(View& view, Reach to) {
    gauge(view.state, -1);
    gauge(to, +1);
    view.state = to;
}

// Before whatever it was that brought it back is noted.
template <Contacts C, Sink S>
void Keeper<C, S>::come_back(std::uint32_t slot, View& view) {
    if (view.state == Reach::kUnreachable) {
        ledger_.note(slot, Event::kBack, 0, now_s_);
        dismiss_witness(slot, view);
    }
    set_state(view, Reach::kReachable);
}

template <Contacts C, Sink S>
void Keeper<C, S>::gauge(Reach state, int by) {
    figures_.by_state[static_cast<std::size_t>(state)].add(static_cast<std::uint64_t>(by));
}

}  // namespace pinhole::qualify
