// SPDX-License-Identifier: BSD-3-Clause
// What is known of the gateways that phones stand behind: one entry a public address (IPv6: a /64,
// which is one subscriber's), as many as are reserved, and one a prefix of such addresses, which an
// access line or a concentrator may have in common. The control thread alone changes it and finds
// by it how often it may ping there; any thread may read a copy of an entry, for an operator. An
// entry without phones is kept, with what was learned, until another gateway needs its place; past
// that, gateways go untracked and are treated like any. Pure; memory is fixed.
#pragma once

#include "control/qualify/lesson.h"
#include "control/qualify/outage_news.h"
#include "control/qualify/place_table.h"
#include "control/qualify/single_writer.h"
#include "control/qualify/watch.h"
#include "dataplane/net/address.h"
#include "dataplane/table/aor_hash.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace pinhole::qualify {

// The gateway that an address stands for.
[[nodiscard]] net::Address gateway_of(const net::Address& address, std::uint32_t prefix_v4 = 32);
// The prefix that a gateway is of: IPv4 a /24, IPv6 a /48.
[[nodiscard]] net::Address area_of(const net::Address& gateway);

// "67.194.23.0/24", "2001:db8:1::/48".
[[nodiscard]] std::string area_text(const net::Address& area);

struct Area {
    SingleWriter<std::uint32_t> phones;
    Watch watch;

    void clear();
};

struct Gateway {
    SingleWriter<std::uint32_t> phones;  // contacts behind it now
    SingleWriter<std::uint32_t>
        rebinds;  // contacts that came back from another port or another gateway
    SingleWriter<std::uint32_t> missed;  // pings unanswered
    SingleWriter<std::uint32_t> sent;    // pings
    // Of the phones, those whose SIP has been rewritten: nat::Alg by its number less one.
    static constexpr std::size_t kAlgs = 3;
    std::array<SingleWriter<std::uint32_t>, kAlgs> rewritten;
    static constexpr std::size_t kLessons = 4;
    std::array<Lesson, kLessons> lessons;  // by kind of phone; the last may be of all the others

    Watch watch;

    // The control thread's own.
    std::uint64_t turn_us = 0;  // when the next ping may leave for it
    std::uint64_t next_probe_ms = 0;
    std::uint32_t area = 0;  // while it has phones

    void clear();
};

struct LessonView {
    std::uint8_t agent = 0;
    std::uint32_t phones = 0;
    std::uint32_t safe_s = 0;
    std::uint32_t fail_s = 0;
    std::uint32_t trial_s = 0;
    std::uint32_t losses = 0;
    std::uint32_t failed_at_s = 0;
};

// What of a lesson outlives a restart.
struct KeptLesson {
    net::Address gateway;
    std::uint8_t agent = 0;
    std::uint16_t safe_s = 0;
    std::uint16_t fail_s = 0;
    std::uint32_t failed_ago_s = 0;
    std::uint32_t losses = 0;

    bool operator==(const KeptLesson&) const = default;
};

// A copy of an entry.
struct GatewayView {
    net::Address address;
    std::uint32_t phones = 0;
    std::uint32_t rebinds = 0;
    std::uint32_t missed = 0;
    std::uint32_t sent = 0;
    std::array<std::uint32_t, Gateway::kAlgs> rewritten{};
    std::uint32_t outages = 0;
    std::uint32_t silent_since_s = 0;  // 0: it is not, or it is its prefix that is
    std::array<LessonView, Gateway::kLessons> lessons;
};

struct AreaView {
    net::Address prefix;
    std::uint32_t phones = 0;
    std::uint32_t outages = 0;
    std::uint32_t silent_since_s = 0;
};

// Those of an entry that say something and of one kind of phone.
void keep_lessons(const GatewayView& view, std::uint32_t now_s, std::vector<KeptLesson>& out);

class Gateways {
  public:
    // 0 means none: the table is full, or nothing is known of where a contact is.
    using Index = std::uint32_t;
    static constexpr Index kNone = 0;
    static constexpr std::uint32_t kMaxCapacity = (1u << 22) - 2;  // 22 bits of a contact's state

    // `capacity` of at most kMaxCapacity. IPv4 addresses with `prefix_v4` leading bits in common
    // are one gateway: the addresses of a carrier's NAT. The hash's seed is a secret: addresses are
    // the phones' to choose.
    Gateways(std::uint32_t capacity, const table::KeyedHash& hash, std::uint32_t prefix_v4 = 32);

    [[nodiscard]] std::uint32_t capacity() const { return gateways_.capacity(); }
    [[nodiscard]] std::uint32_t area_capacity() const { return areas_.capacity(); }

    // Where a contact is: its gateway, and which of that one's lessons is for it.
    struct Place {
        Index index = kNone;
        std::uint8_t lesson = 0;
    };
    // A contact of this kind has come to this address, or has gone from there. The control
    // thread's.
    [[nodiscard]] Place enter(const net::Address& address, std::uint8_t agent);
    void leave(const Place& place, std::uint32_t now_s);
    // One of its phones' SIP is found to be rewritten so (nat::Alg; 0 is not), or is no more.
    void count_alg(Index index, unsigned alg, int by);
    // Before any contact has come: what an earlier run has learned.
    void recall(const KeptLesson& kept, std::uint32_t now_s);
    // How often phones of there are pinged, by what was learned: in 10^9 ms, each; and all
    // together, and how many those are.
    void set_rate(const Place& place, std::uint32_t rate);
    [[nodiscard]] std::uint64_t rate() const { return rate_; }
    [[nodiscard]] std::uint32_t phones() const { return phones_; }
    // Of 0 it is one that stands for all that are not tracked.
    [[nodiscard]] Gateway& at(Index index) { return gateways_.at(index); }
    // How long a ping there has to wait, in microseconds; its turn is taken. 0: it may leave now.
    // Turns are one after another, `per_s` a second (not 0), and what was not used is lost but for
    // a short burst.
    [[nodiscard]] std::uint64_t take_turn(Index index, std::uint64_t now_us, std::uint32_t per_s);

    // May a port there be asked whether a phone listens at it? Once in kProbeEvery_ms; those that
    // are not tracked count as one.
    static constexpr std::uint32_t kProbeEvery_ms = 10'000;
    [[nodiscard]] bool may_probe(Index index, std::uint64_t now_ms);

    // Outages, by watch.h's rules; the control thread's. Nothing is watched of 0.
    void fell_silent(Index index, std::uint32_t now_s);
    // At `at_s`, which may be known late. True: with this an outage has ended.
    bool showed_life(Index index, std::uint32_t at_s, std::uint32_t now_s, bool answered);
    // The phones that are silent with this one; 0: there is no outage.
    [[nodiscard]] std::uint32_t silent_with(Index index) const;
    // When the outage that a contact of there is in began; 0: there is none.
    [[nodiscard]] std::uint32_t silent_since_s(Index index) const;
    // Was it an outage that silenced a contact of there?
    [[nodiscard]] bool excuses(Index index, std::uint32_t silent_s, std::uint32_t now_s,
                               const Patience& patience) const;
    // For the one thread that tells the operator.
    [[nodiscard]] OutageNews& news() { return news_; }

    // Figures.
    [[nodiscard]] std::uint32_t used() const { return gateways_.used(); }
    [[nodiscard]] std::uint64_t refused() const { return refused_.get(); }
    [[nodiscard]] std::uint64_t outages() const { return outages_.get(); }
    [[nodiscard]] std::uint32_t silent() const { return silent_.get(); }

    // "67.194.23.55", "2001:db8:1:2::/64".
    [[nodiscard]] std::string name_of(const net::Address& gateway) const;

    // Any thread. False: no gateway stands there (or another took its place meanwhile). `index` is
    // 1 to capacity(), or to area_capacity().
    [[nodiscard]] bool read_any(Index index, GatewayView& out) const;
    [[nodiscard]] bool read_area_any(Index index, AreaView& out) const;

  private:
    [[nodiscard]] static std::uint8_t lesson_for(Gateway& gateway, std::uint8_t agent);
    void tell(Watch& watch, OutageNotice notice, bool began);
    [[nodiscard]] OutageNotice notice_of(Index index, std::uint32_t now_s) const;
    [[nodiscard]] OutageNotice notice_of_area(std::uint32_t area, std::uint32_t now_s) const;

    const std::uint32_t prefix_v4_;
    std::uint64_t rate_ = 0;
    std::uint32_t phones_ = 0;
    PlaceTable<Gateway> gateways_;
    PlaceTable<Area> areas_;
    SingleWriter<std::uint64_t> refused_;
    SingleWriter<std::uint64_t> outages_;
    SingleWriter<std::uint32_t> silent_;  // outages that last
    OutageNews news_;
};

}  // namespace pinhole::qualify
