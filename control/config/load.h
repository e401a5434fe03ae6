// SPDX-License-Identifier: BSD-3-Clause
// Reads a configuration and finds everything that is wrong with it at once, each with its line, its
// key, what it was and what it may be. Nothing here throws, logs or looks at the machine: whether
// eth0 exists is not for a parser to say. Pure but for load_file(), which reads the one file.
#pragma once

#include "control/config/config.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::config {

enum class Severity : std::uint8_t { kError, kWarning };

struct Issue {
    Severity severity = Severity::kError;
    std::uint32_t line = 0;    // from 1; 0 if it is about something that isn't there
    std::uint32_t column = 0;  // from 1
    std::string key;      // "registrar.min_expires", "port[1].device"; empty for a syntax error
    std::string message;  // a sentence
};

struct Loaded {
    Config config;  // only to be used if ok()
    std::vector<Issue> issues;

    // No error; warnings may be there.
    [[nodiscard]] bool ok() const;
};

[[nodiscard]] Loaded parse(std::string_view toml_text);
[[nodiscard]] Loaded load_file(const std::string& path);

// For a terminal, at most 80 columns where words allow:
//   pinhole.toml:12:15: error: registrar.min_expires
//       is 90, but max_expires is 60: ...
[[nodiscard]] std::string describe(const std::vector<Issue>& issues, std::string_view file);

}  // namespace pinhole::config
