// SPDX-License-Identifier: BSD-3-Clause
// How the control thread has datagrams sent: it writes the payload into a packet and leaves it in
// the inbox of a worker. A ping that every path carries whole is framed here, so that the worker
// only sends it; the worker finds the way of any other. Never waits. Buffers are taken and parcels
// handed over by the burst, since each access to memory that two cores share costs both of them:
// flush() at the end of a round. One thread, no worker.
#pragma once

#include "dataplane/edge/surroundings.h"
#include "dataplane/io/mesh.h"
#include "dataplane/io/port.h"

#include <rte_mbuf.h>

#include <array>
#include <utility>
#include <vector>

namespace pinhole::io {

class Outbox {
  public:
    static constexpr unsigned kBurst = 32;

    Outbox(const Ports& ports, Mesh& mesh);
    ~Outbox();  // frees what has not been handed over
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    enum class Posted : std::uint8_t {
        kPosted,
        kNothing,  // `write` gave no payload
        kFull,     // no packet buffer, or the worker's inbox takes no more: try again later
    };

    // To be sent by `flow`. `std::size_t write(char* room, std::size_t capacity)` returns the
    // payload's length, 0 for none. `spread` picks among the workers that have a queue on the
    // device it leaves by, so that they share evenly. `kind`, kPing or kPeerCheck, tells the worker
    // what it counts.
    template <class Write>
    Posted post(const net::Flow& flow, std::uint32_t spread, const edge::Surroundings& around,
                Write&& write, ParcelKind kind = ParcelKind::kPing) {
        rte_mbuf* mbuf = spare();
        if (mbuf == nullptr) {
            return Posted::kFull;
        }
        const std::size_t len = std::forward<Write>(write)(rte_pktmbuf_mtod(mbuf, char*),
                                                           std::size_t{rte_pktmbuf_tailroom(mbuf)});
        if (len == 0) {
            return Posted::kNothing;
        }
        rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(len));
        return hand_over(flow, spread, around, mbuf, kind);
    }

    // To the workers, as far as their inboxes take it; the rest goes with the next burst.
    void flush();

  private:
    // Of one worker.
    struct Pile {
        unsigned count = 0;
        std::array<rte_mbuf*, kBurst> parcels;
    };

    // The next buffer, which stays the next one until it is handed over. Null: there is none.
    [[nodiscard]] rte_mbuf* spare() {
        return spares_left_ != 0 || take_spares() ? spares_[spares_left_ - 1] : nullptr;
    }
    bool take_spares();
    Posted hand_over(const net::Flow& flow, std::uint32_t spread, const edge::Surroundings& around,
                     rte_mbuf* mbuf, ParcelKind kind);
    [[nodiscard]] bool frame(const net::Flow& flow, const edge::Surroundings& around,
                             rte_mbuf* mbuf);
    [[nodiscard]] unsigned worker_for(DeviceIndex device, std::uint32_t spread) const;
    void flush(unsigned worker);

    const Ports& ports_;
    Mesh& mesh_;
    std::vector<Pile> piles_;  // by worker
    std::array<rte_mbuf*, kBurst> spares_{};
    unsigned spares_left_ = 0;
    std::uint32_t next_ip_id_;
};

}  // namespace pinhole::io
