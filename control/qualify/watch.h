// SPDX-License-Identifier: BSD-3-Clause
// Have the phones of a group (a gateway, or a prefix of them) fallen silent together? Each that has
// answered so far and now has not is either a packet lost or the line that all hang on. Pings get
// lost at the group's own rate, which is learned; so many in a row, of different phones and with no
// sign of life of anybody between, that the rate alone would do so once in 10^9 pings, are an
// outage (a CUSUM of the likelihoods: under an outage nobody answers, so one answer undoes it). At
// 1 % those are 5 phones, at 10 % 9. Whoever lives in the group thus keeps it from being taken for
// silent, whatever others do. Pure; the control thread writes, any thread reads a SingleWriter.
#pragma once

#include "control/qualify/single_writer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace pinhole::qualify {

struct Watch {
    SingleWriter<std::uint32_t> silent_since_s;  // 0: it is not silent
    SingleWriter<std::uint32_t> outages;         // so far

    // The control thread's own.
    float asked = 0;   // first pings whose outcome is known, the old ones fading
    float missed = 0;  // of them, unanswered
    std::uint32_t run = 0;
    std::uint32_t run_began_s = 0;
    std::uint32_t began_s = 0;  // the last outage
    std::uint32_t known_s = 0;  // when it was noticed
    std::uint32_t ended_s = 0;
    SingleWriter<bool> told;  // the operator knows of this outage

    [[nodiscard]] bool silent() const { return silent_since_s.get() != 0; }
    void clear() {
        silent_since_s.set(0);
        outages.set(0);
        asked = missed = 0;
        run = run_began_s = began_s = known_s = ended_s = 0;
        told.set(false);
    }
};

// How likely a ping is to be lost there. What is not known yet is taken for 5 %, and less than 1 %
// is believed of nobody: neighbours' phones do share a fuse.
[[nodiscard]] inline double miss_rate(const Watch& watch) {
    constexpr double kPriorMissed = 1;
    constexpr double kPriorAsked = 20;
    return std::max((watch.missed + kPriorMissed) / (watch.asked + kPriorAsked), 0.01);
}

// A share of these is kept in mind: the rate follows the line within some such number of pings.
inline void count_outcomes(Watch& watch, std::uint32_t asked, std::uint32_t missed) {
    constexpr float kMemory = 1'000;
    watch.asked += static_cast<float>(asked);
    watch.missed += static_cast<float>(missed);
    if (watch.asked > kMemory) {
        watch.asked /= 2;
        watch.missed /= 2;
    }
}

inline constexpr std::uint32_t kOneTrouble_s = 600;

// A phone that had answered every ping so far has not answered one. True: this begins an outage.
[[nodiscard]] inline bool fell_silent(Watch& watch, std::uint32_t now_s) {
    constexpr double kOnceIn = 1e9;
    if (watch.run++ == 0) {
        watch.run_began_s = now_s;
    }
    if (watch.silent() || watch.run * -std::log(miss_rate(watch)) < std::log(kOnceIn)) {
        return false;
    }
    // A line that comes back for a moment is one trouble.
    if (watch.ended_s == 0 || watch.run_began_s - watch.ended_s > kOneTrouble_s) {
        watch.began_s = watch.run_began_s;
    }
    watch.silent_since_s.set(watch.run_began_s);
    watch.known_s = now_s;
    watch.outages.add(1);
    return true;
}

// Somebody there lived at `at_s`, which may be known late: what came before the silence, or while
// it began, doesn't break it. `answered`: the first time that it was asked. True: this ends an
// outage. What was missed in one says nothing about the rate.
[[nodiscard]] inline bool showed_life(Watch& watch, std::uint32_t at_s, std::uint32_t now_s,
                                      bool answered) {
    const bool ends = watch.silent();
    if (watch.run != 0 && at_s < (ends ? watch.known_s : watch.run_began_s)) {
        return false;
    }
    if (ends) {
        watch.silent_since_s.set(0);
        watch.ended_s = now_s;
    } else {
        count_outcomes(watch, watch.run, watch.run);
    }
    watch.run = 0;
    count_outcomes(watch, answered ? 1 : 0, 0);
    return ends;
}

struct Patience {
    std::uint32_t before_s;  // who lives is not taken for unreachable for longer
    std::uint32_t after_s;   // to come back in
};

// Was it the outage that silenced a phone at `silent_s`, and has it not had the time since to come
// back? Those that were dead before are not spared; nor is a registration that has run out.
[[nodiscard]] inline bool excuses(const Watch& watch, std::uint32_t silent_s, std::uint32_t now_s,
                                  const Patience& patience) {
    return watch.began_s != 0 && silent_s + patience.before_s >= watch.began_s &&
           (watch.silent() || now_s - watch.ended_s < patience.after_s);
}

}  // namespace pinhole::qualify
