// SPDX-License-Identifier: BSD-3-Clause
// What a worker that gets more than it can do does not do: when a city's power comes back, every
// phone calls at once. Whether it is overloaded it knows by its receive queue, which then is never
// found empty; how much it refuses follows from how long that has been so. Refused are the lowest
// ranks first, a growing part of one and then of the next, each flow by a lot that changes, so that
// nobody is refused for ever. A registered phone is never refused: it costs no more to be served.
//
// Refusing is not free: to pass over a packet takes a part of what it takes to serve one. So who
// registers is refused in one of three cases at most, whatever comes: work goes on at 90 % of what
// the worker can do and more, and what is too much then is lost in the queue, which costs nothing.
// Pure; one worker, time is handed in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pinhole::admit {

// In the order in which they are admitted.
enum class Rank : std::uint8_t {
    kKnown,     // a phone, by the flow that it is registered by, or a core peer
    kNewcomer,  // a registration from elsewhere, with credentials, or where none are needed
    kUnproven,  // a registration without them
    kOther,     // whatever else strangers want
    kCount
};

class Pressure {
  public:
    // A queue that holds a burst for as long is only busy.
    static constexpr std::uint32_t kGrace_us = 10'000;
    // From none of a rank refused to all of it, and back.
    static constexpr std::uint32_t kRise_us = 50'000;
    static constexpr std::uint32_t kFall_us = 500'000;
    // What one look counts for at most: a worker that was kept from looking has seen nothing.
    static constexpr std::uint32_t kLook_us = 1'000;

    // After a look at the receive queues: `backlog`, one of them had a full burst.
    void note_queues(bool backlog, std::uint64_t now_us);
    [[nodiscard]] bool none() const { return level_us_ == 0; }
    // Of 65,536 flows of a rank, how many are refused.
    [[nodiscard]] std::uint32_t share_of(Rank rank) const;

  private:
    std::uint64_t last_us_ = 0;
    std::uint32_t stood_us_ = 0;  // since the queues were last empty
    std::uint32_t level_us_ = 0;  // of kRise_us for each rank that can be refused
};

class Overload {
  public:
    // An answer to a refusal costs half of what service does: for so many that are served there is
    // one; and one a burst where none is.
    static constexpr unsigned kServedForAnswer = 16;
    // A registration that is refused costs two that were not.
    static constexpr unsigned kServedForOne = 2;
    static constexpr unsigned kMaxServed = 64;
    // A flow's lot is drawn again.
    static constexpr std::uint32_t kLot_s = 8;

    explicit Overload(bool enabled) : enabled_(enabled) {}

    void note_queues(bool backlog, std::uint64_t now_us) {
        if (enabled_) {
            pressure_.note_queues(backlog, now_us);
        }
    }
    // Else nothing below needs to be asked.
    [[nodiscard]] bool presses() const { return !pressure_.none(); }

    void begin_burst() {
        if (!serves_) {
            answer_credit_ = kServedForAnswer;
        }
        serves_ = false;
    }
    // Whether it is refused. `flow_hash` is keyed, so that no phone can pick its lot.
    [[nodiscard]] bool refuses(Rank rank, std::uint64_t flow_hash, std::uint32_t now_s);
    // Whether this refusal may be answered; counts.
    [[nodiscard]] bool answers() {
        if (answer_credit_ < kServedForAnswer) {
            return false;
        }
        answer_credit_ -= kServedForAnswer;
        return true;
    }

  private:
    [[nodiscard]] bool draws(Rank rank, std::uint64_t flow_hash, std::uint32_t now_s);

    const bool enabled_;
    Pressure pressure_;
    unsigned answer_credit_ = 0;
    bool serves_ = false;  // anybody of the burst
    unsigned served_ = 0;  // registrations, as far as they count
};

// When a phone that was refused shall come back, n to 2 n seconds later: by a keyed hash, so that
// phones come back evenly spread, and each gets the same answer however often it asks.
[[nodiscard]] constexpr std::uint32_t retry_after_s(std::uint32_t n, std::uint64_t keyed_hash) {
    return n + static_cast<std::uint32_t>((keyed_hash >> 32) * (std::uint64_t{n} + 1) >> 32);
}

// Of a datagram, before it is parsed, which is more than it costs to refuse it.
enum class Glance : std::uint8_t {
    kNoRequest,  // a response, a keepalive, noise: never refused
    kRegister,
    kCallable,  // may be a call for help, or belong to one: to be looked into first
    kAnother,
};
[[nodiscard]] Glance glance(std::string_view datagram);

// Whether a REGISTER has credentials. Checking them would cost as much as serving the request; a
// source that sends wrong ones is soon held back as a guesser.
[[nodiscard]] bool has_credentials(std::string_view datagram);

}  // namespace pinhole::admit
