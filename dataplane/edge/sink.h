// SPDX-License-Identifier: BSD-3-Clause
// The way out of an edge: whatever it does to the world goes through a Sink. In production that is
// the worker's transmit queues and rings (io/worker_sink.h), in tests vectors. The edge hands each
// packet back exactly once, by datagram() or release().
#pragma once

#include "dataplane/edge/command.h"
#include "dataplane/edge/packet.h"

#include <concepts>
#include <cstdint>
#include <string_view>

namespace pinhole::edge {

// What a timer is for.
enum class TimerKind : std::uint8_t {
    kOwners,  // to see which owners have not answered yet
};
struct Timer {
    TimerKind kind = TimerKind::kOwners;
    std::uint64_t due_ms = 0;  // of Moment::ms
};

template <class S>
concept Sink = requires(S& sink, const net::Flow& flow, std::string_view text, Handle packet,
                        unsigned worker, const Command& command, const PongNotice& pong,
                        const PeerPongNotice& peer_pong, const Timer& timer) {
    // Sends `text` by `flow`. `packet` goes back: its buffer may be used for what is sent, and may
    // be none. `text` doesn't lie in it.
    sink.datagram(flow, text, packet);
    // `packet` goes back without an answer.
    sink.release(packet);
    // `packet` outlives its burst: it goes back later, and its text stays where it is until then.
    sink.keep(packet);
    // To another worker; never lost.
    sink.command(worker, command);
    // To the control thread; false where there is no room for it.
    { sink.pong(pong) } -> std::same_as<bool>;
    { sink.peer_pong(peer_pong) } -> std::same_as<bool>;
    // Asks for Edge::expire(timer), in the first round at `timer.due_ms` or after it.
    sink.set_timer(timer);
};

}  // namespace pinhole::edge
