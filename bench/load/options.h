// SPDX-License-Identifier: BSD-3-Clause
// The command line of pinhole-load. Pure but for the file that --subscribers writes.
#pragma once

#include "bench/load/plan.h"
#include "dataplane/net/wire.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pinhole::load {

struct Options {
    Plan plan;
    std::string port;  // "memif:/run/edge.sock"
    bool memif_server = false;
    std::uint32_t memif_id = 0;
    std::vector<unsigned> cores;
    net::Address own;
    net::Address next_hop;
    std::optional<net::Mac> next_hop_mac;
    std::uint64_t patience_ns = 10'000'000'000;
    std::string json;  // a file; "-" is standard output
    bool quiet = false;
    std::string subscribers;  // a file to be written instead of playing
    std::string realm;
};

// Reads the command line. Otherwise the status that the program ends with: 0 after --help and
// --version, 2 after a mistake, which is then explained on standard error.
[[nodiscard]] std::optional<int> read_options(int argc, char** argv, Options& options);

// Writes a line a phone, "user:realm:HA1" with MD5, as pinhole's `subscribers` has it.
[[nodiscard]] bool write_subscribers(const Options& options);

}  // namespace pinhole::load
