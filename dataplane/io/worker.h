// SPDX-License-Identifier: BSD-3-Clause
// A worker: one poll-mode core with one RX and one TX queue of every port, the owner of one shard.
// Its loop is a list of steps over bursts; nothing in it waits, allocates from the general heap,
// logs or calls the system, except the sleep of an idle worker that was told to sleep.
#pragma once

#include "dataplane/counters.h"
#include "dataplane/edge/surroundings.h"
#include "dataplane/io/clock.h"
#include "dataplane/io/mesh.h"
#include "dataplane/io/port.h"
#include "dataplane/io/post.h"
#include "dataplane/io/qsbr.h"
#include "dataplane/io/reassembly.h"
#include "dataplane/io/sorter.h"
#include "dataplane/io/transmit.h"
#include "dataplane/io/worker_sink.h"

#include <array>
#include <atomic>
#include <memory>

namespace pinhole::io {

enum class IdleMode : std::uint8_t {
    kSpin,   // polls on: the core is its own
    kSleep,  // naps of some 100 us when nothing comes: the core is shared
};

struct WorkerParts {
    Ports& ports;
    Mesh& mesh;
    Qsbr& qsbr;
    const Clock& clock;
    const edge::Shared& shared;
    const edge::SurroundingsPointer& surroundings;
    const net::PathMtus& path_mtus;
    IdleMode idle = IdleMode::kSleep;
};

class Worker {
  public:
    static constexpr unsigned kBurst = edge::kMaxBurst;
    // A power of two: housekeeping comes every so many rounds.
    static constexpr std::uint32_t kHousekeepingRounds = 256;

    static Result<std::unique_ptr<Worker>> create(const WorkerParts& parts, unsigned index,
                                                  CoreCounters& counters, int socket);

    // Until stop(). In the thread of the worker's lcore.
    void run();
    // Any thread.
    void stop() { stopping_.store(true, std::memory_order_relaxed); }
    // Goes up as long as the loop turns: how /healthz knows. Any thread.
    [[nodiscard]] std::uint64_t rounds() const { return rounds_.load(std::memory_order_relaxed); }

    // Before run(): phones that an earlier run knew behind this address.
    void remember(const admit::SourceName& address, float phones) {
        edge_.remember(address, phones, parts_.clock.now());
    }
    // For the service thread.
    [[nodiscard]] admit::AllowanceCopy& allowances() { return edge_.allowances(); }
    // A step of a copy that has been asked for: by this worker, or by whoever has seen it end.
    void copy_allowances() { edge_.copy_allowances(parts_.clock.now()); }

    // One round without waiting, for tests and benchmarks that are their own loop; true if there
    // was work.
    bool round();
    // Frames as if the device had received them, at most kBurst.
    void receive(std::span<rte_mbuf*> frames, DeviceIndex device, bool trusted);

  private:
    Worker(const WorkerParts& parts, unsigned index, CoreCounters& counters,
           std::unique_ptr<Reassembler> reassembler);

    unsigned poll_devices();
    unsigned serve_commands();
    [[gnu::noinline]] unsigned serve_commands(ValueRing<edge::Command>& ring);
    unsigned empty_inbox();
    void housekeeping();
    [[nodiscard]] edge::Round this_round() const { return {*around_, now_}; }
    void rest();

    const WorkerParts parts_;
    const unsigned index_;
    CoreCounters& counters_;
    std::unique_ptr<Reassembler> reassembler_;
    Transmit transmit_;
    Post post_;
    Sorter sorter_;
    WorkerSink sink_;
    edge::Edge<WorkerSink> edge_;

    // Of the round in hand.
    const edge::Surroundings* around_ = nullptr;
    Moment now_;

    std::uint32_t idle_rounds_ = 0;

    // Written by this worker, read by the service thread; the flag the other way round.
    alignas(64) std::atomic<std::uint64_t> rounds_{0};
    alignas(64) std::atomic<bool> stopping_{false};
};

}  // namespace pinhole::io
