// SPDX-License-Identifier: BSD-3-Clause
// The edges of a few workers over one table, as the daemon has them, for tests: a domain, addresses
// of ours, a core peer, keys, and a clock that stands still until the test moves it. What a
// worker's loop does around its edge is done by round(). One thread, unless the test gives each
// worker its own: then put(), round() and sent() of a worker are that thread's, and command(),
// pass_ms(), pass_s() and quiescent_control() are those of one thread more, the control thread. All
// else is for when no other thread runs.
#pragma once

#include "dataplane/edge/edge.h"
#include "dataplane/table/heap_memory.h"
#include "tests/unit/edge/test_sink.h"
#include "tests/unit/table/support.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::edge::test {

inline net::Address address(std::string_view text) {
    return net::parse_address(text).value();
}

// Who stands where.
inline const net::Address kEdgeAddress = address("198.51.100.1");
inline const net::Address kEdgeAddress6 = address("2001:db8::1");
inline const net::Address kCore = address("203.0.113.10");
inline const net::Address kNat = address("67.194.23.55");
inline constexpr std::uint16_t kSip = 5060;

// The flow of packets from there, as the edge sees it.
net::Flow from(const net::Address& theirs, std::uint16_t port, net::PortIndex index = 0);

// One key, always the same.
tokens::Keys test_keys();

struct EdgeSettings {
    unsigned workers = 1;
    std::uint32_t max_contacts = 1000;
    registrar::RegistrarPolicy policy{};
    admit::LimitPolicy limits{.enabled = false};
    bool refuse_when_overloaded = false;
    std::optional<auth::DigestPolicy> auth{};  // none: nobody is asked for a password
};

class Edges {
  public:
    static constexpr unsigned kMaxTestWorkers = 4;
    static constexpr std::uint32_t kEpoch_s = 1'700'000'000;

    explicit Edges(const EdgeSettings& settings = {});
    ~Edges();
    Edges(const Edges&) = delete;
    Edges& operator=(const Edges&) = delete;

    // --- packets ---
    // This worker receives it in one of its next rounds.
    void put(unsigned worker, const net::Flow& flow, std::string_view text);
    // Serves commands and timers, then works on a burst of what was put. True: there was work.
    bool round(unsigned worker);
    // Rounds of all workers until none has work left.
    void settle();
    // What the worker has sent since the last time.
    std::vector<Sent> sent(unsigned worker = 0);
    // One datagram in, one round, what came of it.
    std::vector<Sent> ask(unsigned worker, const net::Flow& flow, std::string_view text);
    // Packets that the worker's edge has not handed back.
    [[nodiscard]] std::size_t held(unsigned worker) const { return workers_[worker]->sink.held(); }

    // --- what it is made of ---
    [[nodiscard]] unsigned workers() const { return settings_.workers; }
    TestSink& sink(unsigned worker) { return workers_[worker]->sink; }
    Edge<TestSink>& edge(unsigned worker) { return *workers_[worker]->edge; }
    CoreCounters& counters(unsigned worker) { return workers_[worker]->counters; }
    [[nodiscard]] std::uint64_t drops(unsigned worker, DropReason reason) const {
        return workers_[worker]->counters.drops[static_cast<std::size_t>(reason)].get();
    }
    [[nodiscard]] std::uint64_t responses(unsigned worker, unsigned code) const {
        return workers_[worker]->counters.responses[code].get();
    }
    table::BindingTable& table() { return *table_; }
    table::QualifyTable& qualify() { return qualify_; }
    route::PeerHealth& peer_health() { return peer_health_; }
    Surroundings& around() { return around_; }
    [[nodiscard]] const tokens::Keys& keys() const { return around_.keys; }
    // A command of the control thread's or the service thread's.
    void command(unsigned worker, Command command);
    // The control thread holds nothing of the table any more. One that reads the table says so
    // before the workers' threads start, and again and again; in the end it is offline. It counts
    // as the last worker, which there must not be.
    void quiescent_control() { qsbr_.quiescent(kMaxTestWorkers - 1); }
    void offline_control() { qsbr_.offline(kMaxTestWorkers - 1); }

    // --- what the operator changes; from the next round on ---
    void set_live(LiveSettings live);
    [[nodiscard]] const LiveSettings& live() const { return *around_.settings; }
    void screen_by(const screen::RuleSet* rules) { rules_.store(rules); }
    void subscribe(const auth::Subscribers* subscribers) { subscribers_.store(subscribers); }
    void redirect(bool on);

    // --- time ---
    [[nodiscard]] Moment now() const;
    void pass_ms(std::uint64_t milliseconds) { now_us_ += milliseconds * 1000; }
    void pass_s(std::uint64_t seconds) { pass_ms(seconds * 1000); }

    // --- the table ---
    [[nodiscard]] const table::Record* record(const std::string& user) const;
    [[nodiscard]] std::size_t contacts(const std::string& user) const;
    [[nodiscard]] table::ContactView contact(const std::string& user, std::size_t i = 0) const;
    // A user whose AOR is this worker's.
    [[nodiscard]] std::string user_of(unsigned owner, unsigned skip = 0) const;

  private:
    struct Worker {
        Worker(CommandRings& rings, unsigned index) : sink(rings, index) {}
        TestSink sink;
        CoreCounters counters;
        std::unique_ptr<Edge<TestSink>> edge;
        std::deque<std::pair<net::Flow, std::string>> coming;
    };

    [[nodiscard]] unsigned serve_commands(unsigned worker, const Round& round);

    const EdgeSettings settings_;
    std::atomic<std::uint64_t> now_us_{1'000'000};  // the control thread's; workers read it
    table::HeapMemory memory_;
    table::test::TestQsbr<kMaxTestWorkers> qsbr_;
    std::unique_ptr<table::BindingTable> table_;
    table::QualifyTable qualify_;
    route::PeerHealth peer_health_{1};
    route::PinTable pins_{1024};
    screen::RuleSetPointer rules_{nullptr};
    std::optional<auth::NonceWindows> windows_;
    auth::SubscribersPointer subscribers_{nullptr};
    std::optional<Authentication> authentication_;
    std::optional<Shared> shared_;
    Surroundings around_{.keys = test_keys()};
    CommandRings rings_;  // of the workers, and one asker more
    std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace pinhole::edge::test
