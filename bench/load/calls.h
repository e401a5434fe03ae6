// SPDX-License-Identifier: BSD-3-Clause
// Calls that the core places: an INVITE for a phone, and whatever final answer comes: a
// redirection, a refusal, or the phone's own "busy here" if the edge relays. Phones are busy, so a
// call is over with its ACK. Pure; one thread.
#pragma once

#include "bench/load/stage.h"
#include "bench/load/waiting.h"

#include <cstdint>
#include <vector>

namespace pinhole::load {

class Calls {
  public:
    // At most so many at once.
    static constexpr std::uint32_t kMaxUnderWay = 1U << 16;

    explicit Calls(Stage& stage)
        : stage_(stage), waiting_(stage.plan.timeout_ns), calls_(kMaxUnderWay) {}

    [[nodiscard]] bool may_call() const { return !at(next_).open; }
    // Only if may_call() and the batch has room.
    void call(PhoneIndex phone, std::uint64_t from_ns, std::uint64_t now_ns);
    // An answer that reached the core. True if a call ended with it.
    bool answered(const sip::Message& answer, std::uint64_t now_ns);
    // What was not answered in time is lost.
    void sweep(std::uint64_t now_ns);

    [[nodiscard]] std::uint32_t under_way() const { return under_way_; }

  private:
    struct Call {
        std::uint64_t from_ns = 0;
        Ticket ticket;
        bool open = false;
    };
    [[nodiscard]] Call& at(std::uint32_t sequence) { return calls_[sequence % kMaxUnderWay]; }
    [[nodiscard]] const Call& at(std::uint32_t sequence) const {
        return calls_[sequence % kMaxUnderWay];
    }
    [[nodiscard]] bool is_open(const Ticket& ticket) const {
        return at(ticket.sequence).open && at(ticket.sequence).ticket == ticket;
    }
    // Whether it answers this call; counts what it is if not.
    [[nodiscard]] bool fits(const Ticket& ticket, const sip::Message& answer);
    void acknowledge(const Ticket& ticket, const sip::Message& answer);

    Stage& stage_;
    Waiting waiting_;
    std::vector<Call> calls_;  // by sequence, modulo their number
    std::uint32_t next_ = 0;
    std::uint32_t under_way_ = 0;
};

}  // namespace pinhole::load
