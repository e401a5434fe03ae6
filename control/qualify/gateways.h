// SPDX-License-Identifier: BSD-3-Clause
// What is known of the gateways that phones stand behind: one entry a public address (IPv6: a /64,
// which is one subscriber's), as many as are reserved. The control thread alone changes it and finds
// by it how often it may ping there; any thread may read a copy of an entry, for an operator. An
// entry without phones is kept, with what was learned, until another gateway needs its place; past
// that, gateways go untracked and are treated like any. Pure; memory is fixed.
#pragma once

#include "control/qualify/lesson.h"
#include "control/qualify/shown.h"
#include "dataplane/net/address.h"
#include "dataplane/table/aor_hash.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace pinhole::qualify {

// The gateway that an address stands for.
[[nodiscard]] net::Address gateway_of(const net::Address& address);

struct Gateway {
    Shown<std::uint32_t> phones;   // contacts behind it now
    Shown<std::uint32_t> rebinds;  // contacts that came back from another port or another gateway
    Shown<std::uint32_t> missed;   // pings unanswered
    Shown<std::uint32_t> sent;     // pings
    // Of the phones, those whose SIP has been rewritten: registrar::Alg by its number less one.
    static constexpr std::size_t kAlgs = 3;
    std::array<Shown<std::uint32_t>, kAlgs> rewritten;
    static constexpr std::size_t kLessons = 4;
    std::array<Lesson, kLessons> lessons;  // by kind of phone; the last may be of all the others

    // The control thread's own: when the next ping may leave for it.
    std::uint64_t turn_us = 0;
    std::uint64_t next_probe_ms = 0;
};

struct LessonView {
    std::uint8_t agent = 0;
    std::uint32_t phones = 0;
    std::uint32_t safe_s = 0;
    std::uint32_t fail_s = 0;
    std::uint32_t trial_s = 0;
    std::uint32_t losses = 0;
};

// A copy of an entry.
struct GatewayView {
    net::Address address;
    std::uint32_t phones = 0;
    std::uint32_t rebinds = 0;
    std::uint32_t missed = 0;
    std::uint32_t sent = 0;
    std::array<std::uint32_t, Gateway::kAlgs> rewritten{};
    std::array<LessonView, Gateway::kLessons> lessons;
};

class Gateways {
  public:
    // 0 means none: the table is full, or nothing is known of where a contact is.
    using Index = std::uint32_t;
    static constexpr Index kNone = 0;
    static constexpr std::uint32_t kMaxCapacity = (1u << 22) - 2;  // 22 bits of a contact's state

    // `capacity` of at most kMaxCapacity. The hash's seed is a secret: addresses are the phones' to
    // choose.
    Gateways(std::uint32_t capacity, const table::KeyedHash& hash);

    [[nodiscard]] std::uint32_t capacity() const { return capacity_; }

    // Where a contact is: its gateway, and which of that one's lessons is for it.
    struct Place {
        Index index = kNone;
        std::uint8_t lesson = 0;
    };
    // A contact of this kind has come to this address, or has gone from there. The control thread's.
    [[nodiscard]] Place enter(const net::Address& address, std::uint8_t agent);
    void leave(const Place& place);
    // One of its phones' SIP is found to be rewritten so (registrar::Alg; 0 is not), or is no more.
    void count_alg(Index index, unsigned alg, int by);
    // Of 0 it is one that stands for all that are not tracked.
    [[nodiscard]] Gateway& at(Index index) { return entries_[index].gateway; }
    // How long a ping there has to wait, in microseconds; its turn is taken. 0: it may leave now.
    // Turns are one after another, `per_s` a second (not 0), and what was not used is lost but for a
    // short burst.
    [[nodiscard]] std::uint64_t take_turn(Index index, std::uint64_t now_us, std::uint32_t per_s);

    // May a port there be asked whether a phone listens at it? Once in kProbeEvery_ms; those that are
    // not tracked count as one.
    static constexpr std::uint32_t kProbeEvery_ms = 10'000;
    [[nodiscard]] bool may_probe(Index index, std::uint64_t now_ms);

    // Figures.
    [[nodiscard]] std::uint32_t used() const { return used_.get(); }
    [[nodiscard]] std::uint64_t refused() const { return refused_.get(); }

    // Any thread. False: no gateway stands there (or another took its place meanwhile). `index` is 1
    // to capacity().
    [[nodiscard]] bool read_any(Index index, GatewayView& out) const;

  private:
    // How many entries are looked at for one without phones, at a newcomer's turn.
    static constexpr std::uint32_t kLooks = 64;

    struct Entry {
        // Odd: changing hands. The address's two words stand under it.
        std::atomic<std::uint32_t> sequence{0};
        Index next = kNone;  // of its chain
        std::array<std::atomic<std::uint64_t>, 2> address{};
        Gateway gateway;
    };

    [[nodiscard]] Index& head_of(const net::Address& address);
    [[nodiscard]] Index find(const net::Address& address);
    [[nodiscard]] Index place();
    void unlink(Index index);
    void settle(Index index, const net::Address& address);
    [[nodiscard]] static std::uint8_t lesson_for(Gateway& gateway, std::uint8_t agent);
    [[nodiscard]] net::Address address_of(const Entry& entry) const;

    const std::uint32_t capacity_;
    const table::KeyedHash hash_;
    std::unique_ptr<Entry[]> entries_;  // by index; the first stands for the untracked
    std::vector<Index> heads_;
    Index fresh_ = 1;  // never used so far
    Index hand_ = 1;   // where the search for an entry without phones goes on
    Shown<std::uint32_t> used_;
    Shown<std::uint64_t> refused_;
};

}  // namespace pinhole::qualify
