// SPDX-License-Identifier: BSD-3-Clause
// The floor that a REGISTER's cost is compared with, the least that answering it takes: finding
// every line and naming every header, reading one random line of an index and one random record of
// 256 bytes among 4 M, batched with prefetch, and writing 450 bytes. Over the same packets, in the
// same bursts.
#pragma once

#include "bench/pipeline/pipeline.h"
#include "dataplane/io/memory.h"
#include "dataplane/sip/scan.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>

namespace pinhole::io {

class Floor {
  public:
    static constexpr std::size_t kContacts = 4'000'000;

    // Ends the process with a sentence if there is too little memory.
    explicit Floor(std::size_t contacts = kContacts);

    // What a packet takes of each.
    enum class Part : std::uint8_t { kAll, kScan, kRecord, kWrite };
    // Nanoseconds a packet, of all but the first few bursts. The packets are no messages any more
    // afterwards.
    template <Part kPart = Part::kAll>
    double run(std::span<rte_mbuf* const, Pipeline::kPackets> packets);

  private:
    static constexpr std::size_t kPerLine = 4;    // contacts that an index's line leads to
    static constexpr std::size_t kLineWords = 8;  // of 8 bytes
    static constexpr std::size_t kRecordWords = 32;
    static constexpr unsigned kBurst = Pipeline::kBurst;

    void scan(rte_mbuf* packet);
    template <Part kPart>
    void burst(rte_mbuf* const* packets, const std::size_t* lines);

    std::size_t lines_;
    Region memory_;
    std::uint64_t* index_;
    std::uint64_t* records_;
    std::mt19937_64 random_{1};
    sip::Lines found_;
    std::uint64_t seen_ = 0;
    std::array<char, 450> answer_{};
};

}  // namespace pinhole::io
