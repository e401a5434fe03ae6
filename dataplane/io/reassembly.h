// SPDX-License-Identifier: BSD-3-Clause
// Fragments to whole datagrams, IPv4 and IPv6, over rte_ip_frag; one Reassembler a worker, used by
// that worker alone. Bounded in datagrams under way, both in total and for each source
// (net::FragmentLedger, which stands in front), in fragments each (8, DPDK's own bound), and in
// time. Pieces that overlap never make a whole: DPDK joins them only end to end, and only if their
// lengths add up to it.
#pragma once

#include "dataplane/io/result.h"
#include "dataplane/net/fragment_ledger.h"

#include <cstdint>
#include <memory>

struct rte_ip_frag_tbl;
struct rte_ip_frag_death_row;
struct rte_mbuf;
struct rte_mempool;

namespace pinhole::io {

class Reassembler {
  public:
    static constexpr unsigned kMaxUnderWay = net::FragmentLedger::kDatagrams;
    // The pieces of a datagram leave together; who waits for longer waits in vain, and takes room.
    static constexpr unsigned kMaxAgeMs = 1000;
    static constexpr unsigned kMaxFragments = net::FragmentLedger::kPieces;

    struct Counts {
        std::uint64_t fragments = 0, completed = 0, dropped = 0;
    };

    // `big` gives the linear buffers for what is completed.
    static Result<std::unique_ptr<Reassembler>> create(rte_mempool* big, int socket);
    ~Reassembler();
    Reassembler(const Reassembler&) = delete;
    Reassembler& operator=(const Reassembler&) = delete;

    // Takes a frame that is a fragment; `piece` is what net::parse_packet() says of it (an IPv6
    // fragment header directly after the fixed header, as every sender writes it, else it is
    // dropped). Gives back the whole frame in one linear mbuf if this was the last piece (IP
    // lengths and header checksum put right, the IPv6 fragment header gone), else nullptr. It owns
    // `fragment` from here. `now` is rte_rdtsc().
    rte_mbuf* add(rte_mbuf* fragment, const net::Datagram& piece, std::uint64_t now);

    // Frees what is too old; now and then, by a worker with no fragments coming in.
    void expire(std::uint64_t now);

    [[nodiscard]] const Counts& counts() const { return counts_; }

  private:
    Reassembler();

    void free_dropped();
    void give_up(std::uint64_t before);
    [[nodiscard]] bool admit(const net::Datagram& piece, std::uint64_t now);
    rte_mbuf* refuse(rte_mbuf* fragment);
    rte_mbuf* add_v4(rte_mbuf* fragment, const net::Datagram& piece, std::uint64_t now);
    rte_mbuf* add_v6(rte_mbuf* fragment, const net::Datagram& piece, std::uint64_t now);
    rte_mbuf* settle(rte_mbuf* whole, const net::Datagram& piece);
    rte_mbuf* linear(rte_mbuf* whole);

    rte_ip_frag_tbl* table_ = nullptr;
    std::unique_ptr<rte_ip_frag_death_row> dropped_;
    rte_mempool* big_ = nullptr;
    const std::uint64_t max_age_;  // in cycles
    net::FragmentLedger ledger_;   // what is in table_, and no more
    Counts counts_;
};

}  // namespace pinhole::io
