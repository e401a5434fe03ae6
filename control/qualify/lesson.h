// SPDX-License-Identifier: BSD-3-Clause
// How long the mappings of one gateway and one kind of phone are known to survive, learned from
// canaries: one phone at a time waits longer for its ping than the rest, never all. What it
// survives twice the others may wait for; what it doesn't is never tried again for days. A step is
// 1.3, so a mapping's lifetime is known to a quarter after one loss. Pure; the control thread
// writes, any thread may read.
#pragma once

#include "control/qualify/policy.h"
#include "control/qualify/single_writer.h"

#include <algorithm>
#include <cstdint>

namespace pinhole::qualify {

struct Lesson {
    SingleWriter<std::uint8_t> agent;    // the kind of phone (nat/agent.h)
    SingleWriter<std::uint32_t> phones;  // contacts; 0: whoever comes next may have the place
    SingleWriter<std::uint16_t>
        safe_s;  // idle time that was survived twice; 0: none beyond the fixed
    SingleWriter<std::uint16_t> fail_s;       // idle time that was not; 0: none is known
    SingleWriter<std::uint16_t> trial_s;      // what the canary waits; 0: there is none
    SingleWriter<std::uint32_t> losses;       // mappings that died of it
    SingleWriter<std::uint32_t> failed_at_s;  // when fail_s was learned

    // The control thread's own.
    std::uint32_t canary = 0;     // slot + 1
    std::uint32_t witness = 0;    // likewise: it fell silent, and may come back to tell why
    std::uint32_t fell_at_s = 0;  // when what was learned was given up
    std::uint8_t wins = 0;        // of this trial
    std::uint32_t rate = 0;       // pings that one of its phones gets in 10^9 ms
};

// A loss is believed for so long: gateways are replaced. One within the fixed interval not as long:
// a gateway that has restarted looks the same.
inline constexpr std::uint32_t kFailureHolds_s = 3 * 24 * 3600;
inline constexpr std::uint32_t kShortFailureHolds_s = 24 * 3600;
inline constexpr std::uint32_t kLeast_s = 5;  // no gateway is thought to last less
inline constexpr std::uint8_t kWinsNeeded = 2;

// The idle time to try next; 0: enough is known.
[[nodiscard]] inline std::uint32_t next_trial_s(const PingPolicy& policy, const Lesson& lesson,
                                                std::uint32_t now_s) {
    const std::uint32_t fixed_s = policy.interval_ms / 1'000;
    const std::uint32_t base = lesson.safe_s.get() == 0 ? fixed_s : lesson.safe_s.get();
    const std::uint32_t most = std::min<std::uint32_t>(policy.max_interval_ms / 1'000, 0xffff);
    std::uint32_t trial = std::min(std::max(base * 13 / 10, base + 1), most);
    const std::uint32_t fail = lesson.fail_s.get();
    const std::uint32_t holds_s = fail > fixed_s ? kFailureHolds_s : kShortFailureHolds_s;
    if (fail != 0 && now_s - lesson.failed_at_s.get() < holds_s) {
        trial = std::min(trial, (base + fail) / 2);
        // So near to what failed, what there is to win is not worth a call.
        return trial > base && (trial - base) * 6 >= base ? trial : 0;
    }
    return trial > base ? trial : 0;
}

// What its phones are pinged by: so long before what is known to be survived that a lost ping can
// be followed by two others in time, each of which is sent twice like itself: at 5 % loss one in
// 10^7 is not heard of.
inline constexpr std::uint32_t kRetriesInTime = 2;
[[nodiscard]] inline std::uint32_t learned_ms(const PingPolicy& policy, std::uint32_t safe_s) {
    const std::uint32_t known_ms = safe_s * 1'000;
    const std::uint32_t spare_ms =
        std::clamp(kRetriesInTime * retry_window(policy, 1).to_ms, known_ms / 20, known_ms / 3);
    const std::uint32_t safe_ms = std::min(known_ms - spare_ms, policy.max_interval_ms);
    // What is known to survive less than the fixed interval is pinged sooner.
    const bool is_short = known_ms != 0 && known_ms < policy.interval_ms;
    return is_short ? safe_ms : std::max(safe_ms, policy.interval_ms);
}
[[nodiscard]] inline std::uint32_t learned_ms(const PingPolicy& policy, const Lesson& lesson) {
    return learned_ms(policy, std::uint32_t{lesson.safe_s.get()});
}
[[nodiscard]] inline Window learned_window(const PingPolicy& policy, const Lesson& lesson) {
    const std::uint32_t ms = learned_ms(policy, lesson);
    return ms == policy.interval_ms ? steady_window(policy) : Window{ms / 5 * 4, ms};
}
// The canary waits the whole trial, and a little more at most.
[[nodiscard]] inline Window trial_window(const Lesson& lesson) {
    const std::uint32_t ms = std::uint32_t{lesson.trial_s.get()} * 1'000;
    return {ms, ms + ms / 50};
}

inline void begin_trial(Lesson& lesson, std::uint32_t slot, std::uint32_t trial_s) {
    if (trial_s != lesson.trial_s.get()) {
        lesson.wins = 0;
    }
    lesson.canary = slot + 1;
    lesson.trial_s.set(static_cast<std::uint16_t>(trial_s));
}

// It came to nothing: the canary has gone, or was not idle.
inline void drop_trial(Lesson& lesson) {
    lesson.canary = 0;
}

inline void survived(Lesson& lesson) {
    lesson.canary = 0;
    if (++lesson.wins >= kWinsNeeded) {
        lesson.wins = 0;
        lesson.safe_s.set(lesson.trial_s.get());
    }
}

// The canary's mapping has died.
inline void died_of_trial(Lesson& lesson, std::uint32_t now_s) {
    lesson.canary = 0;
    lesson.wins = 0;
    lesson.losses.add(1);
    lesson.fail_s.set(lesson.trial_s.get());
    lesson.failed_at_s.set(now_s);
}

// A phone's that waited no longer than what was taken for safe: it is not so any more, or never
// was. All is given up at once: for the fixed interval, or if that was it already, for half of it.
inline void died_of_plan(const PingPolicy& policy, Lesson& lesson, std::uint32_t now_s) {
    const std::uint32_t fixed_s = policy.interval_ms / 1'000;
    const std::uint32_t safe_s = lesson.safe_s.get();
    const std::uint32_t died_s = safe_s == 0 ? fixed_s : safe_s;
    lesson.losses.add(1);
    lesson.wins = 0;
    lesson.fail_s.set(static_cast<std::uint16_t>(died_s));
    lesson.failed_at_s.set(now_s);
    lesson.fell_at_s = now_s;
    lesson.safe_s.set(static_cast<std::uint16_t>(
        died_s > fixed_s ? 0 : std::max(died_s / 2, std::min(kLeast_s, died_s))));
}

// Did a mapping that died at `at_s` wait by what is known now? Those that had been planned before
// the last time that all was given up come back late, and say nothing new.
[[nodiscard]] inline bool waited_by(const PingPolicy& policy, const Lesson& lesson,
                                    std::uint32_t at_s) {
    return lesson.fell_at_s == 0 ||
           (at_s > lesson.fell_at_s && at_s - lesson.fell_at_s > policy.max_interval_ms / 1'000);
}

}  // namespace pinhole::qualify
