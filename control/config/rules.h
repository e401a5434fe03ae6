// SPDX-License-Identifier: BSD-3-Clause
// What no key can be judged by alone: contradictions between keys, what has to be there, and what
// may be written but isn't built. Pure.
#pragma once

#include "control/config/load.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::config {

struct Position {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};
// Of every section and key that the file has: "registrar", "registrar.domains", "port[0]",
// "port[0].device".
using Positions = std::map<std::string, Position, std::less<>>;

// Collects what is said about keys, with their places.
class Complaints {
  public:
    Complaints(const Positions& positions, std::vector<Issue>& issues)
        : positions_(positions), issues_(issues) {}

    // Both place themselves at the key, or at its section if the key isn't there.
    void error(std::string key, std::string message) const;
    void warning(std::string key, std::string message) const;

    [[nodiscard]] bool written(std::string_view key) const { return positions_.count(key) != 0; }

  private:
    void add(Severity severity, std::string key, std::string message) const;

    const Positions& positions_;
    std::vector<Issue>& issues_;
};

// A key whose value was refused is skipped: its value in `config` is the default, which nobody
// wrote.
void check_rules(const Config& config, const Complaints& complaints);

[[nodiscard]] std::string port_key(std::size_t index);  // "port[0]"

}  // namespace pinhole::config
