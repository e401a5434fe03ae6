// SPDX-License-Identifier: BSD-3-Clause
// What is due is looked at here, and pings are planned and sent. Contract and rules are in
// keeper.h.
#include "control/qualify/keeper.h"

#include <algorithm>

namespace pinhole::qualify {
namespace {

// A removal that came to nothing is asked for again after this long, and up to as much again by
// chance, so that a million that expired together are not asked for together a second time.
constexpr std::uint32_t kRemovalRetryMs = 1'000;
// A new ping takes the emptiest tick of so many candidates.
constexpr unsigned kChoices = 4;
// A contact is looked at again after this long at the latest; the wheel could not hold an expiry of
// years.
constexpr std::uint32_t kFarthestS = 1'000'000;

}  // namespace

bool Keeper::advance(Now now, std::uint32_t budget) {
    set_now(now);
    queue_full_ = false;
    revive();
    const std::uint32_t served = serve_queue(budget);
    const auto tick = static_cast<Tick>(now.ms / kTickMs);
    const auto early = [&] { return pace_.is_early() && wheel_.has_begun(tick); };
    wheel_.advance(
        tick, budget - served, [this](std::uint32_t slot) { visit(slot, false); },
        [this](std::uint32_t next, std::uint32_t after) { fetch(next, after); }, early);
    return wheel_.caught_up(tick) || early();
}

// Those that have waited go first, and whoever comes due meanwhile goes behind them: after a stall
// all pings are late by the same, and less and less so, instead of some by much.
std::uint32_t Keeper::serve_queue(std::uint32_t budget) {
    std::uint32_t served = 0;
    while (served < budget && !queue_.empty() && !queue_full_ && pace_.may_send()) {
        const std::uint32_t slot = queue_.pop();
        ++served;
        figures_.overdue.add(-std::uint64_t{1});
        View view = states_.get_control(slot);
        view.flags &= static_cast<std::uint8_t>(~View::kQueued);
        figures_.overdue.add(view.has(View::kHasTurn) ? 1 : 0);
        states_.write_control(slot, view);
        if (view.generation != 0) {
            visit(slot, true);
        }
    }
    return served;
}

// A due entry, or a contact whose turn in the queue has come: whatever it was for, the contact is
// looked at as it is now.
void Keeper::visit(std::uint32_t slot, bool queued_turn) {
    ContactBrief contact;
    View view = states_.get_control(slot);
    if (!contacts_.read({slot, view.generation}, contact)) {
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
        repeat(contact, view);
    }
    if (ping_due(slot) && !view.has(View::kQueued)) {
        ping(contact, view, queued_turn);
    }
    arm(slot, contact, view);
}

// What the contact has proved by itself since it was last looked at.
void Keeper::take_life(std::uint32_t slot, View& view) {
    const table::Life life = states_.life_any(slot);
    if (view.is_suspect() || !lived_since_ping(view, life)) {
        return;
    }
    note_life(slot, life);
    note_life_of(view, now_s_ - life.age_ms(static_cast<std::uint32_t>(now_ms_)) / 1'000, false);
    if (view.missed != 0 || view.has(View::kWaiting) || view.state == Reach::kUnreachable) {
        if (view.state == Reach::kUnreachable) {
            end_trial_gone(slot, view, true);  // it lives: only its mapping was dead
            come_back(slot, view);
        }
        view.missed = 0;
        view.flags &= static_cast<std::uint8_t>(~View::kWaiting);
        states_.write_control(slot, view);
    }
    const std::uint32_t age_ms = life.age_ms(static_cast<std::uint32_t>(now_ms_));
    const Window window = window_of(view);
    if (ping_due(slot) && !view.has(View::kQueued) && age_ms < window.from_ms) {
        figures_.spared.add();
        end_turn(view);
        if (const Lesson* lesson = lesson_of(view);
            lesson != nullptr && age_ms < learned_ms(policy_, *lesson)) {
            // A phone that talks so much is no canary: another's turn. But one that already waits
            // for longer than the rest stays one, or the death of its mapping would be theirs.
            end_trial_gone(slot, view, false);
        }
        states_.write_control(slot, view);
        plan(slot, now_ms_ - age_ms, window_of(view));
    }
}

// A stamp of before the last ping has done its work. One that falls on the ping's own 4 ms is as
// good as after it.
bool Keeper::lived_since_ping(const View& view, const table::Life& life) const {
    const auto now = static_cast<std::uint32_t>(now_ms_);
    return life.proof != table::Proof::kNone && life.age_ms(now) <= now - view.last_ping_ms;
}

void Keeper::note_life(std::uint32_t slot, const table::Life& life) {
    const std::uint32_t age_s = life.age_ms(static_cast<std::uint32_t>(now_ms_)) / 1'000;
    if (life.proof != table::Proof::kPong) {
        ledger_.note_once(slot,
                          life.proof == table::Proof::kRegister ? Event::kRefreshed : Event::kSpoke,
                          now_s_ - age_s);
    }
}

bool Keeper::ask_removal(std::uint32_t slot, const ContactBrief& contact, View& view) {
    const std::uint8_t before = view.flags;
    view.flags &= static_cast<std::uint8_t>(~(View::kExpiring | View::kRemoving));
    if (now_s_ >= contact.expires_at_s) {
        view.flags |= View::kExpiring;
        sink_.expire(contact.id);
    } else if (removal_due(slot, view)) {
        view.flags |= View::kRemoving;
        sink_.remove_unreachable(contact.id);
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

bool Keeper::removal_due(std::uint32_t slot, const View& view) const {
    // A canary's silence is our doing: its phone will register.
    return policy_.remove_after_s != 0 && view.state == Reach::kUnreachable &&
           !view.has(View::kCanary) && !is_witness(slot, view) &&
           now_s_ - view.unreachable_since_s >= policy_.remove_after_s &&
           !gateways_.excuses(view.gateway, view.unreachable_since_s, now_s_,
                              {policy_.interval_ms / 1'000, policy_.remove_after_s});
}

// How long after a ping it is sent again if there is no answer; 0: it is not, or has been. That a
// phone that answers is asked once more, as SIP repeats any request (RFC 3261 §17.1.2.2), costs no
// more than what is lost, and a mapping that had little time left is refreshed by it.
std::uint32_t Keeper::repeat_ms(const View& view) const {
    const bool hopes =
        view.state == Reach::kReachable || (view.state == Reach::kUnknown && view.missed == 0);
    if (!view.has(View::kWaiting) || view.has(View::kRepeated) || !hopes ||
        policy_.max_address_pings_per_s != 0) {
        return 0;
    }
    const std::uint32_t timeout_ms = effective_timeout_ms(policy_);
    const std::uint32_t ms = std::max(timeout_ms / 3, view.last_rtt_us / 500);
    return ms < timeout_ms ? ms : 0;
}

// Those that are due go first: what can't leave now is not repeated.
void Keeper::repeat(const ContactBrief& contact, View& view) {
    view.flags |= View::kRepeated;
    states_.write_control(contact.id.slot, view);
    if (queue_.empty() && !queue_full_ && pace_.may_send() &&
        gateways_.silent_with(view.gateway) == 0 && sink_.send_ping(contact)) {
        pace_.sent();
        gateways_.at(view.gateway).sent.add(1);
        figures_.sent.add();
        figures_.repeated.add();
    }
}

void Keeper::ping(const ContactBrief& contact, View& view, bool queued_turn) {
    const std::uint32_t slot = contact.id.slot;
    bool sent = false;
    if ((queued_turn || queue_.empty()) && !queue_full_ && pace_.may_send()) {
        if (wait_for_turn(slot, view)) {
            return;
        }
        sent = sink_.send_ping(contact);
        queue_full_ = !sent;
        figures_.queue_full.add(sent ? 0 : 1);
    }
    if (!sent) {
        figures_.overdue.add(view.has(View::kHasTurn) ? -std::uint64_t{1} : 0);
        view.flags |= View::kQueued;
        states_.write_control(slot, view);
        queued_turn ? queue_.push_front(slot) : queue_.push(slot);
        figures_.overdue.add();
        figures_.deferred.add(queued_turn ? 0 : 1);
        return;
    }
    pace_.sent();
    end_turn(view);
    gateways_.at(view.gateway).sent.add(1);
    const auto now_tick = static_cast<Tick>(now_ms_ / kTickMs);
    const std::uint64_t lag_ms = std::uint64_t{kTickMs} * Tick{now_tick - plans_[slot]};
    figures_.sent.add();
    figures_.lag.record(lag_ms * 1'000);
    figures_.late.add(lag_ms > Figures::kLateMs ? 1 : 0);
    view.flags |= View::kWaiting;
    view.flags &= static_cast<std::uint8_t>(~View::kRepeated);
    view.last_ping_ms = static_cast<std::uint32_t>(now_ms_);
    states_.write_control(slot, view);
    // A canary's next depends on what comes of this one.
    plan(slot, now_ms_, view.has(View::kCanary) ? steady_window(policy_) : window_of(view));
}

// True: what may be sent to its address a second is used up. It is planned for its turn, which is
// its own: others of the address come after it, and nobody else waits.
bool Keeper::wait_for_turn(std::uint32_t slot, View& view) {
    if (policy_.max_address_pings_per_s == 0 || view.gateway == 0 || view.has(View::kHasTurn)) {
        return false;
    }
    const std::uint64_t wait_us =
        gateways_.take_turn(view.gateway, now_ms_ * 1'000, policy_.max_address_pings_per_s);
    if (wait_us == 0) {
        return false;
    }
    figures_.address_deferred.add();
    figures_.overdue.add();
    view.flags |= View::kHasTurn;
    states_.write_control(slot, view);
    const Tick turn = tick_of(now_ms_ + wait_us / 1'000 + 1);
    set_plan(slot, turn + (turn == kNoPing ? 1 : 0));
    return true;
}

void Keeper::end_turn(View& view) {
    if (view.has(View::kHasTurn) && !view.has(View::kQueued)) {
        figures_.overdue.add(-std::uint64_t{1});
    }
    view.flags &= static_cast<std::uint8_t>(~View::kHasTurn);
}

// The emptiest of a few ticks in the window, or the first one to come if the window has passed.
void Keeper::plan(std::uint32_t slot, std::uint64_t since_ms, Window window) {
    set_plan(slot, kNoPing);  // so that it doesn't stand in its own way
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
    set_plan(slot, best + (best == kNoPing ? 1 : 0));
}

// Of a window after what was so long ago. What has passed is due now, and PingPace holds it.
Window Keeper::left_of(Window window, std::uint32_t age_ms) const {
    return {window.from_ms - std::min(window.from_ms, age_ms),
            window.to_ms - std::min(window.to_ms, age_ms)};
}

void Keeper::set_plan(std::uint32_t slot, Tick tick) {
    if (plans_[slot] != kNoPing) {
        load_.remove(plans_[slot]);
    }
    plans_[slot] = tick;
    if (tick != kNoPing) {
        load_.add(tick);
    }
}

auto Keeper::tick_of_second(std::uint32_t at_s) const -> Tick {
    const std::uint32_t ahead_s = at_s > now_s_ ? std::min(at_s - now_s_, kFarthestS) : 0;
    return tick_of(second_began_ms_ + std::uint64_t{1'000} * ahead_s);
}

// The entry for whatever comes first.
void Keeper::arm(std::uint32_t slot, const ContactBrief& contact, const View& view) {
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

}  // namespace pinhole::qualify
