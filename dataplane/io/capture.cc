// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/capture.h"

#include "dataplane/io/device_pools.h"
#include "dataplane/io/errors.h"

#include <sys/mman.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_pcapng.h>
#include <rte_ring.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace pinhole::io {
namespace {

constexpr unsigned kBurst = 64;
// What rte_pcapng puts around a packet: it wants that much behind the last byte.
constexpr std::uint32_t kTrailer = 64;
// A worker's round takes microseconds; one that stands for that long is lost anyway.
constexpr int kPatience_ms = 2000;

// The filter reads what lies in one piece: all of it, but for datagrams that go out in segments,
// whose headers and beginning it sees.
net::Bytes first_segment(const rte_mbuf* packet) {
    return {rte_pktmbuf_mtod(packet, const std::uint8_t*), packet->data_len};
}

std::uint64_t wall_clock_ns() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

// rte_pcapng of 22.11 takes packets of before its own first look at the clock for ones of the year
// 2251. So the block's time is written anew: its high and low words stand 12 bytes in.
void set_time(rte_mbuf* block, std::uint64_t ns) {
    constexpr std::uint16_t kAt = 12;
    const std::array<std::uint32_t, 2> words{static_cast<std::uint32_t>(ns >> 32),
                                             static_cast<std::uint32_t>(ns)};
    std::memcpy(rte_pktmbuf_mtod_offset(block, char*, kAt), words.data(), sizeof words);
}

}  // namespace

Result<std::unique_ptr<Capture>> Capture::start(Ports& ports, Qsbr& qsbr,
                                                net::CaptureFilter filter) {
    std::unique_ptr<Capture> capture(new Capture(qsbr, std::move(filter)));
    if (Status opened = capture->open(); !opened) {
        return opened.error();
    }
    for (DeviceIndex d = 0; d < ports.device_count(); ++d) {
        if (Status hooked = capture->hook(ports.device(d).info()); !hooked) {
            return hooked.error();
        }
    }
    return capture;
}

Status Capture::open() {
    auto pool = create_pool("capture", capture_pool_plan(), SOCKET_ID_ANY);
    if (!pool) {
        return pool.error();
    }
    pool_ = pool.value();
    // Workers may float and share cores: one that is preempted while it puts must not hold up the
    // others.
    ring_ =
        rte_ring_create("capture", kWaiting + 1, SOCKET_ID_ANY, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
    if (ring_ == nullptr) {
        return system_error("no ring for a capture", rte_errno);
    }
    file_ = memfd_create("pinhole-capture", MFD_CLOEXEC);
    if (file_ < 0) {
        return system_error("no memory for a capture", errno);
    }
    writer_ = rte_pcapng_fdopen(file_, nullptr, nullptr, "pinhole", nullptr);
    began_ns_ = wall_clock_ns();
    began_cycles_ = rte_get_tsc_cycles();
    return writer_ != nullptr ? Status{} : system_error("no pcapng for a capture", rte_errno);
}

Status Capture::hook(const DeviceInfo& device) {
    for (std::uint16_t queue = 0; queue < device.queues; ++queue) {
        Hook hook{device.ethdev, queue, nullptr, nullptr};
        hook.rx = rte_eth_add_first_rx_callback(device.ethdev, queue, on_rx, this);
        hook.tx = rte_eth_add_tx_callback(device.ethdev, queue, on_tx, this);
        hooks_.push_back(hook);
        if (hook.rx == nullptr || hook.tx == nullptr) {
            return system_error("can't look into port " + device.name, rte_errno);
        }
    }
    return {};
}

// False if some worker may still be within a callback.
bool Capture::unhook() {
    for (const Hook& hook : hooks_) {
        if (hook.rx != nullptr) {
            rte_eth_remove_rx_callback(hook.ethdev, hook.queue, hook.rx);
        }
        if (hook.tx != nullptr) {
            rte_eth_remove_tx_callback(hook.ethdev, hook.queue, hook.tx);
        }
    }
    const std::uint64_t token = qsbr_.start();
    for (int waited = 0; !qsbr_.passed(token); ++waited) {
        if (waited == kPatience_ms) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    for (const Hook& hook : hooks_) {
        rte_free(const_cast<rte_eth_rxtx_callback*>(hook.rx));
        rte_free(const_cast<rte_eth_rxtx_callback*>(hook.tx));
    }
    return true;
}

Capture::~Capture() {
    const bool quiet = unhook();
    if (writer_ != nullptr) {
        rte_pcapng_close(writer_);  // and file_
    } else if (file_ >= 0) {
        close(file_);
    }
    if (!quiet) {
        return;  // what a stuck worker may still write to has to stay
    }
    rte_mbuf* left = nullptr;
    while (ring_ != nullptr && rte_ring_dequeue(ring_, reinterpret_cast<void**>(&left)) == 0) {
        rte_pktmbuf_free(left);
    }
    rte_ring_free(ring_);
    rte_mempool_free(pool_);
}

std::uint16_t Capture::on_rx(std::uint16_t ethdev, std::uint16_t queue, rte_mbuf** packets,
                             std::uint16_t count, std::uint16_t /*room*/, void* self) {
    static_cast<Capture*>(self)->see(ethdev, queue, {packets, count}, RTE_PCAPNG_DIRECTION_IN);
    return count;
}

std::uint16_t Capture::on_tx(std::uint16_t ethdev, std::uint16_t queue, rte_mbuf** packets,
                             std::uint16_t count, void* self) {
    static_cast<Capture*>(self)->see(ethdev, queue, {packets, count}, RTE_PCAPNG_DIRECTION_OUT);
    return count;
}

void Capture::see(std::uint16_t ethdev, std::uint16_t queue, std::span<rte_mbuf*> packets,
                  int direction) {
    const auto copy = [&](const rte_mbuf* packet, std::uint32_t length) {
        return rte_pcapng_copy(ethdev, queue, packet, pool_, length, rte_get_tsc_cycles(),
                               static_cast<rte_pcapng_direction>(direction));
    };
    const auto since = static_cast<double>(rte_get_tsc_cycles() - began_cycles_);
    const std::uint64_t now_ns =
        began_ns_ + static_cast<std::uint64_t>(since * 1e9 / static_cast<double>(rte_get_tsc_hz()));
    for (const rte_mbuf* packet : packets) {
        if (!filter_.matches(first_segment(packet))) {
            continue;
        }
        rte_mbuf* kept = copy(packet, packet->pkt_len);
        if (kept == nullptr && packet->pkt_len > kTrailer) {
            // Its end just filled a buffer, and nothing was left for pcapng's own: shorter, then.
            kept = copy(packet, packet->pkt_len - kTrailer);
        }
        if (kept != nullptr) {
            set_time(kept, now_ns);
        }
        if (kept == nullptr || rte_ring_enqueue(ring_, kept) != 0) {
            rte_pktmbuf_free(kept);
            missed_.fetch_add(1, std::memory_order_relaxed);
        }
    }
}

Result<std::string> Capture::take() {
    std::array<rte_mbuf*, kBurst> burst;
    unsigned most = kWaiting;
    while (most > 0) {
        const unsigned n = rte_ring_dequeue_burst(ring_, reinterpret_cast<void**>(burst.data()),
                                                  std::min<unsigned>(most, burst.size()), nullptr);
        if (n == 0) {
            break;
        }
        const ssize_t written =
            rte_pcapng_write_packets(writer_, burst.data(), static_cast<std::uint16_t>(n));
        rte_pktmbuf_free_bulk(burst.data(), n);
        if (written < 0) {
            return system_error("can't write a capture", rte_errno);
        }
        most -= n;
    }
    const off_t size = lseek(file_, 0, SEEK_CUR);
    std::string bytes(static_cast<std::size_t>(std::max<off_t>(size, 0)), '\0');
    const bool whole = size >= 0 &&
                       pread(file_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(size) &&
                       ftruncate(file_, 0) == 0 && lseek(file_, 0, SEEK_SET) == 0;
    if (!whole) {
        return system_error("can't read a capture", errno);
    }
    return bytes;
}

}  // namespace pinhole::io
