// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/reassembly.h"

#include "dataplane/io/errors.h"
#include "dataplane/io/settings.h"

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>

#include <cstring>

namespace pinhole::io {
namespace {

constexpr unsigned kBuckets = 64;
constexpr unsigned kBucketEntries = 4;
static_assert(kBuckets * kBucketEntries >= Reassembler::kMaxUnderWay);
static_assert(Reassembler::kMaxFragments == RTE_LIBRTE_IP_FRAG_MAX_FRAG);

// Cuts Ethernet's padding off; false if the frame is shorter than its IP header says.
bool trim_to(rte_mbuf* m, std::size_t frame_bytes) {
    if (m->pkt_len < frame_bytes || m->pkt_len - frame_bytes > UINT16_MAX) {
        return false;
    }
    const auto padding = static_cast<std::uint16_t>(m->pkt_len - frame_bytes);
    return padding == 0 || rte_pktmbuf_trim(m, padding) == 0;
}

}  // namespace

Reassembler::Reassembler() : max_age_(rte_get_tsc_hz() / 1000 * kMaxAgeMs) {}

Result<std::unique_ptr<Reassembler>> Reassembler::create(rte_mempool* big, int socket) {
    std::unique_ptr<Reassembler> r(new Reassembler);
    r->big_ = big;
    r->dropped_ = std::make_unique<rte_ip_frag_death_row>();
    r->table_ =
        rte_ip_frag_table_create(kBuckets, kBucketEntries, kMaxUnderWay, r->max_age_, socket);
    if (r->table_ == nullptr) {
        return system_error("no memory for the table of fragments",
                            rte_errno != 0 ? rte_errno : ENOMEM);
    }
    return r;
}

Reassembler::~Reassembler() {
    if (table_ != nullptr) {
        rte_ip_frag_table_destroy(table_);
    }
    if (dropped_ != nullptr) {
        free_dropped();
    }
}

void Reassembler::free_dropped() {
    counts_.dropped += dropped_->cnt;
    rte_ip_frag_free_death_row(dropped_.get(), 3);
}

// All that began before, in as many steps as the row of what is to be freed needs.
void Reassembler::give_up(std::uint64_t before) {
    do {
        free_dropped();
        rte_ip_frag_table_del_expired_entries(table_, dropped_.get(), before + max_age_);
    } while (dropped_->cnt != 0);
}

void Reassembler::expire(std::uint64_t now) {
    if (now > max_age_) {
        give_up(now - max_age_);
    }
}

// Keeps the table and the ledger one: nothing in the table is too old when a piece is added to it,
// so that what is freed then is the piece's own datagram.
bool Reassembler::admit(const net::Datagram& piece, std::uint64_t now) {
    expire(now);
    switch (ledger_.enter(piece, now, max_age_)) {
        case net::FragmentLedger::Entry::kKnown:
        case net::FragmentLedger::Entry::kBegun:
            return true;
        case net::FragmentLedger::Entry::kTookPlace:
            give_up(ledger_.given_up_to() + 1);
            return true;
        case net::FragmentLedger::Entry::kSourceFull:
        case net::FragmentLedger::Entry::kManyPieces:
            break;
    }
    return false;
}

rte_mbuf* Reassembler::refuse(rte_mbuf* fragment) {
    rte_pktmbuf_free(fragment);
    ++counts_.dropped;
    return nullptr;
}

rte_mbuf* Reassembler::add(rte_mbuf* fragment, const net::Datagram& piece, std::uint64_t now) {
    ++counts_.fragments;
    const std::uint8_t version =
        fragment->data_len > piece.l3_offset
            ? *rte_pktmbuf_mtod_offset(fragment, std::uint8_t*, piece.l3_offset) >> 4
            : 0;
    switch (version) {
        case 4:
            return add_v4(fragment, piece, now);
        case 6:
            return add_v6(fragment, piece, now);
        default:
            return refuse(fragment);
    }
}

// After the table has taken a piece: is its datagram whole, or given up?
rte_mbuf* Reassembler::settle(rte_mbuf* whole, const net::Datagram& piece) {
    if (whole != nullptr || dropped_->cnt != 0) {
        ledger_.end(piece);
    }
    free_dropped();
    return whole != nullptr ? linear(whole) : nullptr;
}

rte_mbuf* Reassembler::add_v4(rte_mbuf* m, const net::Datagram& piece, std::uint64_t now) {
    const unsigned l2_bytes = piece.l3_offset;
    auto* ip = rte_pktmbuf_mtod_offset(m, rte_ipv4_hdr*, l2_bytes);
    const unsigned header = m->data_len >= l2_bytes + sizeof *ip ? (ip->version_ihl & 15U) * 4U : 0;
    const std::size_t total = header >= sizeof *ip ? rte_be_to_cpu_16(ip->total_length) : 0;
    if (total <= header || m->data_len < l2_bytes + header || !trim_to(m, l2_bytes + total) ||
        !admit(piece, now)) {
        return refuse(m);
    }
    m->l2_len = l2_bytes;
    m->l3_len = header;
    rte_mbuf* whole =
        settle(rte_ipv4_frag_reassemble_packet(table_, dropped_.get(), m, now, ip), piece);
    if (whole == nullptr) {
        return nullptr;
    }
    ip = rte_pktmbuf_mtod_offset(whole, rte_ipv4_hdr*, l2_bytes);
    ip->hdr_checksum = 0;
    // With its options, which rte_ipv4_cksum leaves out in this release.
    ip->hdr_checksum = static_cast<std::uint16_t>(~rte_raw_cksum(ip, (ip->version_ihl & 15U) * 4U));
    return whole;
}

rte_mbuf* Reassembler::add_v6(rte_mbuf* m, const net::Datagram& piece, std::uint64_t now) {
    const unsigned l2_bytes = piece.l3_offset;
    constexpr std::size_t kHeaders = sizeof(rte_ipv6_hdr) + RTE_IPV6_FRAG_HDR_SIZE;
    auto* ip = rte_pktmbuf_mtod_offset(m, rte_ipv6_hdr*, l2_bytes);
    if (m->data_len < l2_bytes + kHeaders || ip->proto != IPPROTO_FRAGMENT ||
        rte_be_to_cpu_16(ip->payload_len) <= RTE_IPV6_FRAG_HDR_SIZE ||
        !trim_to(m, l2_bytes + sizeof *ip + rte_be_to_cpu_16(ip->payload_len))) {
        return refuse(m);
    }
    auto* fragment = reinterpret_cast<rte_ipv6_fragment_ext*>(ip + 1);
    constexpr std::uint16_t kOffsetAndMore = 0xfff9;
    if ((rte_be_to_cpu_16(fragment->frag_data) & kOffsetAndMore) == 0) {
        // A fragment that is the whole (RFC 6946): never mixed with others of its id.
        ip->proto = fragment->next_header;
        ip->payload_len = rte_cpu_to_be_16(
            static_cast<std::uint16_t>(rte_be_to_cpu_16(ip->payload_len) - RTE_IPV6_FRAG_HDR_SIZE));
        auto* start = rte_pktmbuf_mtod(m, std::uint8_t*);
        std::memmove(start + RTE_IPV6_FRAG_HDR_SIZE, start, l2_bytes + sizeof *ip);
        rte_pktmbuf_adj(m, RTE_IPV6_FRAG_HDR_SIZE);
        return linear(m);
    }
    if (!admit(piece, now)) {
        return refuse(m);
    }
    m->l2_len = l2_bytes;
    m->l3_len = kHeaders;
    return settle(rte_ipv6_frag_reassemble_packet(table_, dropped_.get(), m, now, ip, fragment),
                  piece);
}

// The pieces in one buffer of the big pool; the pieces are freed. nullptr if it is too long or
// there is no buffer.
rte_mbuf* Reassembler::linear(rte_mbuf* whole) {
    const std::size_t bytes = whole->pkt_len;
    rte_mbuf* out = bytes <= kMaxFrameBytes ? rte_pktmbuf_alloc(big_) : nullptr;
    if (out != nullptr) {
        char* to = rte_pktmbuf_append(out, static_cast<std::uint16_t>(bytes));
        const void* from = rte_pktmbuf_read(whole, 0, static_cast<std::uint32_t>(bytes), to);
        if (from != to) {
            std::memcpy(to, from, bytes);
        }
        out->port = whole->port;
        ++counts_.completed;
    } else {
        ++counts_.dropped;
    }
    rte_pktmbuf_free(whole);
    return out;
}

}  // namespace pinhole::io
