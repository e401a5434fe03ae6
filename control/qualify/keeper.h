// SPDX-License-Identifier: BSD-3-Clause
// The keeper decides when each contact is pinged, what an answer or silence means, and when a
// contact has had its time. It reads contacts by contacts.h and acts by its Sink. The control
// thread alone calls it; any thread may read the QualifyTable that it writes, and its Figures.
// Pure: time, randomness, the contacts and the ways out are handed in.
//
// One wheel entry a contact stands for whatever comes first: its ping, the end of waiting for the
// answer, its expiry, its removal. When an entry is due the keeper looks at the contact as it is
// then, so a refresh needs no event. Memory: 12 bytes of wheel, 28 of QualifyTable and 8 here, 48 a
// contact.
//
// Rules, beside DESIGN's:
//
// A phone that never answered is never unreachable.
//
// A contact that moved (new flow) is unknown again, keeps `ever answered`, and is pinged soon.
//
// A pong is life wherever it came from: only the phone that got the ping knows its MAC, so the
// pinhole let the ping in. A pong from elsewhere than the contact's flow is counted too: such a
// phone sends from another port than it listens at.
//
// A contact that proves life by its own flow (table::Proof) has refreshed the mapping from within,
// so its next ping is put off. The proof also makes up for a lost ping, and brings an unreachable
// contact back.
//
// A suspect contact's flow may be another phone's by now, and a pong doesn't tell which of them
// sent it. So the keeper doesn't ping a suspect contact; only its own REGISTER clears it.
//
// A gateway or prefix whose phones fall silent together (watch.h) is an outage. While it lasts, two
// missed pings are enough for unreachable, and unreachable phones are pinged rarely until one of
// them shows life. A phone that the outage silenced is not removed during it nor for remove_after_s
// after it, unless it expires. Nobody else's pings change by it.
//
// Drain the pongs before advance(), so that a stalled thread doesn't take for missed what waits in
// its own queue.
#pragma once

#include "control/qualify/contacts.h"
#include "control/qualify/figures.h"
#include "control/qualify/gateways.h"
#include "control/qualify/ledger.h"
#include "control/qualify/ping_pace.h"
#include "control/qualify/policy.h"
#include "control/qualify/random.h"
#include "control/qualify/slot_queue.h"
#include "control/wheel/wheel.h"
#include "dataplane/table/contact_id.h"
#include "dataplane/table/qualify_state.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pinhole::qualify {

using table::Reach;

// `ms` is monotonic and starts anywhere; `s` is the clock of expires_at_s. It should tick with `ms`
// (a start value plus monotonic seconds); a step of it is borne, but expiries then come up to a
// second late, or when next looked at.
struct Now {
    std::uint64_t ms;
    std::uint32_t s;
    std::uint32_t us = 0;  // of this millisecond
};

class Keeper {
  public:
    static constexpr std::uint32_t kTickMs = 10;

    // What the keeper writes and others read.
    struct SharedState {
        table::QualifyTable& states;
        Gateways& gateways;
        Ledger& ledger;
    };

    Keeper(const PingPolicy& policy, const SharedState& shared, Contacts& contacts, Sink& sink,
           Now now, std::uint64_t seed);

    // A contact in this slot is new, has moved to another flow, expires sooner, or is gone. A mark
    // too many costs nothing.
    void changed(std::uint32_t slot);

    // Once for each slot, before anything else: a contact that an earlier run has left in the
    // table. What the states hold of it stays true, and its pings go on in their phase.
    void take_up(std::uint32_t slot);

    // Other times and bounds; pings that are planned come as planned. Whether there are pings at
    // all stays as it is.
    void use(const PingPolicy& policy);

    // A response to a ping of ours, its MAC checked by the worker that got it. `flow_matches`: it
    // came by the contact's present flow.
    void pong(ContactId id, std::uint32_t rtt_us, unsigned code, bool flow_matches);
    // Some time before one: fetches what it will touch. Any slot. Inlined by force: gcc takes a
    // function that only prefetches for one without effect, and leaves the call out.
    [[gnu::always_inline]] void prefetch(std::uint32_t slot) const {
        if (slot < states_.capacity()) {
            states_.prefetch_any(slot);
            __builtin_prefetch(&plans_[slot], 1);
            ledger_.prefetch(slot);
        }
    }
    // Likewise to a probe.
    void probe_answered(ContactId id, unsigned code);

    // Does what is due, at most `budget` wheel entries of it. Returns false if some is left for the
    // next call. Call it every few milliseconds.
    bool advance(Now now, std::uint32_t budget);

    // After each advance(): of the pings that it has sent, about so many still wait for a worker.
    // The others have left by now, which is when they count.
    void handed_over(Now now, std::uint32_t waiting) {
        pace_.set_now(now.ms * 1'000 + now.us);
        pace_.set_waiting(waiting);
    }

    // Pings are late, and the pace lets them go as time passes.
    [[nodiscard]] bool waits_for_pace() const { return !queue_.empty() && !queue_full_; }

    [[nodiscard]] const Figures& figures() const { return figures_; }
    [[nodiscard]] std::uint32_t contacts() const { return wheel_.size(); }
    [[nodiscard]] static constexpr std::size_t bytes_per_contact() {
        return wheel::Wheel::bytes_per_contact() + table::QualifyTable::bytes_per_contact() +
               sizeof(Tick) + sizeof(std::uint32_t);
    }
    static constexpr std::size_t kMaxBytesPerContact = 48;

  private:
    using Tick = wheel::Tick;
    using View = table::QualifyView;
    static constexpr Tick kNoPing = 0;  // no ping is planned; what falls on tick 0 is planned for 1

    // The clocks.
    void set_now(Now now);
    // The first tick that doesn't lie before.
    [[nodiscard]] static Tick tick_of(std::uint64_t ms) {
        return static_cast<Tick>((ms + kTickMs - 1) / kTickMs);
    }

    // A contact's way through: keeper.cc.
    void adopt(std::uint32_t slot, const ContactBrief& contact);
    void moved(std::uint32_t slot, const ContactBrief& contact, View view,
               const Whereabouts& where);
    void enter(View& view, const Whereabouts& where);
    void leave(View& view);
    void forget(std::uint32_t slot);

    // What is due, and when to ping: keeper_pings.cc.
    // Fetches what the next two entries will touch: of millions of contacts nothing stands in a
    // cache. A contact is found by its slot, so the slot comes first.
    [[gnu::always_inline]] void fetch(std::uint32_t next, std::uint32_t after) const {
        contacts_.prefetch(next, after);
        prefetch(after);
    }
    std::uint32_t serve_queue(std::uint32_t budget);
    void visit(std::uint32_t slot, bool queued_turn);
    // `inline` where keeper_pings.cc alone calls it: gcc then makes it part of visit().
    inline void take_life(std::uint32_t slot, View& view);
    [[nodiscard]] bool lived_since_ping(const View& view, const table::Life& life) const;
    void note_life(std::uint32_t slot, const table::Life& life);
    [[nodiscard]] inline bool ask_removal(std::uint32_t slot, const ContactBrief& contact,
                                          View& view);
    [[nodiscard]] bool removal_due(std::uint32_t slot, const View& view) const;
    [[nodiscard]] std::uint32_t repeat_ms(const View& view) const;
    inline void repeat(const ContactBrief& contact, View& view);
    [[nodiscard]] bool pings(const ContactBrief& contact, const View& view) const {
        return policy_.pings() && !contact.by_path && !view.is_suspect();
    }
    [[nodiscard]] bool ping_due(std::uint32_t slot) const {
        const auto now_tick = static_cast<Tick>(now_ms_ / kTickMs);
        return plans_[slot] != kNoPing && wheel::ticks_ahead(plans_[slot], now_tick) >= 0;
    }
    inline void ping(const ContactBrief& contact, View& view, bool queued_turn);
    [[nodiscard]] bool wait_for_turn(std::uint32_t slot, View& view);
    void end_turn(View& view);
    void plan(std::uint32_t slot, std::uint64_t since_ms, Window window);
    [[nodiscard]] Window left_of(Window window, std::uint32_t age_ms) const;
    void set_plan(std::uint32_t slot, Tick tick);
    [[nodiscard]] inline Tick tick_of_second(std::uint32_t at_s) const;
    void arm(std::uint32_t slot, const ContactBrief& contact, const View& view);

    // Answers and silence: keeper_answers.cc.
    void miss(std::uint32_t slot, View& view);
    void set_state(View& view, Reach to);
    void come_back(std::uint32_t slot, View& view);
    void gauge(Reach state, int by);

    // Outages: keeper_outage.cc.
    void note_silence(std::uint32_t slot, const View& view);
    void note_life_of(const View& view, std::uint32_t at_s, bool answered) {
        if (gateways_.showed_life(view.gateway, at_s, now_s_, answered)) {
            revive_left_ = states_.capacity();
        }
    }
    [[nodiscard]] bool thinned(const View& view);
    [[nodiscard]] Window thin_window_of(const View& view) const;
    void note_outage(std::uint32_t slot, const View& view);
    void revive();

    // Learning: keeper_learn.cc.
    [[nodiscard]] Lesson* lesson_of(const View& view) const;
    [[nodiscard]] Window first_window_of(const View& view);
    [[nodiscard]] Window window_of(const View& view);
    void consider_canary(std::uint32_t slot, View& view);
    [[nodiscard]] bool end_trial_alive(View& view);
    void end_trial_gone(std::uint32_t slot, View& view, bool died);
    void call_witness(std::uint32_t slot, const View& view);
    void dismiss_witness(std::uint32_t slot, const View& view);
    [[nodiscard]] bool is_witness(std::uint32_t slot, const View& view) const;
    void learn_from_move(std::uint32_t slot, View& view, const Whereabouts& where);
    void weigh(const View& view);
    [[nodiscard]] std::uint32_t cap() const;

    // What bindings say of themselves: keeper_traits.cc.
    void take_traits(std::uint32_t slot, View& view, std::uint8_t traits);
    void drop_traits(const View& view);
    void consider_probe(std::uint32_t slot, View& view);
    [[nodiscard]] static std::uint8_t own_traits(const View& view) {
        return view.traits & static_cast<std::uint8_t>(~View::kProbed);
    }
    void gauge_alg(unsigned alg, int by);
    void retrace(std::uint32_t slot, const ContactBrief& contact, View view,
                 const Whereabouts& where);

    static_assert(wheel::Wheel::bytes_per_contact() + table::QualifyTable::bytes_per_contact() +
                      sizeof(Tick) + sizeof(std::uint32_t) <=
                  kMaxBytesPerContact);

    PingPolicy policy_;
    table::QualifyTable& states_;
    Gateways& gateways_;
    Ledger& ledger_;
    Contacts& contacts_;
    Sink& sink_;
    wheel::Wheel wheel_;
    std::vector<Tick> plans_;  // by slot: when its ping is due
    PingLoad load_;
    SlotQueue queue_;  // contacts with kQueued, and slots that had it when theirs was removed
    PingPace pace_;
    Random random_;
    Figures figures_;
    std::uint64_t now_ms_;
    std::uint32_t now_s_;
    std::uint64_t second_began_ms_;  // when now_s_ began, as well as can be told; never too late
    bool queue_full_ = false;        // the sink refused a ping in this call of advance()
    std::uint32_t revive_left_ = 0;  // slots to look at since an outage has ended ...
    std::uint32_t revive_next_ = 0;  // ... from this one on
};

}  // namespace pinhole::qualify
