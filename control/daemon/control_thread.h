// SPDX-License-Identifier: BSD-3-Clause
// The control thread: it owns time. It feeds the keeper with change marks and pongs, builds the
// pings that the keeper asks for and hands them to workers, and asks owners to remove what is due;
// it has the core peers checked likewise.
// It never waits for anybody, touches no NIC queue and writes nothing of the table's structure.
#pragma once

#include "control/qualify/figures.h"
#include "control/qualify/gateways.h"
#include "control/qualify/ledger.h"
#include "control/qualify/peer_checks.h"
#include "control/qualify/policy.h"
#include "dataplane/edge/surroundings.h"
#include "dataplane/io/clock.h"
#include "dataplane/io/mesh.h"
#include "dataplane/io/port.h"
#include "dataplane/io/qsbr.h"
#include "dataplane/route/peer_health.h"
#include "dataplane/table/binding_table.h"
#include "dataplane/table/qualify_state.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

namespace pinhole::daemon {

struct ControlParts {
    table::BindingTable& table;
    table::QualifyTable& states;
    qualify::Gateways& gateways;
    qualify::Ledger& ledger;
    io::Ports& ports;
    io::Mesh& mesh;
    io::Qsbr& qsbr;
    unsigned qsbr_thread;  // its number there
    const io::Clock& clock;
    const edge::SurroundingsPointer& surroundings;  // for the keys and the core peers
    route::PeerHealth& peer_health;
    qualify::PingPolicy policy;
    qualify::PeerPolicy peer_policy;
    std::size_t peers;   // so many of peer_health are in use
    std::uint64_t seed;  // of the keeper's dice
};

class ControlThread {
  public:
    explicit ControlThread(const ControlParts& parts);
    ~ControlThread();  // stops
    ControlThread(const ControlThread&) = delete;
    ControlThread& operator=(const ControlThread&) = delete;

    // `on_start` runs first, in the new thread. `take_up`: contacts of an earlier run are in the
    // table, and go on as they were.
    void start(std::function<void()> on_start, bool take_up = false);
    void stop();

    // Other times and peers, from its next round on; any thread but its own, one at a time.
    // `peers`: they are others than before.
    void use(const qualify::PingPolicy& policy, const qualify::PeerPolicy& peer_policy,
             std::optional<std::size_t> peers);

    // What it takes beside the table.
    [[nodiscard]] static std::size_t bytes_per_contact();
    // Any thread.
    [[nodiscard]] const qualify::Figures& figures() const;
    // Of a peer by its place in the configuration.
    [[nodiscard]] const qualify::PeerFigures& peer_figures(std::size_t peer) const;
    // Every contact of an earlier run is on the wheel.
    [[nodiscard]] bool ready() const { return ready_.load(std::memory_order_acquire); }
    // Goes up as long as the loop turns.
    [[nodiscard]] std::uint64_t rounds() const { return rounds_.load(std::memory_order_relaxed); }

  private:
    struct Core;  // keeper, contacts and sink, which nobody else needs to see

    void take_up();
    void run();

    struct Orders;
    void follow_orders();

    std::unique_ptr<Core> core_;
    std::atomic<Orders*> orders_{nullptr};
    std::thread thread_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> ready_{false};
    std::atomic<std::uint64_t> rounds_{0};
};

}  // namespace pinhole::daemon
