// SPDX-License-Identifier: BSD-3-Clause
// How much an edge takes on at a time. Every stage's memory is sized by these.
#pragma once

#include <cstddef>

namespace pinhole::edge {

// Packets of one burst: every stage handles all of them before the next stage begins.
inline constexpr unsigned kMaxBurst = 32;
// Packets that wait for an owner's answer, and the burst in hand. Fewer than a command ring's
// slots, so that neither a command nor an answer finds it full.
inline constexpr unsigned kMaxJobs = 1024;
// At most so many wait at once.
inline constexpr unsigned kMaxWaiting = kMaxJobs - kMaxBurst;
// The longest message that is built or forwarded; io reassembles what is as long with its headers.
inline constexpr std::size_t kMaxMessageBytes = 9728;
// Workers of a process; nonces of one millisecond differ by six bits of it.
inline constexpr unsigned kMaxWorkers = 64;

}  // namespace pinhole::edge
