// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/io/game.h"

#include "dataplane/net/checksum.h"
#include "dataplane/net/packet.h"

#include <rte_cycles.h>

namespace pinhole::load {
namespace {

constexpr std::uint64_t kAsk_ns = 100'000'000;  // between two tries to find the edge

}  // namespace

Game::Game(Cable& cable, const Plan& plan, const LinkSetup& link)
    : cable_(cable),
      plan_(plan),
      link_(link),
      player_(plan, batch_),
      start_(rte_rdtsc()),
      ns_per_cycle_(1e9 / static_cast<double>(rte_get_tsc_hz())) {}

std::uint64_t Game::now_ns() const {
    return static_cast<std::uint64_t>(static_cast<double>(rte_rdtsc() - start_) * ns_per_cycle_);
}

void Game::take_neighbour(net::Bytes frame) {
    const auto message = read_neighbour(frame);
    if (!message) {
        return;
    }
    if (!message->is_question) {
        if (message->sender == link_.next_hop) {
            link_.mac = message->sender_mac;
        }
    } else if (message->target == link_.own || player_.owns(message->target)) {
        std::array<std::uint8_t, kMaxNeighbourFrame> answer;
        cable_.send({answer.data(), write_neighbour_answer(*message, cable_.mac(), answer.data())});
    }
}

template <class Fn>
void Game::receive(Fn&& fn) {
    cable_.receive([&](net::Bytes frame) {
        net::Datagram datagram;
        if (net::parse_packet(frame, datagram) != net::PacketKind::kUdp) {
            take_neighbour(frame);
            return;
        }
        const bool right =
            net::ip_header_right(frame, datagram) &&
            net::acceptable(net::check_udp(frame, datagram), cable_.partial_checksums());
        fn(datagram, right);
    });
}

bool Game::find_edge() {
    const std::uint64_t begin = now_ns();
    for (std::uint64_t asked = 0; !link_.mac;) {
        const std::uint64_t now = now_ns();
        if (stopped() || now - begin > link_.patience_ns) {
            problem_ =
                net::to_string(link_.next_hop) +
                " does not tell its MAC: is the edge up, and has it that address on this link?";
            return false;
        }
        if (asked == 0 || now - asked > kAsk_ns) {
            asked = now;
            std::array<std::uint8_t, kMaxNeighbourFrame> frame;
            cable_.send({frame.data(), write_neighbour_question(link_.next_hop, link_.own,
                                                                cable_.mac(), frame.data())});
        }
        receive([](const net::Datagram&, bool) {});
    }
    return true;
}

bool Game::greet() {
    const std::uint64_t begin = now_ns();
    std::uint64_t asked = 0;
    std::uint32_t attempt = 0;
    for (bool answered = false; !answered;) {
        const std::uint64_t now = now_ns();
        if (stopped() || now - begin > link_.patience_ns) {
            problem_ = "the edge does not answer an OPTIONS from " +
                       net::to_string(plan_.first_gateway) +
                       ": does it serve there, and do its routes to the gateways lead here?";
            return false;
        }
        if ((asked == 0 || now - asked > kAsk_ns) && player_.say_hello(attempt, now)) {
            asked = now;
            ++attempt;
            cable_.flush(batch_, *link_.mac);
        }
        receive([&](const net::Datagram& datagram, bool right) {
            answered = answered || (right && player_.is_hello(datagram, now));
        });
    }
    return true;
}

int Game::play() {
    bool good = cable_.fill(batch_);
    problem_ = good ? "" : "there are too few packet buffers";
    good = good && find_edge() && greet();
    if (good) {
        player_.begin(now_ns());
        while (!player_.over()) {
            const std::uint64_t now = now_ns();
            receive([&](const net::Datagram& datagram, bool right) {
                player_.receive(datagram, right, now);
            });
            cable_.flush(batch_, *link_.mac);
            if (stopped()) {
                player_.stop();
            }
            player_.turn(now_ns());
            cable_.flush(batch_, *link_.mac);
        }
    }
    over_.store(true, std::memory_order_release);  // pairs with the load in over()
    return good ? 0 : 1;
}

}  // namespace pinhole::load
