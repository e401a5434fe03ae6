// SPDX-License-Identifier: BSD-3-Clause
// For the property tests: a town of phones, a core and strangers, who do what comes into their
// heads. Phones register, move, restart, call and answer what they are sent; the core calls them
// and goes on in the dialogs that come of it; strangers forge, repeat what they have overheard and
// send noise; a control thread pings. Seeded: the same town does the same again. It looks at one
// run, the one that it is asked for steps for; all that it makes can be done to other runs.
#pragma once

#include "tests/unit/edge/property_run.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::edge::test {

class Dice {
  public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    unsigned below(unsigned n) { return static_cast<unsigned>(engine_() % n); }
    bool percent(unsigned p) { return below(100) < p; }
    template <class T>
    const T& of(const std::vector<T>& choices) {
        return choices[below(static_cast<unsigned>(choices.size()))];
    }

  private:
    std::mt19937_64 engine_;
};

// A request before it is written.
struct Request {
    std::string method = "REGISTER";
    std::string uri = "sip:example.com";
    std::string via;  // sent-by, then parameters but for the branch: "192.168.1.10:5060;rport"
    std::string branch;
    std::string from = "100";
    std::string from_tag = "f";
    std::string to = "100";
    std::string to_tag = {};
    std::string call_id;
    unsigned cseq = 1;
    std::string headers = {};  // whole lines

    [[nodiscard]] std::string text(const std::string& more_headers = "") const;
};

class Town {
  public:
    Town(std::uint64_t seed, const Scene& scene);

    // What happens next; `number` is its own if it is a datagram.
    [[nodiscard]] Step next(const Trial& run, std::size_t number);
    // Datagram `number` has been taken by the run: somebody may react to what came of it.
    void note(const Trial& run, std::size_t number, const Datagram& datagram);

  private:
    // One line of a phone: a PBX has several.
    struct Line {
        std::string user;
        std::string call_id = {};
        unsigned cseq = 0;
        std::optional<std::size_t> challenge = {};  // the number of what was challenged
        unsigned nc = 0;
    };
    struct Phone {
        std::string host;  // in its Via and Contact
        std::uint16_t port = 5060;
        net::Flow flow;
        std::string via_params = ";rport";
        std::string contact_params = {};
        std::vector<Line> lines = {};
        // Its gateway reads SIP and writes the address that it is known by there; empty: not so.
        std::string alg_host = {};

        [[nodiscard]] std::string via() const {
            return (alg_host.empty() ? host : alg_host) + ":" + std::to_string(port) + via_params;
        }
    };
    // An INVITE without To tag, and what came of it.
    struct Call {
        std::size_t number;
        Request request;
        net::Flow flow;                  // it came by
        std::vector<std::string> users;  // who stood at that flow
        bool forwarded = false;
        unsigned cseq = 10;
    };
    // A request that may be challenged.
    struct Asked {
        Request request;
        std::size_t phone;
        std::size_t line;
    };
    // Something to react to.
    struct Mail {
        enum class Kind { kRequest, kAnswer, kChallenge } kind;
        std::size_t number;
    };

    // --- property_town.cc: phones and the core ---
    [[nodiscard]] Datagram registration();
    [[nodiscard]] std::string contacts_of(const Phone& phone, const std::string& user);
    [[nodiscard]] Datagram from_line(std::size_t phone, std::size_t line, Request request);
    [[nodiscard]] Datagram call_from_phone();
    [[nodiscard]] Datagram call_from_core();
    [[nodiscard]] std::optional<Datagram> in_dialog(const Trial& run);
    [[nodiscard]] std::optional<Datagram> cancel();
    [[nodiscard]] std::optional<Datagram> react(const Trial& run);
    [[nodiscard]] Datagram answer(const Trial& run, std::size_t number);
    [[nodiscard]] std::optional<Datagram> acknowledge(const Trial& run, std::size_t number);
    [[nodiscard]] Datagram try_again(std::size_t number);
    void move(std::size_t phone);
    [[nodiscard]] const Phone* phone_at(const net::Flow& flow) const;

    // --- property_strangers.cc: strangers, pings and time ---
    [[nodiscard]] std::optional<Datagram> pong(const Trial& run);
    [[nodiscard]] Datagram peer_pong();
    [[nodiscard]] Datagram request_of_stranger();
    [[nodiscard]] Datagram response_of_stranger(const Trial& run);
    [[nodiscard]] Datagram noise(const Trial& run);
    [[nodiscard]] std::optional<Datagram> copy(bool elsewhere);
    [[nodiscard]] std::optional<Step> control(const Trial& run);
    [[nodiscard]] Pass pass();
    [[nodiscard]] net::Flow stranger_flow();

    [[nodiscard]] std::optional<Step> any(const Trial& run);
    [[nodiscard]] Datagram plain(const net::Flow& flow, const Request& request);
    [[nodiscard]] std::string new_branch() { return "z9hG4bKn" + std::to_string(++next_id_); }
    [[nodiscard]] std::string user() { return std::to_string(100 + dice_.below(6)); }

    Dice dice_;
    const bool digest_;
    const bool one_line_;
    std::vector<Phone> phones_;
    std::vector<Call> calls_;
    std::deque<Mail> mail_;
    std::map<std::size_t, Datagram> datagrams_;  // all there have been, by number
    std::map<std::size_t, Asked> asked_;
    std::size_t number_ = 0;       // of the next
    std::uint64_t next_id_ = 100;  // of branches and Call-IDs
    bool draining_ = false;
};

// Adds to `touches` what the text, the flow and the tables of the run tell.
void add_touches(const Trial& run, const std::vector<std::string>& users, Datagram& datagram);

}  // namespace pinhole::edge::test
