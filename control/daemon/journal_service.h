// SPDX-License-Identifier: BSD-3-Clause
// The journal of the running daemon: restores what earlier runs have left, gives each worker its
// log, and has a thread of its own copy the logs to the disk, for a disk may take a second and the
// kernel's packets can't wait so long. That thread reads the table as any reader does and holds up
// nobody.
#pragma once

#include "control/config/config.h"
#include "control/metrics/metrics.h"
#include "control/store/store.h"
#include "dataplane/io/clock.h"
#include "dataplane/io/qsbr.h"
#include "dataplane/io/result.h"
#include "dataplane/table/binding_table.h"
#include "dataplane/table/qualify_state.h"

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

namespace pinhole::daemon {

class JournalService {
  public:
    // An error: its directories can't be had, or are another's.
    static io::Result<std::unique_ptr<JournalService>> open(const config::Config& config,
                                                            const io::Clock& clock);
    ~JournalService();  // stops
    JournalService(const JournalService&) = delete;
    JournalService& operator=(const JournalService&) = delete;

    // For the table that takes the contacts up again.
    [[nodiscard]] const std::array<std::byte, 32>& hash_seed() const {
        return store_.run().hash_seed;
    }
    // For the contacts' states, so that a restart finds them; null: it will not.
    [[nodiscard]] void* states_memory() { return store_.states_memory(); }

    // Before anything else uses the table. Takes up the earlier runs, and logs what changes from
    // here on; where that cannot be had, an alarm stands and all else goes on.
    void restore(table::BindingTable& table, table::QualifyTable& states);
    // How many contacts came back.
    [[nodiscard]] std::uint64_t restored() const { return restored_; }

    // `on_start` runs first, in the new thread, which is number `qsbr_thread` there.
    void start(table::BindingTable& table, const table::QualifyTable& states, io::Qsbr& qsbr,
               unsigned qsbr_thread, std::function<void()> on_start);
    // After the last worker: all that was logged is on the disk then.
    void stop();

    // Any thread.
    [[nodiscard]] metrics::JournalFigures figures() const;

  private:
    JournalService(const config::Config& config, const io::Clock& clock);
    void run(table::BindingTable& table, const table::QualifyTable& states, io::Qsbr& qsbr,
             unsigned qsbr_thread);
    void say(std::uint64_t now_ms);

    const std::uint32_t sync_ms_;
    const std::uint32_t workers_;
    const io::Clock& clock_;
    store::Store store_;
    bool logging_ = false;
    std::uint64_t restored_ = 0;
    double restore_s_ = 0;
    bool failing_ = false;
    std::uint64_t next_word_ms_ = 0;
    std::thread thread_;
    std::atomic<bool> stopping_{false};
};

}  // namespace pinhole::daemon
