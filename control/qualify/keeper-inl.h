// SPDX-License-Identifier: BSD-3-Clause
// The bodies of Keeper; contract and rules are in keeper.h.
#pragma once

#include "control/qualify/keeper.h"

#include <algorithm>

namespace pinhole::qualify {

using table::Reach;

// A removal that came to nothing is asked for again after this long, and up to as much again by
// chance, so that a million that expired together are not asked for together a second time.
inline constexpr std::uint32_t kRemovalRetryMs = 1'000;
// Candidates among which a new ping takes the emptiest tick.
inline constexpr unsigned kChoices = 4;
// A contact is looked at again after this long at the latest; the wheel could not hold an expiry of
// years.
inline constexpr std::uint32_t kFarthestS = 1'000'000;

template <Contacts C, Sink S>
Keeper<C, S>::Keeper(const Policy& policy, table::QualifyTable& states, C& contacts, S& sink,
                     Now now, std::uint64_t seed)
    : policy_(policy),
      states_(states),
      contacts_(contacts),
      sink_(sink),
      wheel_(states.capacity(), static_cast<Tick>(now.ms / kTickMs)),
      plans_(states.capacity()),
      load_(policy.interval_ms / kTickMs),
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
    pace_.set_now(now.ms, Pace::cap(policy_, contacts()));
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
    if (view.generation == contact.generation) {
        moved(slot, contact, view);
    } else {
        forget(slot);
        adopt(slot, contact);
    }
}

template <Contacts C, Sink S>
void Keeper<C, S>::adopt(std::uint32_t slot, const ContactBrief& contact) {
    View view;
    view.generation = contact.generation;
    states_.write_control(slot, view);
    gauge(view.state, +1);
    if (policy_.pings()) {
        plan(slot, now_ms_, first_window(policy_));
    }
    arm(slot, contact, view);
}

// What was learned of the old flow says nothing of the new one. A ping that is due sooner than the
// new window would have it stays, so that a phone that moves all the time is pinged all the same.
template <Contacts C, Sink S>
void Keeper<C, S>::moved(std::uint32_t slot, const ContactBrief& contact, View view) {
    set_state(view, Reach::kUnknown);
    view.missed = 0;
    view.flags &= View::kEverAnswered;
    states_.write_control(slot, view);
    if (policy_.pings()) {
        const Plan before = plans_[slot];
        plan(slot, now_ms_, first_window(policy_));
        if (before.planned != kNoPing &&
            wheel::ticks_ahead(before.planned, plans_[slot].planned) > 0) {
            set_plan(slot, before.wanted, before.planned);
        }
    }
    arm(slot, contact, view);
}

template <Contacts C, Sink S>
void Keeper<C, S>::forget(std::uint32_t slot) {
    const View view = states_.get_control(slot);
    if (view.generation == 0) {
        return;
    }
    if (view.has(View::kExpiring)) {
        figures_.expired.add();
    } else if (view.has(View::kRemoving)) {
        figures_.removed.add();
    }
    gauge(view.state, -1);
    states_.write_control(slot, View{});
    set_plan(slot, kNoPing, kNoPing);
    wheel_.cancel(slot);
}

// A due entry: whatever it was set for, the contact is looked at as it is now.
template <Contacts C, Sink S>
void Keeper<C, S>::visit(std::uint32_t slot) {
    ContactBrief contact;
    View view = states_.get_control(slot);
    if (!contacts_.read(slot, contact) || contact.generation != view.generation) {
        changed(slot);
        return;
    }
    if (ask_removal(slot, contact, view)) {
        return;
    }
    if (view.has(View::kWaiting) &&
        static_cast<std::uint32_t>(now_ms_) - view.last_ping_ms >= effective_timeout_ms(policy_)) {
        miss(slot, view);
    }
    const Plan& due = plans_[slot];
    const auto now_tick = static_cast<Tick>(now_ms_ / kTickMs);
    if (due.planned != kNoPing && wheel::ticks_ahead(due.planned, now_tick) >= 0) {
        ping(slot, view);
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
    } else if (removal_due(view)) {
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
bool Keeper<C, S>::removal_due(const View& view) const {
    return policy_.remove_after_s != 0 && view.state == Reach::kUnreachable &&
           now_s_ - view.unreachable_since_s >= policy_.remove_after_s;
}

template <Contacts C, Sink S>
void Keeper<C, S>::miss(std::uint32_t slot, View& view) {
    figures_.missed.add();
    view.flags &= static_cast<std::uint8_t>(~View::kWaiting);
    view.missed = static_cast<std::uint8_t>(std::min(view.missed + 1, 255));
    if (view.has(View::kEverAnswered) && view.state != Reach::kUnreachable) {
        if (view.missed >= policy_.max_missed) {
            set_state(view, Reach::kUnreachable);
            view.unreachable_since_s = now_s_;
        } else {
            const std::uint32_t since_ping =
                static_cast<std::uint32_t>(now_ms_) - view.last_ping_ms;
            plan(slot, now_ms_ - since_ping, retry_window(policy_));
        }
    }
    states_.write_control(slot, view);
}

template <Contacts C, Sink S>
void Keeper<C, S>::ping(std::uint32_t slot, View& view) {
    const auto now_tick = static_cast<Tick>(now_ms_ / kTickMs);
    const bool in_pace = pace_.may_send();
    if (in_pace && !queue_full_) {
        queue_full_ = !sink_.send_ping(ContactId{slot, view.generation});
    }
    if (!in_pace || queue_full_) {
        (in_pace ? figures_.queue_full : figures_.deferred).add();
        put_off(slot, now_tick + 1);
        return;
    }
    pace_.sent();
    const std::uint64_t lag_ms =
        std::uint64_t{kTickMs} * static_cast<std::uint32_t>(now_tick - plans_[slot].wanted);
    figures_.sent.add();
    figures_.lag.record(lag_ms * 1'000);
    figures_.late.add(lag_ms > Figures::kLateMs ? 1 : 0);
    view.flags |= View::kWaiting;
    view.last_ping_ms = static_cast<std::uint32_t>(now_ms_);
    states_.write_control(slot, view);
    plan(slot, now_ms_, steady_window(policy_));
}

// The entry for whatever comes first.
template <Contacts C, Sink S>
void Keeper<C, S>::arm(std::uint32_t slot, const ContactBrief& contact, const View& view) {
    Tick due = tick_of_second(contact.expires_at_s);
    const auto sooner = [&due](Tick tick) { due = wheel::ticks_ahead(tick, due) > 0 ? tick : due; };
    if (plans_[slot].planned != kNoPing) {
        sooner(plans_[slot].planned);
    }
    if (view.has(View::kWaiting)) {
        const std::uint32_t waited = static_cast<std::uint32_t>(now_ms_) - view.last_ping_ms;
        sooner(tick_of(now_ms_ - waited + effective_timeout_ms(policy_)));
    }
    if (policy_.remove_after_s != 0 && view.state == Reach::kUnreachable) {
        sooner(tick_of_second(view.unreachable_since_s + policy_.remove_after_s));
    }
    wheel_.schedule(slot, due);
}

template <Contacts C, Sink S>
void Keeper<C, S>::set_state(View& view, Reach to) {
    gauge(view.state, -1);
    gauge(to, +1);
    view.state = to;
}

template <Contacts C, Sink S>
void Keeper<C, S>::gauge(Reach state, int by) {
    figures_.by_state[static_cast<std::size_t>(state)].add(static_cast<std::uint64_t>(by));
}

// ---- Answers

template <Contacts C, Sink S>
void Keeper<C, S>::pong(ContactId id, std::uint32_t rtt_us, unsigned code, bool flow_matches) {
    constexpr unsigned kFirstFinal = 200;
    if (code < kFirstFinal) {
        return;
    }
    View view = id.slot < states_.capacity() ? states_.get_control(id.slot) : View{};
    if (!id.valid() || view.generation != id.generation || rtt_us / 1'000 > policy_.interval_ms) {
        figures_.stale_pongs.add();
        return;
    }
    if (!flow_matches) {
        figures_.wrong_flow_pongs.add();
        return;
    }
    // One answer a ping: the second of two that a network doubled, or that somebody kept to play it
    // again while the phone is gone, changes nothing.
    if (!view.has(View::kWaiting) && view.missed == 0 && view.state == Reach::kReachable) {
        figures_.repeated_pongs.add();
        return;
    }
    figures_.answered.add();
    figures_.rtt.record(rtt_us);
    set_state(view, Reach::kReachable);
    view.missed = 0;
    view.flags |= View::kEverAnswered;
    view.flags &= static_cast<std::uint8_t>(~View::kWaiting);
    view.last_rtt_us = std::max(rtt_us, 1u);
    view.last_answer_s = now_s_;
    states_.write_control(id.slot, view);
}

// ---- When to ping

template <Contacts C, Sink S>
bool Keeper<C, S>::advance(Now now, std::uint32_t budget) {
    set_now(now);
    queue_full_ = false;
    const auto tick = static_cast<Tick>(now.ms / kTickMs);
    wheel_.advance(tick, budget, [this](std::uint32_t slot) { visit(slot); });
    return wheel_.caught_up(tick);
}

// The emptiest of a few ticks in the window, or the first one to come if the window has passed.
template <Contacts C, Sink S>
void Keeper<C, S>::plan(std::uint32_t slot, std::uint64_t since_ms, Window window) {
    set_plan(slot, kNoPing, kNoPing);  // so that it doesn't stand in its own way
    const auto next = static_cast<Tick>(now_ms_ / kTickMs + 1);
    Tick from = tick_of(since_ms + window.from_ms);
    if (wheel::ticks_ahead(next, from) < 0) {
        from = next;
    }
    const std::int32_t span = wheel::ticks_ahead(from, tick_of(since_ms + window.to_ms));
    Tick best = from;
    for (unsigned i = 0; span > 0 && i < kChoices; ++i) {
        const Tick tick = from + random_.below(static_cast<std::uint32_t>(span) + 1);
        if (i == 0 || load_.get(tick) < load_.get(best)) {
            best = tick;
        }
    }
    best += best == kNoPing ? 1 : 0;
    set_plan(slot, best, best);
}

// The next tick that the pace leaves room in. The search goes on from where the last one ended as
// long as something is put off, so that a backlog is laid out in one pass and in its order.
template <Contacts C, Sink S>
void Keeper<C, S>::put_off(std::uint32_t slot, Tick earliest) {
    const Tick wanted = plans_[slot].wanted;
    set_plan(slot, kNoPing, kNoPing);
    if (put_off_ == 0 || wheel::ticks_ahead(earliest, room_at_) < 0) {
        room_at_ = earliest;
    }
    const Tick limit = earliest + load_.ticks() / 2;
    while (load_.get(room_at_) >= pace_.cap() && wheel::ticks_ahead(room_at_, limit) > 0) {
        ++room_at_;
    }
    // No room for longer than an interval, so max_pings_per_s is too small: anywhere, rather than
    // all at its end.
    const bool full = wheel::ticks_ahead(room_at_, limit) <= 0;
    const Tick tick = full ? earliest + random_.below(load_.ticks() / 2) : room_at_;
    set_plan(slot, wanted, tick + (tick == kNoPing ? 1 : 0));
}

template <Contacts C, Sink S>
void Keeper<C, S>::set_plan(std::uint32_t slot, Tick wanted, Tick planned) {
    Plan& plan = plans_[slot];
    if (plan.planned != kNoPing) {
        load_.remove(plan.planned);
        put_off_ -= plan.planned != plan.wanted ? 1 : 0;
    }
    plan = {wanted, planned};
    if (planned != kNoPing) {
        load_.add(planned);
        put_off_ += planned != wanted ? 1 : 0;
    }
}

}  // namespace pinhole::qualify
