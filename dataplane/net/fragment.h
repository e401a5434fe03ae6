// SPDX-License-Identifier: BSD-3-Clause
// A datagram that outgrows the MTU, cut into IP fragments (RFC 791 §3.2, RFC 8200 §4.5). Each
// fragment is one linear piece of memory, because some drivers (af_xdp) send nothing else. Pure;
// any thread.
#pragma once

#include "dataplane/net/wire.h"

#include <algorithm>
#include <concepts>
#include <cstdint>

namespace pinhole::net {

// Gives the room for the next fragment, `frame_len` bytes from its Ethernet header on, or nullptr
// if there is none.
template <typename S>
concept FragmentSink = requires(S& sink, std::size_t frame_len) {
    { sink.next(frame_len) } -> std::same_as<std::uint8_t*>;
};

enum class FragmentResult : std::uint8_t {
    kDone,
    kNoRoom,        // the sink gave no memory: throw away what it has been given so far
    kBadFrame,      // not as write_headers() makes them: options, extension headers, a fragment
    kBadMtu,        // leaves no room for eight bytes of data
    kDontFragment,  // IPv4's DF is set
    kCount
};

// How a frame is to be cut; made by plan_fragments().
struct FragmentPlan {
    FragmentResult verdict = FragmentResult::kBadFrame;
    bool v4 = false;
    std::size_t ip_len = 0;     // of IP's header in the frame
    std::size_t data_len = 0;   // of what IP carries
    std::size_t piece_len = 0;  // of what each fragment but the last carries: a multiple of 8
    std::size_t head_len = 0;   // of a fragment's headers, Ethernet counted
};
[[nodiscard]] FragmentPlan plan_fragments(Bytes frame, std::size_t mtu);
// Writes headers and data of the fragment at `offset` into `out`, plan.head_len and `len` bytes.
void write_fragment(const FragmentPlan& plan, Bytes frame, std::uint32_t id, std::size_t offset,
                    std::size_t len, std::uint8_t* out);

// `frame` is a whole frame as write_headers() makes it, its checksums done in software (no device
// can finish a checksum that spans fragments). `mtu` is IP's. `id`: the lower 16 bits for IPv4.
// For what does not fit: an IPv6 datagram that does would get a needless fragment header.
template <FragmentSink Sink>
[[nodiscard]] FragmentResult fragment(Bytes frame, std::size_t mtu, std::uint32_t id, Sink& sink) {
    const FragmentPlan plan = plan_fragments(frame, mtu);
    if (plan.verdict != FragmentResult::kDone) {
        return plan.verdict;
    }
    for (std::size_t offset = 0; offset < plan.data_len; offset += plan.piece_len) {
        const std::size_t len = std::min(plan.piece_len, plan.data_len - offset);
        std::uint8_t* out = sink.next(plan.head_len + len);
        if (out == nullptr) {
            return FragmentResult::kNoRoom;
        }
        write_fragment(plan, frame, id, offset, len, out);
    }
    return FragmentResult::kDone;
}

}  // namespace pinhole::net
