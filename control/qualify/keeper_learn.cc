// SPDX-License-Identifier: BSD-3-Clause
// The keeper learns how long mappings live, by lesson.h's rules.
#include "control/qualify/keeper.h"

#include <algorithm>

namespace pinhole::qualify {

// Null: nothing is learned about it.
Lesson* Keeper::lesson_of(const View& view) const {
    return policy_.learn && view.gateway != Gateways::kNone
               ? &gateways_.at(view.gateway).lessons[view.lesson]
               : nullptr;
}

// Behind a gateway that is known to be quick, the first ping must be, too.
Window Keeper::first_window_of(const View& view) {
    const Lesson* lesson = lesson_of(view);
    const std::uint32_t known_ms =
        lesson == nullptr ? policy_.interval_ms : learned_ms(policy_, *lesson);
    return known_ms < policy_.interval_ms
               ? Window{known_ms / 5, std::min(first_window(policy_).to_ms, known_ms)}
               : first_window(policy_);
}

// When to ping after a sign of life. Only who answers waits longer than the fixed interval: of
// others nobody would notice what became of it.
Window Keeper::window_of(const View& view) {
    if (thinned(view)) {
        return thin_window_of(view);
    }
    const Lesson* lesson = lesson_of(view);
    const bool answers = view.state == Reach::kReachable && view.missed == 0;
    if (lesson == nullptr || (!answers && learned_ms(policy_, *lesson) >= policy_.interval_ms)) {
        return steady_window(policy_);
    }
    return view.has(View::kCanary) ? trial_window(*lesson) : learned_window(policy_, *lesson);
}

// A ping has just been answered: this phone may wait longer than the rest, if it is not the only
// one and no other does.
void Keeper::consider_canary(std::uint32_t slot, View& view) {
    Lesson* lesson = lesson_of(view);
    if (lesson == nullptr || lesson->canary != 0 || lesson->phones.get() < 2) {
        return;
    }
    const std::uint32_t trial_s = next_trial_s(policy_, *lesson, now_s_);
    if (trial_s == 0) {
        lesson->trial_s.set(0);
        return;
    }
    begin_trial(*lesson, slot, trial_s);
    view.flags |= View::kCanary;
}

// Its ping was answered. True: it had been a canary.
bool Keeper::end_trial_alive(View& view) {
    if (!view.has(View::kCanary)) {
        return false;
    }
    view.flags &= static_cast<std::uint8_t>(~View::kCanary);
    if (Lesson* lesson = lesson_of(view); lesson != nullptr) {
        survived(*lesson);
        weigh(view);
        figures_.trials_survived.add();
    }
    return true;
}

// It is of no use as a canary any more. `died`: its phone lives and its mapping does not.
void Keeper::end_trial_gone(std::uint32_t slot, View& view, bool died) {
    if (!view.has(View::kCanary)) {
        return;
    }
    view.flags &= static_cast<std::uint8_t>(~View::kCanary);
    Lesson* lesson = lesson_of(view);
    if (lesson == nullptr || lesson->canary != slot + 1) {
        return;
    }
    if (died) {
        died_of_trial(*lesson, now_s_);
        figures_.trials_lost.add();
    } else {
        drop_trial(*lesson);
    }
}

// It has just been taken for unreachable. If its mapping has died it is alive, will register by
// another one, and that is what teaches that the group waits too long: so one of each group is not
// removed before its registration ends.
void Keeper::call_witness(std::uint32_t slot, const View& view) {
    if (Lesson* lesson = lesson_of(view); lesson != nullptr && lesson->witness == 0) {
        lesson->witness = slot + 1;
    }
}

// It is there again, or gone.
void Keeper::dismiss_witness(std::uint32_t slot, const View& view) {
    if (is_witness(slot, view)) {
        lesson_of(view)->witness = 0;
    }
}

bool Keeper::is_witness(std::uint32_t slot, const View& view) const {
    const Lesson* lesson = lesson_of(view);
    return lesson != nullptr && lesson->witness == slot + 1;
}

// A phone that has not restarted comes back by another mapping: the old one died. A canary's of the
// trial, if its ping found it dead or it waited longer than the others; an ordinary phone's of what
// was taken for safe, if it waited longer than the fixed interval. A gateway that has restarted
// looks the same, and costs the same.
void Keeper::learn_from_move(std::uint32_t slot, View& view, const Whereabouts& where) {
    Lesson* lesson = lesson_of(view);
    if (lesson == nullptr) {
        return;
    }
    const std::uint32_t idle_ms = static_cast<std::uint32_t>(now_ms_) - view.last_ping_ms;
    const bool waited = view.missed >= 2 || (view.missed == 0 && idle_ms >= policy_.interval_ms);
    const bool died = where.same_call && waited && view.has(View::kEverAnswered);
    if (view.has(View::kCanary)) {
        const bool by_trial = view.missed >= 2 || idle_ms >= learned_ms(policy_, *lesson);
        end_trial_gone(slot, view, died && by_trial);
        return;
    }
    const std::uint32_t at_s =
        view.state == Reach::kUnreachable ? view.unreachable_since_s : now_s_;
    if (died && waited_by(policy_, *lesson, at_s)) {
        died_of_plan(policy_, *lesson, now_s_);
        weigh(view);
        figures_.fallbacks.add();
    }
}

// What is known of its group now is what its phones are pinged by.
void Keeper::weigh(const View& view) {
    if (const Lesson* lesson = lesson_of(view); lesson != nullptr) {
        gateways_.set_rate({view.gateway, view.lesson},
                           PingPace::rate_of(learned_ms(policy_, *lesson)));
    }
}

// What is learned changes the mean, and so what may leave at once. Only who answers waits longer
// than the fixed interval, and only who is tracked; whoever is neither is counted for both.
std::uint32_t Keeper::cap() const {
    if (!policy_.learn || !policy_.pings()) {
        return PingPace::cap(policy_, contacts());
    }
    const auto reachable = static_cast<std::uint32_t>(
        figures_.by_state[static_cast<std::size_t>(Reach::kReachable)].get());
    const std::uint32_t all = contacts();
    const std::uint32_t fixed =
        all - std::min(all, reachable) + all - std::min(all, gateways_.phones());
    return PingPace::cap_of(static_cast<double>(gateways_.rate()) +
                            1.0 * PingPace::rate_of(policy_.interval_ms) * fixed);
}

}  // namespace pinhole::qualify
