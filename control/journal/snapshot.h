// SPDX-License-Identifier: BSD-3-Clause
// The table as records of a snapshot, a piece at a time while traffic runs. What changes meanwhile
// stands in the logs that belong to the snapshot, so each record need only be whole in itself.
// Pure; one thread, registered as a reader of the table.
#pragma once

#include "control/journal/format.h"
#include "dataplane/table/binding_table.h"
#include "dataplane/table/qualify_state.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pinhole::journal {

class SnapshotWriter {
  public:
    SnapshotWriter(const table::BindingTable& table, const table::QualifyTable& states)
        : table_(table), states_(states) {}

    // Appends the records of up to `max_buckets` buckets as one chunk. False: those were the last,
    // and the end stands behind them.
    [[nodiscard]] bool step(std::uint32_t max_buckets, std::vector<std::byte>& out);
    [[nodiscard]] std::uint64_t contacts() const { return contacts_; }

  private:
    void append(const table::Record& record, std::size_t chunk_at, std::vector<std::byte>& out);

    const table::BindingTable& table_;
    const table::QualifyTable& states_;
    table::ListCursor cursor_;
    std::uint64_t position_ = 0;
    std::uint64_t contacts_ = 0;
};

}  // namespace pinhole::journal
