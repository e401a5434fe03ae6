// SPDX-License-Identifier: BSD-3-Clause
// ARP (RFC 826) and neighbour discovery (RFC 4861) for a program that has no kernel behind its
// device: answers questions for our addresses, and asks where the edge is. Pure.
#pragma once

#include "dataplane/net/address.h"
#include "dataplane/net/wire.h"

#include <cstdint>
#include <optional>
#include <span>

namespace pinhole::load {

// A frame of either protocol as far as it concerns us.
struct NeighbourMessage {
    bool is_question = false;  // who has `target`?
    net::Address target;
    net::Address sender;  // who asks, or whose answer it is
    net::Mac sender_mac{};
};

inline constexpr std::size_t kMaxNeighbourFrame = 86;  // ND with a link-layer address option

// None if the frame is neither ARP nor a neighbour solicitation or advertisement, or is broken.
[[nodiscard]] std::optional<NeighbourMessage> read_neighbour(net::Bytes frame);

// Writes "`address` is at `mac`" for the asker: at most kMaxNeighbourFrame bytes. Returns how many.
[[nodiscard]] std::size_t write_neighbour_answer(const NeighbourMessage& question,
                                                 const net::Mac& mac, std::uint8_t* out);
// "Who has `target`? Tell `own`."
[[nodiscard]] std::size_t write_neighbour_question(const net::Address& target,
                                                   const net::Address& own, const net::Mac& mac,
                                                   std::uint8_t* out);

}  // namespace pinhole::load
