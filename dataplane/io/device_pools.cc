// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/device_pools.h"

#include "dataplane/io/errors.h"
#include "dataplane/io/names.h"

#include <rte_errno.h>
#include <rte_mbuf.h>

namespace pinhole::io {
namespace {

constexpr unsigned kCache = 256;
constexpr std::size_t kSmallPage = 4096;
constexpr std::size_t kElementOverhead =
    64 + sizeof(rte_mbuf);  // mempool's own header, then the mbuf
constexpr std::size_t kOtherBytes = std::size_t{48} << 20;
constexpr std::size_t kOtherBytesPerWorker = std::size_t{4} << 20;

// The driver refuses elements above a page. One cache line less than a page: mempool pads an even
// number of lines by one, to spread elements over memory channels.
constexpr unsigned kXdpDataRoom = kSmallPage - 64 - kElementOverhead;

}  // namespace

PoolPlan rx_pool_plan(DeviceKind kind, unsigned workers) {
    switch (kind) {
        // Copied out of the kernel's ring a burst at a time: what is under way is bursts, commands
        // and pieces.
        case DeviceKind::kAfPacket:
            return {2048 * workers, RTE_PKTMBUF_HEADROOM + kAfPacketFrame};
        // The fill ring alone holds 4096 a queue, the others up to 2048 each.
        case DeviceKind::kAfXdp:
            return {12288 * workers, kXdpDataRoom};
        case DeviceKind::kPci:
        case DeviceKind::kMemif:
        case DeviceKind::kVdev:
            break;
    }
    return {8192 * workers, RTE_MBUF_DEFAULT_BUF_SIZE};
}

PoolPlan big_pool_plan(unsigned workers) {
    return {1024 * (workers + 1), RTE_PKTMBUF_HEADROOM + kMaxFrameBytes};
}

PoolPlan capture_pool_plan() {
    return {2047, kXdpDataRoom};
}

std::size_t pool_bytes(const PoolPlan& plan) {
    const std::size_t element = kElementOverhead + plan.data_room + 64;  // and mempool's padding
    return (element + kSmallPage - 1) / kSmallPage * kSmallPage * plan.elements;
}

std::size_t eal_bytes(const Settings& settings) {
    std::size_t bytes = kOtherBytes + kOtherBytesPerWorker * settings.workers;
    bytes += pool_bytes(big_pool_plan(settings.workers)) + pool_bytes(capture_pool_plan());
    for (const DeviceSettings& device : settings.devices) {
        bytes += pool_bytes(rx_pool_plan(device.kind, settings.workers));
    }
    return bytes;
}

Result<rte_mempool*> create_pool(const std::string& name, const PoolPlan& plan, int socket) {
    // Workers may float and share cores: with a plain ring one that is preempted within it would
    // hold up all the others.
    rte_mempool* pool = rte_pktmbuf_pool_create_by_ops(
        unique_name(name).c_str(), plan.elements, kCache, 0,
        static_cast<std::uint16_t>(plan.data_room), socket, "ring_mt_rts");
    if (pool == nullptr) {
        return Error{ErrorCode::kNoMemory, "no memory for " + std::to_string(plan.elements) +
                                               " packet buffers (" + error_text(rte_errno) +
                                               "): free hugepages or lower [dataplane] workers"};
    }
    return pool;
}

}  // namespace pinhole::io
