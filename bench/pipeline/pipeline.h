// SPDX-License-Identifier: BSD-3-Clause
// A dataplane with its table full, over devices in memory. Preparing packets is not timed; working
// on them is. The table lies in the production's own memory. One thread a worker; all else belongs
// to the main thread.
#pragma once

#include "bench/pipeline/messages.h"
#include "control/daemon/table_memory.h"
#include "dataplane/auth/digest.h"
#include "dataplane/io/memory.h"
#include "tests/eal/io/edge.h"

#include <rte_cycles.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace pinhole::io {

// By its name callgrind knows what to count.
void measured_round(Worker& worker);

// A phone's address as its gateway shows it.
[[nodiscard]] net::Address far_address(std::uint32_t phone);
[[nodiscard]] std::uint16_t far_port(std::uint32_t phone);
[[nodiscard]] std::string user_of(std::uint32_t phone);

class Pipeline {
  public:
    static constexpr unsigned kBurst = Worker::kBurst;
    // Prepared together: the packets come from L2 or L3, as a NIC leaves them. The first bursts
    // only bring back what preparing has pushed out of the core's caches, where a loaded worker has
    // it.
    static constexpr unsigned kWarmBursts = 4;
    static constexpr unsigned kMeasuredBursts = 16;
    static constexpr unsigned kBursts = kWarmBursts + kMeasuredBursts;
    static constexpr unsigned kPackets = kBurst * kBursts;
    static constexpr unsigned kMeasured = kBurst * kMeasuredBursts;
    // Contacts that there is room for besides.
    static constexpr std::uint32_t kSpare = 200'000;

    struct Kind {
        std::uint32_t contacts = 0;
        bool passwords = false;
        unsigned workers = 1;
        bool keeps_sent = false;  // what is sent can be read: Edge::frames_sent()
        bool deep_queue = false;  // more may wait than a few bursts: nobody is refused for it
        unsigned copy = 0;        // another one of the same
        auto operator<=>(const Kind&) const = default;
    };

    // Ends the process with a sentence if there is too little memory.
    Pipeline(const Eal& eal, Kind kind);
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    Edge& edge() { return *edge_; }
    [[nodiscard]] std::uint32_t contacts() const { return kind_.contacts; }
    daemon::TableMemory& memory() { return *memory_; }
    // One of the contacts, by chance.
    [[nodiscard]] std::uint32_t any_phone() {
        return static_cast<std::uint32_t>(std::uint64_t{random_()} * kind_.contacts >> 32);
    }
    [[nodiscard]] std::uint32_t any(std::uint32_t below) {
        return static_cast<std::uint32_t>(std::uint64_t{random_()} * below >> 32);
    }

    // Packets, each with numbers of its own.
    rte_mbuf* make(const Template& message, const net::Flow& from, std::uint32_t phone);
    rte_mbuf* make_register(std::uint32_t phone);
    rte_mbuf* make_signed(std::uint32_t phone, auth::Algorithm algorithm);

    // kPackets of them, for run().
    template <class Make>
    void prepare(Make&& make) {
        for (unsigned i = 0; i < kPackets; ++i) {
            packets_[i] = make(i);
        }
    }
    [[nodiscard]] std::span<rte_mbuf* const, kPackets> prepared() const { return packets_; }
    void free_prepared() { rte_pktmbuf_free_bulk(packets_.data(), kPackets); }

    // Gives all that was prepared to worker 0, as the device does; returns the cycles of the
    // measured bursts' rounds. The queue is found empty before and after them, so that a few bursts
    // at a time are no overload.
    std::uint64_t run();
    // As after a long time of more than worker 0 can do; or of less, the same work but with pauses.
    void press(bool hard);
    // What has been sent and kept goes.
    void drop_sent();
    // The contacts of these phones, which have one each, are gone. Between rounds.
    void forget(std::uint32_t first, std::uint32_t count);

  private:
    void fill();
    void subscribe();
    void sign(rte_mbuf* mbuf, std::uint32_t phone, auth::Algorithm algorithm);

    const Kind kind_;
    auth::DigestPolicy policy_;
    Region nonces_;
    Carver nonce_carver_{{}};
    Region states_;
    Carver state_carver_{{}};
    std::shared_ptr<daemon::TableMemory> memory_;
    std::unique_ptr<auth::Subscribers> subscribers_;
    std::unique_ptr<Edge> edge_;
    std::array<rte_mbuf*, kPackets> packets_{};
    std::uint32_t number_ = 1;
    std::uint32_t signed_a_ms_ = 1;
    std::mt19937 random_{1};
    auth::Digester digester_;
};

// Nanoseconds a packet, of kMeasured or of so many.
[[nodiscard]] inline double ns_a_packet(std::uint64_t cycles,
                                        std::uint64_t packets = Pipeline::kMeasured) {
    return static_cast<double>(cycles) * 1e9 / static_cast<double>(rte_get_tsc_hz()) /
           static_cast<double>(packets);
}

}  // namespace pinhole::io
