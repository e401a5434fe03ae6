// SPDX-License-Identifier: BSD-3-Clause
// A frame sent back to its sender: the two ends of each header change places. The checksums stay
// right, for a sum doesn't depend on the order. Pure.
#pragma once

#include "dataplane/net/packet.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace pinhole::load {

// `frame` is a UDP datagram's, `datagram` what net::parse_packet() made of it.
inline void reflect(std::span<std::uint8_t> frame, const net::Datagram& datagram) {
    const auto swap = [&](std::size_t at, std::size_t bytes) {
        for (std::size_t i = at; i < at + bytes; ++i) {
            std::swap(frame[i], frame[i + bytes]);
        }
    };
    swap(0, net::Mac{}.size());
    swap(datagram.l3_offset + (datagram.v4 ? 12 : 8), datagram.v4 ? 4 : 16);
    swap(datagram.l4_offset, sizeof(std::uint16_t));
}

}  // namespace pinhole::load
