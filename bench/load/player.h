// SPDX-License-Identifier: BSD-3-Clause
// Plays a plan from its first registration to its end: phase after phase, each with its own tally,
// pace and end. The player is given every datagram that comes and a turn in between, and leaves
// what it sends in the batch; the moment is handed in. Pure; one thread.
#pragma once

#include "bench/load/calls.h"
#include "bench/load/pacer.h"
#include "bench/load/registrations.h"
#include "bench/load/stage.h"
#include "control/qualify/random.h"
#include "control/wheel/wheel.h"
#include "dataplane/net/packet.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace pinhole::load {

// kSettle is as kLive, before what is measured.
enum class Phase : std::uint8_t { kRegister, kRefresh, kSettle, kLive, kCall, kEcho };
inline constexpr std::array<std::string_view, 6> kPhaseNames{"register", "refresh", "settle",
                                                             "live",     "call",    "echo"};

class Player {
  public:
    // So many datagrams may come between two flushes of the batch, and a turn sends as many.
    static constexpr std::size_t kBurst = SendBatch::kPlaces / 2;

    Player(const Plan& plan, SendBatch& batch);

    void begin(std::uint64_t now_ns) { enter(0, now_ns); }
    // One that came; `sum_is_right`: of its checksum.
    void receive(const net::Datagram& datagram, bool sum_is_right, std::uint64_t now_ns);
    // What is due: losses, refreshes, new questions, the next phase.
    void turn(std::uint64_t now_ns);
    // Ends early: nothing new is asked, what is under way is waited for.
    void stop() { stopped_ = true; }
    [[nodiscard]] bool over() const { return over_; }
    [[nodiscard]] bool owns(const net::Address& address) const {
        return address == plan_.core || stage_.gateways.owns(address);
    }

    // The first message of all, from the first phone; a datagram that answers it.
    [[nodiscard]] bool say_hello(std::uint32_t attempt, std::uint64_t now_ns);
    [[nodiscard]] bool is_hello(const net::Datagram& datagram, std::uint64_t now_ns);

    // For whoever prints, in any thread: the phases that have begun, the last one the present.
    [[nodiscard]] std::size_t phases_begun() const {
        return begun_.load(std::memory_order_acquire);  // pairs with the store in enter()
    }
    [[nodiscard]] Phase phase(std::size_t i) const { return phases_[i].kind; }
    [[nodiscard]] const Tally& tally(std::size_t i) const { return *phases_[i].tally; }
    [[nodiscard]] std::uint32_t registered() const {
        return registered_.load(std::memory_order_relaxed);
    }

  private:
    struct PhaseState {
        Phase kind;
        std::unique_ptr<Tally> tally;
        bool measured;  // the plan's bounds are this phase's
    };
    // A tick of the wheel of refreshes.
    static constexpr std::uint64_t kTick_ns = 10'000'000;
    // How often all phones that are not registered try, before the play goes on without them.
    static constexpr unsigned kRounds = 3;

    void play(std::uint64_t now_ns);
    void add_phase(Phase kind, bool measured);
    void enter(std::size_t index, std::uint64_t now_ns);
    void leave_phase(std::uint64_t now_ns);
    void at_phone(const PublicEnd& to, const net::Datagram& datagram, std::uint64_t now_ns);
    void at_core(const net::Datagram& datagram, std::uint64_t now_ns);
    void ended(const Registrations::Ended& how, std::uint64_t now_ns);
    void refresh_due(std::uint64_t now_ns);
    void ask_at_pace(std::uint64_t now_ns);
    void call_at_pace(Pacer& pace, std::uint64_t now_ns);
    // Whom the present phase asks next, if anybody.
    [[nodiscard]] std::optional<PhoneIndex> next_to_register();
    [[nodiscard]] std::optional<PhoneIndex> next_at_random();
    [[nodiscard]] bool bounds_reached(std::uint64_t now_ns) const;
    [[nodiscard]] std::uint64_t under_way() const {
        return registrations_.under_way() + calls_.under_way();
    }
    [[nodiscard]] bool reads(const net::Datagram& datagram, sip::Message& message);

    const Plan& plan_;
    Stage stage_;
    Registrations registrations_;
    Calls calls_;
    qualify::Random random_;
    std::optional<wheel::Wheel> wheel_;  // of a live population
    std::vector<PhaseState> phases_;
    std::size_t present_ = 0;
    std::uint64_t began_ns_ = 0;  // the present phase
    std::uint64_t asked_ = 0;     // in it
    Pacer pace_{0, 0, 0};
    Pacer call_pace_{0, 0, 0};
    PhoneIndex cursor_ = 0;  // of the register phase
    unsigned round_ = 0;
    bool all_asked_ = false;  // the present phase asks nobody any more
    bool stopped_ = false;
    bool over_ = false;
    std::atomic<std::size_t> begun_{0};
    std::atomic<std::uint32_t> registered_{0};
};

}  // namespace pinhole::load
