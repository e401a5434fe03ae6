// SPDX-License-Identifier: BSD-3-Clause
// What the HTTP server and pinholectl see: api::System over the real workers. Calls come from
// several server threads; one at a time reads the table, registered with the QSBR as a reader, and
// none meets a worker at a lock.
#pragma once

#include "control/api/rates.h"
#include "control/api/system.h"
#include "control/config/config.h"
#include "control/daemon/capture_service.h"
#include "control/daemon/control_thread.h"
#include "control/daemon/journal_service.h"
#include "control/daemon/key_service.h"
#include "control/daemon/reconfiguration.h"
#include "control/daemon/screening.h"
#include "control/daemon/subscription.h"
#include "dataplane/counters.h"
#include "dataplane/edge/surroundings.h"
#include "dataplane/io/clock.h"
#include "dataplane/io/mesh.h"
#include "dataplane/io/port.h"
#include "dataplane/io/qsbr.h"
#include "dataplane/io/worker.h"
#include "dataplane/net/path_mtus.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace pinhole::daemon {

struct SystemParts {
    const config::Config& config;
    table::BindingTable& table;
    const table::QualifyTable& states;
    const qualify::Gateways& gateways;
    const qualify::Ledger& ledger;
    io::Ports& ports;
    io::Mesh& mesh;
    io::Qsbr& qsbr;
    unsigned qsbr_thread;
    const io::Clock& clock;
    const edge::SurroundingsPointer& surroundings;
    const KeyService& keys;
    const ControlThread& control;
    const route::PeerHealth& peer_health;
    Screening& screening;
    Reconfiguration& reconfiguration;
    Subscription* subscription;     // null: nobody is asked for a password
    const JournalService* journal;  // null: nothing is kept
    const std::vector<std::unique_ptr<io::Worker>>& workers;
    const std::vector<CoreCounters>& counters;
    const net::PathMtus& path_mtus;
    const IcmpCounters& icmp;
    std::uint64_t memory_bytes;
    std::string memory_kind;
};

class RunningSystem final : public api::System {
  public:
    explicit RunningSystem(const SystemParts& parts);

    [[nodiscard]] api::Status status() override;
    [[nodiscard]] std::vector<api::CoreStatus> cores() override;
    [[nodiscard]] api::Rates rates() override { return rates_.read(); }
    [[nodiscard]] std::optional<api::AorBindings> show(std::string_view aor) override;
    [[nodiscard]] std::optional<api::ListPage> list(std::string_view prefix, std::size_t limit,
                                                    std::string_view after) override;
    [[nodiscard]] std::optional<api::Story> why(std::string_view aor) override;
    [[nodiscard]] api::Nat nat(std::size_t limit) override;
    [[nodiscard]] api::RemoveResult remove(std::string_view aor, std::string_view contact) override;
    [[nodiscard]] api::ReloadResult reload() override;
    [[nodiscard]] bool drain(bool on, std::optional<std::uint32_t> stop_after_s) override;
    [[nodiscard]] api::CaptureStart capture_start(std::string_view filter) override;
    [[nodiscard]] std::optional<api::CaptureChunk> capture_take(std::uint64_t id) override;
    [[nodiscard]] bool capture_stop(std::uint64_t id) override;
    // Ends a capture that nobody takes from any more, and counts for the rates. The service thread,
    // whenever it turns.
    void tidy(std::uint64_t now_ms);
    [[nodiscard]] api::Health healthy() override;
    [[nodiscard]] api::Health ready() override;
    [[nodiscard]] std::string metrics_text() override;

  private:
    // Online in the QSBR, alone: what is read from the table is good until it ends.
    class Reading;

    [[nodiscard]] metrics::CoreFigures figures_of(unsigned core) const;
    [[nodiscard]] metrics::QualifyFigures qualify_figures() const;
    [[nodiscard]] std::vector<metrics::PeerFigures> peer_figures() const;
    [[nodiscard]] metrics::IcmpFigures icmp_figures() const;
    [[nodiscard]] api::AorBindings bindings_of(const table::Record& record) const;
    [[nodiscard]] api::Binding binding_of(const table::ContactView& contact) const;
    [[nodiscard]] api::ContactStory story_of(const qualify::LedgerPage& page) const;
    void add_gone(std::uint64_t aor_hash, api::Story& out) const;
    [[nodiscard]] api::PortStatus port_status(std::size_t port,
                                              const edge::Surroundings& around) const;
    [[nodiscard]] std::uint32_t remove_contact(table::ContactId id, unsigned owner);
    [[nodiscard]] double uptime_s() const;

    const SystemParts parts_;
    const std::chrono::steady_clock::time_point started_;
    std::mutex mutex_;     // among server threads alone
    std::mutex removing_;  // likewise: one producer in the owners' command rings
    // Answers that an owner may still write after nobody waits for them any more.
    std::deque<std::atomic<std::uint32_t>> answers_;

    // For healthy(): when each loop was last seen to have turned. The control thread stands behind
    // the workers.
    struct Beat {
        std::uint64_t rounds = 0;
        std::chrono::steady_clock::time_point seen;
    };
    std::mutex beats_mutex_;  // its own: a long listing must not make us look unwell
    std::vector<Beat> beats_;
    CaptureService capture_;
    api::RateHistory rates_;
};

}  // namespace pinhole::daemon
