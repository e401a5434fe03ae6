// SPDX-License-Identifier: BSD-3-Clause
#include "bench/pipeline/floor.h"

#include "dataplane/net/build.h"
#include "dataplane/sip/header_id.h"

#include <benchmark/benchmark.h>

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace pinhole::io {
namespace {

Region take(std::size_t bytes) {
    auto region = Region::reserve(bytes, HugepageMode::kOff, -1, "the floor");
    if (!region) {
        std::fprintf(stderr, "%s\n", region.error().message.c_str());
        std::exit(1);
    }
    return region.take();
}

}  // namespace

Floor::Floor(std::size_t contacts)
    : lines_(contacts / kPerLine + 1),
      memory_(take((lines_ * kLineWords + contacts * kRecordWords) * sizeof(std::uint64_t))),
      index_(reinterpret_cast<std::uint64_t*>(memory_.bytes().data())),
      records_(index_ + lines_ * kLineWords) {
    for (std::size_t line = 0; line < lines_; ++line) {
        index_[line * kLineWords] = random_() % contacts * kRecordWords;
    }
    std::memset(static_cast<void*>(records_), 1, contacts * kRecordWords * sizeof(std::uint64_t));
}

template <Floor::Part kPart>
double Floor::run(std::span<rte_mbuf* const, Pipeline::kPackets> packets) {
    std::array<std::size_t, Pipeline::kPackets> lines;
    std::generate(lines.begin(), lines.end(), [&] { return random_() % lines_ * kLineWords; });
    unsigned i = 0;
    for (; i < Pipeline::kWarmBursts * kBurst; i += kBurst) {
        burst<kPart>(&packets[i], &lines[i]);
    }
    const std::uint64_t before = rte_rdtsc();
    for (; i < Pipeline::kPackets; i += kBurst) {
        burst<kPart>(&packets[i], &lines[i]);
    }
    return ns_a_packet(rte_rdtsc() - before);
}

template double Floor::run<Floor::Part::kAll>(std::span<rte_mbuf* const, Pipeline::kPackets>);
template double Floor::run<Floor::Part::kScan>(std::span<rte_mbuf* const, Pipeline::kPackets>);
template double Floor::run<Floor::Part::kRecord>(std::span<rte_mbuf* const, Pipeline::kPackets>);
template double Floor::run<Floor::Part::kWrite>(std::span<rte_mbuf* const, Pipeline::kPackets>);

void Floor::scan(rte_mbuf* packet) {
    const std::string_view text{rte_pktmbuf_mtod_offset(packet, char*, net::headers_len(true)),
                                packet->data_len - net::headers_len(true)};
    sip::scan_lines(text, found_);
    for (unsigned h = 1; h < found_.count; ++h) {
        const std::size_t start = found_.start[h];
        seen_ += static_cast<unsigned>(
            sip::header_id(text.substr(start, found_.colon[h] - start), text.size() - start));
    }
}

template <Floor::Part kPart>
void Floor::burst(rte_mbuf* const* packets, const std::size_t* lines) {
    constexpr bool kScans = kPart == Part::kAll || kPart == Part::kScan;
    constexpr bool kReads = kPart == Part::kAll || kPart == Part::kRecord;
    constexpr bool kWrites = kPart == Part::kAll || kPart == Part::kWrite;
    for (unsigned i = 0; i < kBurst; ++i) {
        rte_prefetch0(rte_pktmbuf_mtod(packets[i], void*));
        if constexpr (kReads) {
            rte_prefetch0(&index_[lines[i]]);
        }
    }
    for (unsigned i = 0; i < kBurst; ++i) {
        for (std::size_t word = 0; kReads && word < kRecordWords; word += kLineWords) {
            rte_prefetch0(&records_[index_[lines[i]] + word]);
        }
        if constexpr (kScans) {
            scan(packets[i]);
        }
    }
    for (unsigned i = 0; i < kBurst; ++i) {
        for (std::size_t word = 0; kReads && word < kRecordWords; word += kLineWords) {
            seen_ += records_[index_[lines[i]] + word];
        }
        if constexpr (kWrites) {
            std::memcpy(rte_pktmbuf_mtod(packets[i], char*), answer_.data(), answer_.size());
        }
    }
    benchmark::DoNotOptimize(seen_);
}

}  // namespace pinhole::io
