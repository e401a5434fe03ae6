// SPDX-License-Identifier: BSD-3-Clause
// The binding table with the memory under it: regions mapped at start, on each worker's own NUMA
// node, carved into the table's arrays and into a record arena a shard. Made and ended by the main
// thread.
#pragma once

#include "dataplane/io/eal.h"
#include "dataplane/io/memory.h"
#include "dataplane/io/qsbr.h"
#include "dataplane/table/binding_table.h"

#include <memory>
#include <vector>
#ifdef PINHOLE_HAS_ARENA
#include "dataplane/table/arena.h"
#else
#include "dataplane/table/heap_memory.h"
#endif

namespace pinhole::daemon {

class TableMemory {
  public:
    // `beside_bytes` of ordinary memory will be wanted for as many contacts by others: it is better
    // to say now that it isn't there.
    static io::Result<std::unique_ptr<TableMemory>> make(
        std::uint32_t max_contacts, std::uint32_t first_generation, const table::KeyedHash& hash,
        std::size_t beside_bytes, const io::Settings& settings, const io::Eal& eal, io::Qsbr& qsbr);
    TableMemory(const TableMemory&) = delete;
    TableMemory& operator=(const TableMemory&) = delete;

    [[nodiscard]] table::BindingTable& table() { return *table_; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    // Of them, what the arenas have taken for records so far; without arenas it is not known: 0.
    [[nodiscard]] std::size_t record_bytes() const;
    [[nodiscard]] io::PageKind pages() const { return shared_->region.pages(); }

  private:
    TableMemory() = default;

    // A region, handed out from its beginning on.
    struct Piece {
        explicit Piece(io::Region taken) : region(std::move(taken)), carver(region.bytes()) {}
        io::Region region;
        io::Carver carver;
    };

    std::unique_ptr<Piece> shared_;
    std::vector<std::unique_ptr<Piece>> shards_;
#ifdef PINHOLE_HAS_ARENA
    std::vector<std::unique_ptr<table::RecordArena>> arenas_;
#else
    table::HeapMemory heap_;
#endif
    std::size_t bytes_ = 0;
    std::unique_ptr<table::BindingTable> table_;  // goes before the memory that it lies in
};

}  // namespace pinhole::daemon
