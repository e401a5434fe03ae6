// SPDX-License-Identifier: BSD-3-Clause
// What is to be played, as plain values.
#pragma once

#include "bench/load/timeouts.h"
#include "dataplane/net/address.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace pinhole::load {

enum class Play : std::uint8_t {
    kRegister,  // each phone registers once
    kRefresh,   // and then phones picked by chance refresh, as fast as the pace lets them
    kLive,      // and then each refreshes in time, and answers pings
    kCall,      // and then the core calls phones picked by chance
    kEcho,      // phones send REGISTERs that come back as they are
    kReflect,   // no phones: sends back what comes, for another's kEcho
};

struct Plan {
    Play play = Play::kRegister;
    std::uint32_t phones = 1000;
    std::uint32_t gateways = 100;
    Timeouts timeouts = *Timeouts::parse("never");
    std::uint64_t seed = 1;

    // Who is where. The gateways' addresses follow each other.
    net::Address edge;
    std::uint16_t edge_port = 5060;
    net::Address first_gateway;
    net::Address core;
    std::uint16_t core_port = 5060;

    std::string domain = "example.com";
    std::string password;          // empty: challenges are answered by nobody
    std::string run = "00000000";  // eight characters that tell this run's messages from another's
    std::uint32_t expires_s = 3600;

    // Of the phase that is measured, and of the registrations before it.
    double rate_per_s = 0;
    std::uint32_t window = 128;
    double register_rate_per_s = 0;
    std::uint32_t register_window = 128;
    double call_rate_per_s = 0;  // beside a live population
    std::uint64_t count = 0;     // 0: no bound
    std::uint64_t duration_ns = 0;
    std::uint64_t settle_ns = 0;  // a live population lives so long before it is measured
    std::uint64_t timeout_ns = 2'000'000'000;  // a request unanswered for so long is lost
};

}  // namespace pinhole::load
