// SPDX-License-Identifier: BSD-3-Clause
// What is known of each contact's life, with the memory under it. Refreshes access it at random, so
// it stands in large pages as the table does. What the next run is to find again may stand
// elsewhere.
#pragma once

#include "dataplane/io/memory.h"
#include "dataplane/io/settings.h"
#include "dataplane/table/qualify_state.h"

#include <memory>
#include <utility>

namespace pinhole::daemon {

class StateMemory {
  public:
    // `kept`: as QualifyTable's, or null.
    static io::Result<std::unique_ptr<StateMemory>> make(std::uint32_t max_contacts, void* kept,
                                                         const io::Settings& settings) {
        const std::size_t each =
            table::QualifyTable::bytes_per_contact() -
            (kept != nullptr ? table::QualifyTable::kept_bytes_per_contact() : 0);
        auto region = io::Region::reserve(std::size_t{max_contacts} * each + kAlignment,
                                          settings.hugepages, -1, "the states of all contacts");
        if (!region) {
            return region.error();
        }
        return std::unique_ptr<StateMemory>(new StateMemory(region.take(), max_contacts, kept));
    }
    [[nodiscard]] table::QualifyTable& table() { return table_; }

  private:
    static constexpr std::size_t kAlignment = 128;  // of its two arrays

    StateMemory(io::Region region, std::uint32_t max_contacts, void* kept)
        : region_(std::move(region)),
          carver_(region_.bytes()),
          table_(max_contacts, {io::Carver::take_fn, &carver_}, kept) {}

    io::Region region_;
    io::Carver carver_;
    table::QualifyTable table_;
};

}  // namespace pinhole::daemon
