// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/table_memory.h"

#include <string>

namespace pinhole::daemon {
namespace {

// Enough for all of the table that will not stand in hugepages, and for what stands beside it.
io::Status check_room(const table::MemoryPlan& plan, std::size_t beside_bytes,
                      const io::Settings& settings, const std::string& what) {
    constexpr std::size_t kPage = std::size_t{2} << 20;
    const std::size_t bytes = plan.total(settings.workers) + (settings.workers + 1) * kPage;
    const bool huge =
        settings.hugepages == io::HugepageMode::kOn ||
        (settings.hugepages == io::HugepageMode::kAuto && io::free_hugepage_bytes() >= bytes);
    return io::check_available(huge ? beside_bytes : bytes + beside_bytes, what);
}

}  // namespace

io::Result<std::unique_ptr<TableMemory>> TableMemory::make(
    std::uint32_t max_contacts, std::uint32_t first_generation, const table::KeyedHash& hash,
    std::size_t beside_bytes, const io::Settings& settings, const io::Eal& eal, io::Qsbr& qsbr) {
    const table::MemoryPlan plan = table::memory_plan(max_contacts, settings.workers);
    const std::string what = "the table of " + std::to_string(max_contacts) + " contacts";
    std::unique_ptr<TableMemory> memory(new TableMemory);
    memory->bytes_ = plan.total(settings.workers);
    if (io::Status enough = check_room(plan, beside_bytes, settings, what); !enough) {
        return enough.error();
    }
    auto shared = io::Region::reserve(plan.shared_arrays, settings.hugepages, -1, what);
    if (!shared) {
        return shared.error();
    }
    memory->shared_ = std::make_unique<Piece>(shared.take());

    std::vector<table::ShardMemory> shards;
    for (unsigned w = 0; w < settings.workers; ++w) {
        auto region = io::Region::reserve(plan.shard_arrays + plan.shard_records,
                                          settings.hugepages, eal.worker_socket(w), what);
        if (!region) {
            return region.error();
        }
        Piece& piece = *memory->shards_.emplace_back(std::make_unique<Piece>(region.take()));
        table::ShardMemory shard;
        shard.arrays = {io::Carver::take_fn, &piece.carver};
#ifdef PINHOLE_HAS_ARENA
        // The arrays have the region's beginning, the records the rest.
        const auto bytes = piece.region.bytes();
        auto arena = table::RecordArena::make(bytes.data() + plan.shard_arrays,
                                              bytes.size() - plan.shard_arrays);
        if (arena == nullptr) {
            return io::Error{io::ErrorCode::kNoMemory, "cannot make a record arena for " + what};
        }
        shard.records = memory->arenas_.emplace_back(std::move(arena))->allocator();
#else
        shard.records = memory->heap_.records();
#endif
        shards.push_back(shard);
    }
    memory->table_ =
        table::BindingTable::make({.max_contacts = max_contacts,
                                   .hash = hash,
                                   .reclaimer = {io::Qsbr::start_fn, io::Qsbr::passed_fn, &qsbr},
                                   .arrays = {io::Carver::take_fn, &memory->shared_->carver},
                                   .shards = shards,
                                   .first_generation = first_generation});
    if (memory->table_ == nullptr) {
        return io::Error{io::ErrorCode::kNoMemory, "cannot lay out " + what};
    }
    return memory;
}

std::size_t TableMemory::record_bytes() const {
    std::size_t bytes = 0;
#ifdef PINHOLE_HAS_ARENA
    for (const auto& arena : arenas_) {
        bytes += arena->carved_bytes();
    }
#endif
    return bytes;
}

}  // namespace pinhole::daemon
