// SPDX-License-Identifier: BSD-3-Clause
// The manual page of a program, from its command line as CLI11 has it: what --help tells, and words
// beside it. Pure, but for today(), which makes the page's date.
#pragma once

#include "control/manual/roff.h"

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pinhole::manual {

// A section beside those of the command line, such as FILES.
struct Words {
    std::string_view heading;
    std::string_view text;
};

// Hidden options (those of no group) are left out. `words` follow the options.
[[nodiscard]] std::string command_page(const CLI::App& app, const Title& title,
                                       std::string_view description,
                                       const std::vector<Words>& words);

// SOURCE_DATE_EPOCH's if it is set, so that a package can be built again byte by byte.
[[nodiscard]] std::string today();

}  // namespace pinhole::manual
