// SPDX-License-Identifier: BSD-3-Clause
// The dataplane without the daemon, for tests and benchmarks: real workers over virtual devices,
// with a forwarding table written by hand. A net_ring gives back what is sent into it, so that a
// frame put into a worker's queue is received in its next round and the answer then lies in the
// same queue. One thread a worker.
#pragma once

#include "dataplane/io/eal.h"
#include "dataplane/io/worker.h"
#include "dataplane/route/pin_table.h"
#include "dataplane/table/binding_table.h"
#include "dataplane/table/heap_memory.h"
#include "dataplane/table/qualify_state.h"
#include "dataplane/tokens/keys.h"

#include <rte_ethdev.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::io {

inline net::Address address(std::string_view text) {
    return net::parse_address(text).value();
}

// Who stands where.
inline const net::Address kEdge = address("198.51.100.1");
inline const net::Address kEdge6 = address("2001:db8::1");
inline const net::Address kCore = address("203.0.113.10");
inline const net::Address kNat = address("67.194.23.55");
inline constexpr std::uint16_t kSip = 5060;
inline constexpr Mac kGatewayMac{2, 0, 0, 0, 0, 0xfe};

// From the far end's side: what `ours` is in a Flow is the sender of the frame.
net::Flow to_edge(const net::Address& from, std::uint16_t port);
// The same as the edge sees it.
net::Flow at_edge(const net::Address& from, std::uint16_t port, net::PortIndex index = 0);

// One key, always the same.
tokens::Keys test_keys();

struct EdgeSettings {
    Settings io;
    std::uint32_t max_contacts = 1000;
    net::PortIndex out = 0;  // the port that all routes lead to
    admit::LimitPolicy limits{.enabled = false};
    bool refuse_when_overloaded = false;
    IdleMode idle = IdleMode::kSpin;
    table::ArrayMemory windows{};            // of the nonces; none: the heap
    table::ArrayMemory states{};             // likewise of the contacts' states
    std::optional<auth::DigestPolicy> auth;  // none: nobody is asked for a password
};

// A frame that the edge has sent, taken apart; `mbuf` is freed already.
struct Seen {
    net::PacketKind kind = net::PacketKind::kNotIp;
    net::Datagram datagram;  // its payload is gone: see text
    Mac src_mac{};
    Mac dst_mac{};
    bool sums_right = false;
    std::string text;

    [[nodiscard]] bool has(std::string_view what) const {
        return text.find(what) != std::string::npos;
    }
};
Seen take_apart(rte_mbuf* mbuf);

class Edge {
  public:
    // Keeps the table and what it stands on.
    using TableMaker = std::function<std::shared_ptr<table::BindingTable>(Qsbr&)>;

    // Ends the process with a sentence if something is missing. EAL runs.
    explicit Edge(EdgeSettings settings);  // the table on the heap
    Edge(EdgeSettings settings, const TableMaker& make_table);
    ~Edge();
    Edge(const Edge&) = delete;
    Edge& operator=(const Edge&) = delete;

    Worker& worker(unsigned i) { return *workers_[i]; }
    CoreCounters& counters(unsigned i) { return counters_[i]; }
    [[nodiscard]] std::uint64_t drops(unsigned i, DropReason reason) const {
        return counters_[i].drops[static_cast<std::size_t>(reason)].get();
    }
    [[nodiscard]] std::uint64_t responses(unsigned i, unsigned code) const {
        return counters_[i].responses[code].get();
    }
    table::BindingTable& table() { return *table_; }
    table::QualifyTable& qualify() { return *qualify_; }
    Mesh& mesh() { return *mesh_; }
    Ports& ports() { return *ports_; }
    Qsbr& qsbr() { return *qsbr_; }
    // Of a thread that is no worker, as the control thread is.
    [[nodiscard]] unsigned qsbr_thread() const { return settings_.io.workers; }
    [[nodiscard]] const Clock& clock() const { return clock_; }
    [[nodiscard]] const edge::SurroundingsPointer& surroundings() const { return pointer_; }
    net::PathMtus& path_mtus() { return *path_mtus_; }
    const tokens::Keys& keys() const { return around_.keys; }
    route::PeerHealth& peer_health() { return peer_health_; }
    edge::Surroundings& around() { return around_; }
    // Only between rounds; from the next on.
    void set_live(edge::LiveSettings live);
    // Only between rounds; null screens nothing.
    void screen_by(const screen::RuleSet* rules) { rules_.store(rules); }
    // Likewise; before the first round where there is a policy.
    void subscribe(const auth::Subscribers* subscribers) { subscribers_.store(subscribers); }
    [[nodiscard]] Moment now() const { return clock_.now(); }
    // Only between rounds: calls get 302.
    void redirect(bool on) {
        edge::LiveSettings live = *around_.settings;
        live.redirect = on;
        set_live(std::move(live));
    }
    // What is under way is freed, and the counts stand still.
    void end_workers();
    // Only between rounds.
    void pass_s(std::uint32_t seconds) { pass_ms(seconds * std::uint64_t{1000}); }
    void pass_ms(std::uint64_t milliseconds);

    // A buffer with this UDP datagram in it, as the device would have filled it.
    rte_mbuf* frame(const net::Flow& from, std::string_view payload);
    // The same datagram in IP fragments, as a way with this MTU leaves it.
    std::vector<rte_mbuf*> fragments(const net::Flow& from, std::string_view payload,
                                     std::size_t mtu, std::uint32_t id);
    // This worker receives it in one of its next rounds.
    void put(unsigned worker, rte_mbuf* frame) { wires_[worker]->coming.push_back(frame); }
    void put(unsigned worker, const net::Flow& from, std::string_view payload) {
        put(worker, frame(from, payload));
    }
    // What the worker has sent by the first device since the last time.
    std::vector<rte_mbuf*> frames_sent(unsigned worker);
    std::vector<Seen> sent(unsigned worker);
    // One datagram in, one round, what came of it.
    std::vector<Seen> ask(unsigned worker, const net::Flow& from, std::string_view payload);

  private:
    // Of one queue of the first device.
    struct Wire {
        std::deque<rte_mbuf*> coming;
        std::vector<rte_mbuf*> sent;
        const rte_eth_rxtx_callback* callback = nullptr;
    };
    static std::uint16_t exchange(std::uint16_t ethdev, std::uint16_t queue, rte_mbuf* frames[],
                                  std::uint16_t n, std::uint16_t room, void* wire);

    void lay_surroundings();
    void lay_wires();

    const EdgeSettings settings_;
    std::unique_ptr<Ports> ports_;
    std::unique_ptr<Qsbr> qsbr_;
    std::unique_ptr<Mesh> mesh_;
    std::uint64_t start_ = rte_rdtsc();
    Clock clock_;
    std::shared_ptr<table::BindingTable> table_;
    std::unique_ptr<table::QualifyTable> qualify_;
    route::PeerHealth peer_health_{1};
    std::unique_ptr<net::PathMtus> path_mtus_;
    std::unique_ptr<route::PinTable> pins_;
    std::unique_ptr<edge::Shared> shared_;
    screen::RuleSetPointer rules_{nullptr};
    table::HeapMemory heap_;
    std::optional<auth::NonceWindows> windows_;
    auth::SubscribersPointer subscribers_{nullptr};
    std::optional<edge::Authentication> authentication_;
    edge::Surroundings around_{.keys = test_keys()};
    edge::SurroundingsPointer pointer_{nullptr};
    std::vector<CoreCounters> counters_;
    std::vector<std::unique_ptr<Wire>> wires_;
    std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace pinhole::io
