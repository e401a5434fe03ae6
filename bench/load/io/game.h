// SPDX-License-Identifier: BSD-3-Clause
// The play on a device: finds the edge, says hello until the edge answers, then turns the player's
// rounds on one lcore until the play is over. Started and read by the main thread.
#pragma once

#include "bench/load/io/cable.h"
#include "bench/load/neighbours.h"
#include "bench/load/player.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

namespace pinhole::load {

struct LinkSetup {
    net::Address own;             // who asks for the edge, and what the edge's routes lead to
    net::Address next_hop;        // whose MAC is asked for: the edge's own address, or a router's
    std::optional<net::Mac> mac;  // known already
    std::uint64_t patience_ns = 10'000'000'000;
};

class Game {
  public:
    Game(Cable& cable, const Plan& plan, const LinkSetup& link);

    // All of it; for rte_eal_remote_launch(). 0, or 1: see problem().
    static int run(void* game) { return static_cast<Game*>(game)->play(); }
    // Any thread: nothing new is asked.
    void stop() { stop_.store(true, std::memory_order_relaxed); }

    [[nodiscard]] bool over() const { return over_.load(std::memory_order_acquire); }
    [[nodiscard]] const Player& player() const { return player_; }
    [[nodiscard]] std::uint64_t now_ns() const;
    // After run() returned 1.
    [[nodiscard]] const std::string& problem() const { return problem_; }

  private:
    int play();
    [[nodiscard]] bool find_edge();
    [[nodiscard]] bool greet();
    // One burst: answers neighbours that ask for our address, and gives datagrams to `fn(datagram,
    // sum_is_right)`.
    template <class Fn>
    void receive(Fn&& fn);
    void take_neighbour(net::Bytes frame);
    [[nodiscard]] bool stopped() const { return stop_.load(std::memory_order_relaxed); }

    Cable& cable_;
    SendBatch batch_;
    const Plan& plan_;
    LinkSetup link_;
    Player player_;
    std::uint64_t start_;
    double ns_per_cycle_;
    std::string problem_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> over_{false};
};

}  // namespace pinhole::load
