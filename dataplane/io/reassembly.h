// SPDX-License-Identifier: BSD-3-Clause
// Fragments to whole datagrams, IPv4 and IPv6, over rte_ip_frag; one Reassembler a worker, used by
// that worker alone. Bounded in datagrams under way (kMaxUnderWay), in fragments each (8, DPDK's
// own bound), and in time.
#pragma once

#include "dataplane/io/result.h"

#include <cstdint>
#include <memory>

struct rte_ip_frag_tbl;
struct rte_ip_frag_death_row;
struct rte_mbuf;
struct rte_mempool;

namespace pinhole::io {

class Reassembler {
  public:
    static constexpr unsigned kMaxUnderWay = 128;
    static constexpr unsigned kMaxAgeMs = 3000;
    static constexpr unsigned kMaxFragments = 8;

    struct Counts {
        std::uint64_t fragments = 0, completed = 0, dropped = 0;
    };

    // `big` gives the linear buffers for what is completed.
    static Result<std::unique_ptr<Reassembler>> create(rte_mempool* big, int socket);
    ~Reassembler();
    Reassembler(const Reassembler&) = delete;
    Reassembler& operator=(const Reassembler&) = delete;

    // Takes a frame that is a fragment (Ethernet header of `l2_bytes`, then IP; an IPv6 fragment
    // header directly after the fixed header, as every sender writes it, else it is dropped). Gives
    // back the whole frame in one linear mbuf if this was the last piece (IP lengths and header
    // checksum put right, the IPv6 fragment header gone), else nullptr. It owns `fragment` from
    // here. `now` is rte_rdtsc().
    rte_mbuf* add(rte_mbuf* fragment, unsigned l2_bytes, std::uint64_t now);

    // Frees what is too old; now and then, by a worker with no fragments coming in.
    void expire(std::uint64_t now);

    [[nodiscard]] const Counts& counts() const { return counts_; }

  private:
    Reassembler();

    void free_dropped();
    rte_mbuf* add_v4(rte_mbuf* fragment, unsigned l2_bytes, std::uint64_t now);
    rte_mbuf* add_v6(rte_mbuf* fragment, unsigned l2_bytes, std::uint64_t now);
    rte_mbuf* linear(rte_mbuf* whole);

    rte_ip_frag_tbl* table_ = nullptr;
    std::unique_ptr<rte_ip_frag_death_row> dropped_;
    rte_mempool* big_ = nullptr;
    Counts counts_;
};

}  // namespace pinhole::io
