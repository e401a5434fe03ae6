// SPDX-License-Identifier: BSD-3-Clause
// What a contact takes: the table's arrays (both indexes, slots, marks), the memory that the arena
// has taken for its records, the wheel and the state of pings; without the journal. Contacts are a
// Yealink's, one an AOR. The figures are the table's and the keeper's own.
#include "bench/pipeline/measure.h"
#include "control/daemon/control_thread.h"
#include "dataplane/table/binding_table.h"

namespace pinhole::io {
namespace {

void memory(benchmark::State& state) {
    const auto contacts = static_cast<std::uint32_t>(state.range(0));
    Pipeline& p = the_pipeline({.contacts = contacts});
    const double max = p.edge().table().max_contacts();
    const table::MemoryPlan plan = table::memory_plan(p.edge().table().max_contacts(), 1);
    const table::ShardCounts counts = p.edge().table().counts();
    for (auto _ : state) {
        state.SetIterationTime(1e-9);
    }
    const double arrays = static_cast<double>(plan.shared_arrays + plan.shard_arrays) / max;
    const double records =
        static_cast<double>(p.memory().record_bytes()) / static_cast<double>(counts.contacts);
    const auto control = static_cast<double>(daemon::ControlThread::bytes_per_contact());
    state.counters["contacts"] = static_cast<double>(counts.contacts);
    state.counters["index_bytes"] = arrays;
    state.counters["record_bytes"] = records;
    state.counters["control_bytes"] = control;
    state.counters["bytes"] = arrays + records + control;
    // Without what the allocator adds, and what is set aside at start.
    state.counters["asked_record_bytes"] =
        static_cast<double>(counts.record_bytes) / static_cast<double>(counts.contacts);
    state.counters["reserved_bytes"] = static_cast<double>(p.memory().bytes()) / max + control;
}

}  // namespace

void add_memory(std::int64_t contacts) {
    benchmark::RegisterBenchmark("memory", memory)->Arg(contacts)->UseManualTime()->Iterations(1);
}

}  // namespace pinhole::io
