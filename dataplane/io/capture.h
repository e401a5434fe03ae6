// SPDX-License-Identifier: BSD-3-Clause
// Packets as they pass the ports, as pcapng, though the kernel never sees them. While a Capture
// lives, ethdev callbacks copy what its filter takes into buffers of its own; take() makes pcapng
// of them. Without a Capture there is no callback, and a worker pays nothing.
//
// Workers copy and put into a ring, and count what finds neither buffer nor room: they wait for
// nobody. Made, read and ended by one thread at a time, none of them a worker.
#pragma once

#include "dataplane/io/port.h"
#include "dataplane/io/qsbr.h"
#include "dataplane/io/result.h"
#include "dataplane/net/capture_filter.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct rte_eth_rxtx_callback;
struct rte_mbuf;
struct rte_mempool;
struct rte_pcapng;
struct rte_ring;

namespace pinhole::io {

class Capture {
  public:
    // What waits for take() at most, in packets and so in memory: 8 MB.
    static constexpr unsigned kWaiting = 2047;

    // One at a time in a process. `ports` and `qsbr` outlive it.
    static Result<std::unique_ptr<Capture>> start(Ports& ports, Qsbr& qsbr,
                                                  net::CaptureFilter filter);
    // Takes the callbacks away, and waits till no worker is within one.
    ~Capture();
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    // What has come since, whole blocks of pcapng; the first begins with the file's head. The error
    // is the system's: then nothing more will come.
    Result<std::string> take();
    // Packets that the filter took and the file lacks.
    [[nodiscard]] std::uint64_t missed() const { return missed_.load(std::memory_order_relaxed); }

  private:
    struct Hook {
        std::uint16_t ethdev;
        std::uint16_t queue;
        const rte_eth_rxtx_callback* rx;
        const rte_eth_rxtx_callback* tx;
    };

    Capture(Qsbr& qsbr, net::CaptureFilter filter) : qsbr_(qsbr), filter_(std::move(filter)) {}
    Status open();
    Status hook(const DeviceInfo& device);
    bool unhook();
    void see(std::uint16_t ethdev, std::uint16_t queue, std::span<rte_mbuf*> packets,
             int direction);
    static std::uint16_t on_rx(std::uint16_t ethdev, std::uint16_t queue, rte_mbuf** packets,
                               std::uint16_t count, std::uint16_t room, void* self);
    static std::uint16_t on_tx(std::uint16_t ethdev, std::uint16_t queue, rte_mbuf** packets,
                               std::uint16_t count, void* self);

    Qsbr& qsbr_;
    const net::CaptureFilter filter_;  // workers read it
    rte_mempool* pool_ = nullptr;
    rte_ring* ring_ = nullptr;      // from all workers to take()
    int file_ = -1;                 // in memory: rte_pcapng writes to a descriptor alone
    rte_pcapng* writer_ = nullptr;  // owns file_
    std::uint64_t began_ns_ = 0;    // the wall clock, when the cycles were began_cycles_
    std::uint64_t began_cycles_ = 0;
    std::vector<Hook> hooks_;
    std::atomic<std::uint64_t> missed_{0};  // workers add, take()'s thread reads
};

}  // namespace pinhole::io
