// SPDX-License-Identifier: BSD-3-Clause
// For the property tests: what happens to an edge, step by step, and a run of edges that it happens
// to. A step is told so that it can happen to another run too: a datagram that repeats what the
// edge has sent before (a Via, a Route, a nonce) takes that from the run that it is put into, and a
// contact is told by its texts, not by its id. One thread.
#pragma once

#include "tests/unit/edge/edges.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pinhole::auth {
class Subscribers;
}

namespace pinhole::edge::test {

class Trial;

struct Datagram {
    net::Flow flow;
    std::function<std::string(const Trial&)> text;
    std::vector<std::size_t> needs;  // the numbers of datagrams whose outcome `text` reads
    bool reads_table = false;        // `text` reads the table as it stands
    // What it may read or change, as far as the order of two datagrams can make a difference: AORs
    // ("a:100"), flows ("f:...") and Call-IDs ("c:...").
    std::set<std::string> touches;
    // Credentials in it, and whether its sender knows the right password.
    enum class Shows { kNothing, kToRegister, kToCall } shows = Shows::kNothing;
    bool has_password = false;
    bool is_damaged = false;  // it may not say what it seems to
    bool is_copy = false;     // of what another has sent, by another flow
};

// A contact, in whichever run.
struct ContactName {
    std::string user;
    std::string uri;
    std::string params;
};

// What the control thread does.
struct Control {
    enum class Kind { kExpire, kRemoveUnreachable, kRetarget, kRemove, kLearn };
    Kind kind = Kind::kExpire;
    ContactName contact;
    table::QualifyView learned = {};  // of kLearn: what pings have taught
};
struct Pass {
    std::uint64_t milliseconds;
};
struct Drain {
    bool on;
};
using Step = std::variant<Datagram, Control, Pass, Drain>;

// What an operator may have wanted.
struct Scene {
    EdgeSettings edges;
    bool digest = false;
    bool redirect = false;
    bool assert_identity = false;
    bool one_line = false;       // no two AORs stand at one flow
    bool pongs_refused = false;  // the ring to the control thread is full
};

// What all workers together have counted.
struct Totals {
    std::uint64_t received = 0, answered = 0, released = 0, kept = 0, held = 0;
    std::uint64_t drops = 0, strangers = 0;  // `strangers` are among `drops`
    std::uint64_t pongs = 0;                 // of contacts, as the edge counts them
    std::uint64_t pongs_taken = 0;           // by the control thread, and
    std::uint64_t peer_pongs_taken = 0;      // of them, those of core peers
    std::uint64_t handoffs = 0, served = 0;
    std::uint64_t responses = 0, responses_forwarded = 0, stun = 0, calls = 0;
};

class Trial {
  public:
    Trial(const Scene& scene, unsigned workers);

    // --- what happens ---
    // Worker `worker` receives it with the next settle().
    void put(std::size_t number, const Datagram& datagram, unsigned worker);
    // Until no worker has work left.
    void settle();
    // All but datagrams.
    void take(const Step& step);

    // --- what came of it ---
    [[nodiscard]] const std::string& text(std::size_t number) const { return texts_.at(number); }
    // What the datagram has caused; null: nothing.
    [[nodiscard]] const Sent* sent(std::size_t number) const;
    [[nodiscard]] std::string said(std::size_t number) const;  // its text; empty: nothing
    [[nodiscard]] Totals totals() const;
    // By number. What differs by chance alone is replaced: nonces and tokens.
    [[nodiscard]] std::map<std::size_t, std::string> answers() const;
    [[nodiscard]] std::multiset<std::string> pongs() const { return pongs_; }
    [[nodiscard]] const PongNotice& last_pong() const { return last_pong_; }
    // A line a contact, sorted; with all that is stored, but for the id unless `with_ids`.
    [[nodiscard]] std::vector<std::string> table(bool with_ids = false) const;
    [[nodiscard]] std::optional<table::ContactView> find(const ContactName& name) const;
    [[nodiscard]] const std::vector<table::ContactView>& contacts() const { return contacts_; }
    [[nodiscard]] std::vector<table::ContactView> contacts_at(const net::Flow& flow) const;
    [[nodiscard]] Edges& edges() const { return *edges_; }
    [[nodiscard]] const Scene& scene() const { return scene_; }
    [[nodiscard]] std::uint64_t responses(unsigned code) const;

  private:
    void collect();
    void read_table();
    void carry_out(const Control& control);

    const Scene scene_;
    std::unique_ptr<Edges> edges_;
    std::map<std::size_t, std::string> texts_;
    std::map<std::size_t, Sent> sent_;
    std::vector<std::vector<std::size_t>> numbers_;  // by worker, in the order of receipt
    std::vector<table::ContactView> contacts_;       // as of the last settle()
    std::multiset<std::string> pongs_;
    PongNotice last_pong_;
    std::uint64_t peer_pongs_ = 0;
    std::map<std::uint64_t, std::string> names_;  // of all contacts there have been, by id
};

// --- texts ---
std::string flow_text(const net::Flow& flow);
// The first of that name; empty: none.
std::string header_of(std::string_view text, std::string_view name);
std::string call_id_of(std::string_view text);  // by either name
std::vector<std::string> headers_of(std::string_view text, std::string_view name);
// The parameter of a header's value, "branch=" for instance.
std::string param_of(std::string_view value, std::string_view name);
// Where the answer to a request goes that came by `arrival`: back, or, where its top Via names the
// packet's own address without "rport", to the port that it names (RFC 3261 §18.2.2).
net::Flow via_flow(std::string_view text, const net::Flow& arrival);
// As whoever gets `request` answers it: all Vias and Record-Routes, From, To with a tag.
std::string answer_to(std::string_view request, unsigned code, const std::string& tag);
// Equal for what differs by nonces and tokens alone.
std::string without_chance(std::string text);

}  // namespace pinhole::edge::test
