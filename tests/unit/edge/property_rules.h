// SPDX-License-Identifier: BSD-3-Clause
// For the property tests: what must be so of each datagram that an edge takes, whatever came
// before. Told without a second edge: from what stood in the table before the datagram, from what
// stands there after it, and from which requests have gone where.
#pragma once

#include "tests/unit/edge/property_run.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace pinhole::edge::test {

class Rules {
  public:
    // Of datagram `number`; the run settles between the two.
    void before(const Trial& run, std::size_t number, const Datagram& datagram);
    // What is wrong; empty: nothing.
    [[nodiscard]] std::string after(const Trial& run);

  private:
    // A contact as it stood.
    struct Stood {
        std::string aor;
        std::string uri;
        table::ContactState state;
        bool live;
        [[nodiscard]] bool calls() const {  // and can be called
            return live && (state.flags & table::kSuspect) == 0;
        }
    };
    using Table = std::map<std::uint64_t, Stood>;  // by id
    // A request that has gone on.
    struct Gone {
        net::Flow from;  // by it, it came
        net::Flow to;
        net::Flow back;  // where its responses go
        bool port_matters;
        std::uint64_t at_ms;
    };

    [[nodiscard]] static Table table_of(const Trial& run);

    // Each datagram is answered or sent on, or it is given back and counted, once. None is kept
    // when nothing is left to do.
    [[nodiscard]] std::string counted_once(const Trial& run) const;
    [[nodiscard]] bool is_pong_of(const PongNotice& pong) const;
    // Only a REGISTER that was answered 200 changes the table, and of other AORs than its own
    // nothing but that their contacts become suspect. A fetch changes nothing. With digest, nothing
    // is changed by who doesn't know the password, nor by what was overheard.
    [[nodiscard]] std::string changes_what_it_may(const Trial& run, const Table& now) const;
    // Never 200 for what was not done. (A CSeq that the binding has is taken for a retransmission.)
    [[nodiscard]] std::string does_what_it_says(const Trial& run, const Table& now) const;
    // Who isn't there yet stands where this datagram's answer goes.
    [[nodiscard]] std::string stands_where_it_came_from(const Table& now) const;
    // What it causes goes back by its own flow, or to a core peer, or to a flow that stands in the
    // table, or to where what it belongs to has gone or has come from.
    [[nodiscard]] std::string goes_where_it_may(const Trial& run);
    [[nodiscard]] std::string response_goes_back(const Sent& sent) const;
    [[nodiscard]] std::string request_goes_to_core(const Trial& run, const Sent& sent) const;
    [[nodiscard]] std::string request_goes_to_phone(const Sent& sent) const;
    void note_gone(const Trial& run, const Sent& sent);

    [[nodiscard]] bool is_repeat_of(const Sent& sent, bool same_sender) const;
    [[nodiscard]] bool has_token() const;
    [[nodiscard]] bool shows_password(const Trial& run) const;

    // Of the datagram in hand.
    std::size_t number_ = 0;
    Datagram datagram_;
    std::string text_;
    Totals totals_;
    std::uint64_t now_ms_ = 0;
    std::vector<std::uint64_t> responses_;  // by code
    Table stood_;
    // Of all so far.
    std::map<std::string, std::vector<Gone>> gone_;        // by Call-ID and the client's branch
    std::map<std::string, std::set<std::string>> routes_;  // that were given out, by Call-ID
    std::map<std::string, std::set<std::uint64_t>> ends_;  // contacts of a dialog, by Call-ID
    // Flows of who has called without a contact, likewise.
    std::map<std::string, std::vector<net::Flow>> callers_;
};

}  // namespace pinhole::edge::test
