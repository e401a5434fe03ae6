// SPDX-License-Identifier: BSD-3-Clause
// How many packet buffers of which size each kind of device needs, and what memory that is.
// Start-up only.
#pragma once

#include "dataplane/io/result.h"
#include "dataplane/io/settings.h"

#include <cstddef>
#include <string>

struct rte_mempool;

namespace pinhole::io {

struct PoolPlan {
    unsigned elements = 0;
    unsigned data_room = 0;  // headroom included
};

// af_packet: the kernel hands up datagrams that it has put together from fragments, so a buffer
// holds a whole frame of its ring.
inline constexpr unsigned kAfPacketFrame = 16384;

[[nodiscard]] PoolPlan rx_pool_plan(DeviceKind kind, unsigned workers);
[[nodiscard]] PoolPlan big_pool_plan(unsigned workers);
// Taken only while a capture runs; the memory is kept for it.
[[nodiscard]] PoolPlan capture_pool_plan();

// What the pool takes at most. Without hugepages DPDK starts each element on a page of its own if
// two don't fit in one.
[[nodiscard]] std::size_t pool_bytes(const PoolPlan& plan);
// All pools, rings, fragment tables and DPDK's own, for `-m`.
[[nodiscard]] std::size_t eal_bytes(const Settings& settings);

Result<rte_mempool*> create_pool(const std::string& name, const PoolPlan& plan, int socket);

}  // namespace pinhole::io
