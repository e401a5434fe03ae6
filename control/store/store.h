// SPDX-License-Identifier: BSD-3-Clause
// The journal as it lies in its two directories. In tmpfs, what outlives the process: a ring for
// each worker, which the worker writes, and what pings have taught. On the disk, what outlives the
// machine: a snapshot and the logs since then, copied from the rings. Numbers of files go up; a
// snapshot stands for all logs with lower numbers.
//
//   MEMORY/ring-RUN-WORKER  MEMORY/states-RUN
//   DIRECTORY/snapshot-N    DIRECTORY/log-N  log-N+1 ...
//
// A failing or full disk stops no worker: what can't be copied waits in its ring while there is
// room, and then is lost, and counted. After any loss a new snapshot makes the disk whole again.
// One thread, except that any may read figures().
#pragma once

#include "control/journal/replay.h"
#include "control/journal/snapshot.h"
#include "control/store/mapped_file.h"
#include "dataplane/table/change_log.h"
#include "dataplane/table/qualify_state.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pinhole::store {

struct StoreSettings {
    std::string directory;
    std::string memory;
    std::size_t ring_bytes = std::size_t{32} << 20;  // a power of two
    // A snapshot is taken when the logs have more than both this and what the last one had.
    std::uint64_t min_log_bytes = std::uint64_t{64} << 20;
};

// Written by the store's thread; each by itself.
struct StoreFigures {
    std::atomic<std::uint64_t> copied_bytes{0};
    std::atomic<std::uint64_t> log_bytes{0};  // since the last snapshot
    std::atomic<std::uint64_t> snapshot_bytes{0};
    std::atomic<std::uint64_t> snapshots{0};
    std::atomic<std::uint64_t> lost{0};       // changes that found no room
    std::atomic<std::uint64_t> failures{0};   // of the disk
    std::atomic<std::uint64_t> synced_ms{0};  // when all was last on the disk; monotonic
    std::atomic<bool> whole{true};            // what is kept would bring all back; false: an alarm
};

class Store {
  public:
    Store(StoreSettings settings, const journal::RunInfo& wanted);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // Takes the directories and looks through what earlier runs have left. An error: they can't be
    // had. What can't be read of the rest is said in warnings().
    [[nodiscard]] std::optional<std::string> open();
    [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
    // Of this run, once opened: the names as wanted, and the seed of the runs before, if any.
    [[nodiscard]] const journal::RunInfo& run() const { return run_; }
    // Before begin(): what is to be replayed.
    [[nodiscard]] const std::vector<journal::Source>& sources() const { return sources_; }
    // Null: nothing is known.
    [[nodiscard]] const table::QualifyTable* learned() const { return learned_.get(); }
    [[nodiscard]] const journal::RunInfo& learned_run() const { return learned_run_; }
    [[nodiscard]] bool has_earlier() const { return !sources_.empty(); }

    // After the replay: what only stood in rings goes to the disk, and this run's rings are made.
    // An error means that there are no rings, and no journal.
    [[nodiscard]] std::optional<std::string> begin();
    // Made by begin().
    [[nodiscard]] table::ChangeLog& log(std::size_t worker) { return *rings_[worker].log; }
    // For the contacts of run().max_contacts, zero; null: there is no room for them.
    [[nodiscard]] void* states_memory();

    // From here on by the journal's thread. Copies what stands in the rings.
    void copy(std::uint64_t now_ms);
    // To the disk with it.
    void sync(std::uint64_t now_ms);
    [[nodiscard]] bool wants_snapshot(std::uint64_t now_ms) const;
    void begin_snapshot(const table::BindingTable& table, const table::QualifyTable& states,
                        std::uint64_t now_ms);
    // A piece of it, in two parts: the table is read in the first alone. False: there is none to
    // do.
    [[nodiscard]] bool read_snapshot_piece();
    void write_snapshot_piece(std::uint64_t now_ms);
    // At the end of the last worker: all goes to the disk.
    void end(std::uint64_t now_ms);

    [[nodiscard]] const StoreFigures& figures() const { return figures_; }
    // The last failure, in a sentence; empty: none since the last time. For the log.
    [[nodiscard]] std::string take_complaint();

  private:
    struct Earlier;  // mappings that the sources point into
    struct Ring {
        MappedFile file;
        std::unique_ptr<table::ChangeLog> log;
    };

    void find_files();
    void find_rings();
    void take_newest(const journal::RunInfo& run);
    [[nodiscard]] std::optional<std::string> keep_leftovers();
    [[nodiscard]] std::optional<std::string> make_rings();
    [[nodiscard]] bool next_log();
    void copy_ring(std::size_t worker);
    void fail(const std::string& what);
    void finish_snapshot(std::uint64_t now_ms);
    void give_up_snapshot(const std::string& why, std::uint64_t now_ms);
    void remove_before(std::uint64_t number);
    [[nodiscard]] std::uint64_t lost() const;
    [[nodiscard]] std::string disk_path(const char* kind, std::uint64_t number) const;

    const StoreSettings settings_;
    journal::RunInfo run_;
    DirectoryLock disk_lock_;
    DirectoryLock memory_lock_;
    std::vector<std::string> warnings_;

    std::unique_ptr<Earlier> earlier_;
    std::vector<journal::Source> sources_;
    std::unique_ptr<table::QualifyTable> learned_;
    journal::RunInfo learned_run_;
    std::vector<std::string>
        old_memory_;  // files to be removed when what is in them is on the disk

    std::vector<Ring> rings_;
    MappedFile states_;
    std::uint64_t number_ = 0;  // the highest in use
    AppendFile log_;
    bool unsynced_ = false;
    bool log_bad_ = true;                 // nothing may be appended to it any more
    std::uint64_t lost_before_ = 0;       // losses that the last snapshot has made good
    bool needs_snapshot_ = true;          // the logs alone are not whole
    std::uint64_t try_again_ms_ = 0;      // a snapshot
    std::uint64_t try_log_again_ms_ = 0;  // after a failure

    struct Taking {
        std::uint64_t number = 0;
        journal::SnapshotWriter writer;
        AppendFile file;
        std::vector<std::byte> piece;
        bool more = true;
        std::uint64_t lost = 0;  // as it began
        Taking(std::uint64_t n, const table::BindingTable& table, const table::QualifyTable& states)
            : number(n), writer(table, states) {}
    };
    std::unique_ptr<Taking> taking_;
    std::uint64_t last_snapshot_bytes_ = 0;

    StoreFigures figures_;
    std::string complaint_;
};

}  // namespace pinhole::store
