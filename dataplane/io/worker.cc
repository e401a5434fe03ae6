// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/worker.h"

#include <sys/prctl.h>

#include <rte_ethdev.h>
#include <rte_pause.h>

#include <algorithm>
#include <ctime>

namespace pinhole::io {
namespace {

// Rounds without work before an idle worker naps, and how long: short beside a phone's
// retransmission (500 ms), long beside what waking up costs (some 5 us).
constexpr std::uint32_t kRoundsBeforeNap = 64;
constexpr long kNap_ns = 100'000;

static_assert((Worker::kHousekeepingRounds & (Worker::kHousekeepingRounds - 1)) == 0);

// Its checksum is taken while the ones behind it come: all lines of a SIP packet are wanted at
// once, and the processor's own look-ahead begins anew with each packet. The line in front of it is
// where the headers of an answer will stand, whose payload begins where the frame did.
constexpr std::size_t kFramesAhead = 4;
void fetch_bytes(const rte_mbuf& frame) {
    constexpr std::uint32_t kMost = 1536;
    const char* const begin = rte_pktmbuf_mtod(&frame, const char*);
    const char* const end = begin + std::min<std::uint32_t>(frame.data_len, kMost);
    for (const char* at = begin - RTE_CACHE_LINE_SIZE; at < end; at += RTE_CACHE_LINE_SIZE) {
        rte_prefetch0(at);
    }
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::create(const WorkerParts& parts, unsigned index,
                                               CoreCounters& counters, int socket) {
    auto reassembler = Reassembler::create(parts.ports.big_pool(), socket);
    if (!reassembler) {
        return reassembler.error();
    }
    if (const Status joined = parts.qsbr.join(index); !joined) {
        return joined.error();
    }
    return std::unique_ptr<Worker>(new Worker(parts, index, counters, reassembler.take()));
}

Worker::Worker(const WorkerParts& parts, unsigned index, CoreCounters& counters,
               std::unique_ptr<Reassembler> reassembler)
    : parts_(parts),
      index_(index),
      counters_(counters),
      reassembler_(std::move(reassembler)),
      transmit_(parts.ports, parts.mesh, parts.path_mtus, index, counters),
      post_(parts.mesh, index),
      sorter_(parts.ports, parts.mesh, *reassembler_, counters),
      sink_(parts.mesh, index, transmit_, post_),
      edge_(parts.shared, *parts.surroundings.load(std::memory_order_acquire)->settings, index,
            sink_, counters) {}

void Worker::run() {
    // A nap is to last as long as asked, not 50 us more.
    prctl(PR_SET_TIMERSLACK, 1UL);
    parts_.qsbr.online(index_);
    std::uint64_t before = rte_rdtsc();
    while (!stopping_.load(std::memory_order_relaxed)) {
        const bool worked = round();
        if (!worked) {
            rest();
        }
        const std::uint64_t after = rte_rdtsc();
        (worked ? counters_.cycles_busy : counters_.cycles_idle).add(after - before);
        before = after;
    }
    parts_.qsbr.offline(index_);
}

bool Worker::round() {
    // Pairs with the service thread's release store.
    around_ = parts_.surroundings.load(std::memory_order_acquire);
    now_ = parts_.clock.now();
    sink_.begin(*around_);
    while (const auto timer = sink_.timers().take_due(now_.ms)) {
        edge_.expire(*timer, now_);
    }
    unsigned work = serve_commands();
    work += empty_inbox();
    work += poll_devices();
    post_.flush();
    transmit_.flush();
    around_ = nullptr;
    parts_.qsbr.quiescent(index_);
    const std::uint64_t round = rounds_.load(std::memory_order_relaxed) + 1;
    rounds_.store(round, std::memory_order_relaxed);
    if ((round & (kHousekeepingRounds - 1)) == 0) {
        housekeeping();
    }
    idle_rounds_ = work == 0 ? idle_rounds_ + 1 : 0;
    return work != 0;
}

unsigned Worker::poll_devices() {
    unsigned work = 0;
    bool backlog = false;
    std::array<rte_mbuf*, kBurst> frames;
    for (DeviceIndex d = 0; d < parts_.ports.device_count(); ++d) {
        const Device& device = parts_.ports.device(d);
        const auto queue = device.queue_for(index_);
        if (!queue.has_value()) {
            continue;
        }
        const std::uint16_t n =
            rte_eth_rx_burst(device.info().ethdev, *queue, frames.data(), frames.size());
        if (n != 0) {
            receive({frames.data(), n}, d, false);
            work += n;
            backlog |= n == frames.size();
        }
    }
    edge_.note_queues(backlog, now_);
    return work;
}

void Worker::receive(std::span<rte_mbuf*> frames, DeviceIndex device, bool trusted) {
    for (rte_mbuf* frame : frames) {
        rte_prefetch0(frame);
    }
    for (std::size_t i = 0; i < std::min(kFramesAhead, frames.size()); ++i) {
        fetch_bytes(*frames[i]);
    }
    for (std::size_t i = 0; i < frames.size(); ++i) {
        if (i + kFramesAhead < frames.size()) {
            fetch_bytes(*frames[i + kFramesAhead]);
        }
        net::Datagram datagram;
        rte_mbuf* mbuf = sorter_.sort(frames[i], device, trusted, *around_, datagram);
        if (mbuf != nullptr) {
            edge_.take(WorkerSink::handle_of(mbuf), datagram.text(),
                       datagram.flow(sorter_.port_of(device)));
        }
    }
    edge_.run(this_round());
}

// Of every other worker, the control thread and the service thread.
unsigned Worker::serve_commands() {
    unsigned work = 0;
    for (unsigned from = 0; from <= parts_.mesh.service(); ++from) {
        ValueRing<edge::Command>& ring = parts_.mesh.commands(from, index_);
        // Most rounds find none, and room for a burst of commands is kilobytes to clear.
        if (!ring.empty()) {
            work += serve_commands(ring);
        }
    }
    return work;
}

unsigned Worker::serve_commands(ValueRing<edge::Command>& ring) {
    std::array<edge::Command, kBurst> commands;
    const unsigned n = ring.take(commands.data(), kBurst);
    for (unsigned i = 0; i < n; ++i) {
        edge_.serve(commands[i], this_round());
    }
    return n;
}

unsigned Worker::empty_inbox() {
    std::array<rte_mbuf*, kBurst> parcels;
    const unsigned n = parts_.mesh.inbox(index_).take(parcels.data(), kBurst);
    // Another core has written them just now.
    for (unsigned i = 0; i < n; ++i) {
        rte_mbuf_prefetch_part1(parcels[i]);
        rte_mbuf_prefetch_part2(parcels[i]);
    }
    for (unsigned i = 0; i < n; ++i) {
        rte_mbuf* mbuf = parcels[i];
        switch (static_cast<ParcelKind>(mbuf->hash.usr)) {
            case ParcelKind::kPing:
            case ParcelKind::kPeerCheck: {
                const net::Flow flow = *parcel_flow(mbuf);
                const bool ping = static_cast<ParcelKind>(mbuf->hash.usr) == ParcelKind::kPing;
                (ping ? counters_.pings_sent : counters_.peer_checks_sent).add();
                transmit_.parcel(flow, mbuf, *around_);
                break;
            }
            case ParcelKind::kPingFrame:
                counters_.pings_sent.add();
                transmit_.frame(mbuf->port, mbuf);
                break;
            case ParcelKind::kFrame:
                transmit_.frame(mbuf->port, mbuf);
                break;
            case ParcelKind::kKernelFrame:
                counters_.from_kernel.add();
                transmit_.frame(mbuf->port, mbuf);
                break;
            case ParcelKind::kReceived:
                receive({&mbuf, 1}, mbuf->port, true);
                break;
        }
    }
    return n;
}

void Worker::housekeeping() {
    parts_.shared.table.reclaim_owner(index_);
    reassembler_->expire(rte_rdtsc());
    copy_allowances();
}

void Worker::rest() {
    if (parts_.idle == IdleMode::kSpin || idle_rounds_ < kRoundsBeforeNap) {
        rte_pause();
        return;
    }
    // Offline meanwhile, so that nobody waits for this worker's next quiescent state.
    parts_.qsbr.offline(index_);
    const timespec nap{0, kNap_ns};
    nanosleep(&nap, nullptr);
    parts_.qsbr.online(index_);
    housekeeping();
}

}  // namespace pinhole::io
