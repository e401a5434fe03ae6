// SPDX-License-Identifier: BSD-3-Clause
// What one phase of a play came to. One writer, the player; read by whoever prints. Pure.
#pragma once

#include "bench/load/latency_histogram.h"
#include "bench/load/slices.h"
#include "dataplane/counters.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace pinhole::load {

// Answers and requests that should not be: each is an error of the server's.
enum class Wrong : std::uint8_t {
    kOtherPhone,    // an answer that reached another phone than the one that asked
    kOtherCall,     // its Call-ID is not the question's
    kNotAsked,      // to a question that was never put
    kNoContact,     // a 200 without the contact that was registered
    kOtherContact,  // a 200 with a contact of somebody else's
    kOtherUser,     // a ping or call for another phone, or a redirection to one
    kOtherSource,   // from an address or port that the phone's gateway lets nobody in from
    kUnreadable,    // no SIP, or so broken that it means nothing
    kChecksum,
    kCount
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Wrong::kCount)> kWrongNames{
    "other_phone", "other_call",   "not_asked",  "no_contact", "other_contact",
    "other_user",  "other_source", "unreadable", "checksum"};

struct Tally {
    static constexpr std::size_t kCodes = 700;

    Counter sent;        // REGISTERs, the ones that answer a challenge too
    Counter done;        // questions that ended with the right answer
    Counter refused;     // that ended with another final answer
    Counter lost;        // that were not answered in time
    Counter late;        // answers after that, or a second time
    Counter challenged;  // 401s that were answered
    Counter calls;       // INVITEs of the core's
    Counter calls_done;  // with a final answer
    Counter calls_lost;
    Counter rings;                             // INVITEs that reached their phone
    Counter pings;                             // OPTIONS that reached their phone
    Counter new_mappings;                      // of phones whose old one had died, or that had none
    Counter vanished;                          // packets to mappings that had died
    Counter strays;                            // packets to addresses that nobody has
    Counter too_long;                          // messages of ours that would not fit in a packet
    std::array<Counter, kCodes> answers;       // to REGISTERs, by code
    std::array<Counter, kCodes> call_answers;  // to INVITEs
    std::array<Counter, static_cast<std::size_t>(Wrong::kCount)> wrong;
    LatencyHistogram latency;  // of what is in `done`, from the first question on
    Slices slices;             // likewise
    LatencyHistogram call_latency;
    Counter began_ns;
    Counter last_ns;  // of the latest answer

    void count(Wrong what) { wrong[static_cast<std::size_t>(what)].add(); }
    [[nodiscard]] std::uint64_t wrong_in_all() const {
        std::uint64_t n = 0;
        for (const Counter& counter : wrong) {
            n += counter.get();
        }
        return n;
    }
    void took(std::uint64_t now_ns, std::uint64_t from_ns) {
        latency.record(now_ns - from_ns);
        slices.record(now_ns, now_ns - from_ns);
    }
    void heard(std::uint64_t now_ns) { last_ns.add(now_ns - last_ns.get()); }
    [[nodiscard]] double seconds() const {
        return last_ns.get() > began_ns.get()
                   ? static_cast<double>(last_ns.get() - began_ns.get()) / 1e9
                   : 0;
    }
};

}  // namespace pinhole::load
