// SPDX-License-Identifier: BSD-3-Clause
// What earlier runs have left, put back into an empty table: the newest snapshot, the logs since
// then, and what stood in the workers' rings. For an AOR, the last image in its log counts, or its
// end; for a contact, the refresh with the highest version after that. Damage costs only what it
// makes unreadable and is never fatal. Pure; in two steps, each by as many threads as there are
// parts of the work, while nothing else uses the table.
#pragma once

#include "control/journal/format.h"
#include "dataplane/table/binding_table.h"
#include "dataplane/table/change_log.h"
#include "dataplane/table/qualify_state.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace pinhole::journal {

// Chunks of one run, one behind the other, and whose they are.
struct Source {
    RunInfo run;
    std::span<const std::byte> chunks;
    bool is_snapshot = false;
};

// How far the chunks of a source are whole.
struct Extent {
    std::uint64_t whole_bytes = 0;
    std::uint64_t lost_bytes = 0;  // after them, or between
    bool ended = false;            // with a snapshot's end
};
[[nodiscard]] Extent measure(std::span<const std::byte> chunks);

struct ReplayFigures {
    std::uint64_t contacts = 0;  // that are back
    std::uint64_t expired = 0;
    std::uint64_t homeless = 0;   // by a port that there is no more
    std::uint64_t conflicts = 0;  // of an AOR or id that is there: of damaged logs alone
    std::uint64_t no_room = 0;
    std::uint64_t damaged = 0;  // records, and pieces that are none
    std::uint64_t refreshes = 0;
    void add(const ReplayFigures& more);
};

class Replay {
  public:
    // `sources` oldest first, a snapshot at the beginning if there is one. `learned` is what an
    // earlier run knew of its contacts, from `learned_run`; null: nothing. `now` is this run.
    Replay(std::span<const Source> sources, const RunInfo& now, std::uint32_t now_s,
           table::BindingTable& table, table::QualifyTable& states);
    void use_learned(const table::QualifyTable& learned, const RunInfo& run) {
        learned_ = &learned;
        learned_run_ = run;
    }

    // First, for all n of `of`: the refreshes of every of-th slot.
    void gather(std::uint32_t n, std::uint32_t of);
    // Then for each shard, by one thread each; finish_restore() is for the caller.
    [[nodiscard]] ReplayFigures restore_shard(std::uint32_t shard);

  private:
    // Milliseconds and ports of an earlier run in the terms of this one.
    struct Terms {
        std::uint32_t ms_offset = 0;
        std::array<std::uint16_t, kMaxPorts> ports{};
    };
    struct Latest {
        const table::RefreshChange* refresh = nullptr;
        std::uint64_t run = 0;
        // The refresh's own, so that it need not be fetched to be judged.
        std::uint32_t generation = 0;
        std::uint32_t version = 0;
    };
    struct Image {
        const table::Record* record;
        const table::ChangeHead* change;
        std::size_t source;
    };
    class Shard;

    [[nodiscard]] static Terms terms(const RunInfo& from, const RunInfo& to);
    void note(const table::RefreshChange& refresh, std::uint64_t run);
    [[nodiscard]] const table::RefreshChange* newer(table::ContactId id, std::uint64_t run,
                                                    std::uint32_t version) const;

    const std::span<const Source> sources_;
    const RunInfo now_;
    const std::uint32_t now_s_;
    table::BindingTable& table_;
    table::QualifyTable& states_;
    std::vector<Terms> terms_;  // by source
    const table::QualifyTable* learned_ = nullptr;
    RunInfo learned_run_;
    std::vector<Latest> latest_;  // by slot
};

}  // namespace pinhole::journal
