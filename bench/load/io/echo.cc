// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/io/echo.h"

#include "bench/load/neighbours.h"
#include "bench/load/reflection.h"

#include <array>

namespace pinhole::load {

void Echo::turn() {
    while (!stop_.load(std::memory_order_relaxed)) {
        cable_.bounce([this](std::span<std::uint8_t> frame) { return take(frame); });
    }
}

// True: it goes back.
bool Echo::take(std::span<std::uint8_t> frame) {
    net::Datagram datagram;
    if (net::parse_packet(frame, datagram) == net::PacketKind::kUdp) {
        reflect(frame, datagram);
        return true;
    }
    if (const auto message = read_neighbour(frame); message && message->is_question) {
        std::array<std::uint8_t, kMaxNeighbourFrame> answer;
        cable_.send({answer.data(), write_neighbour_answer(*message, cable_.mac(), answer.data())});
    }
    return false;
}

}  // namespace pinhole::load
