// SPDX-License-Identifier: BSD-3-Clause
// pinhole(8), pinholectl(1) and pinhole-load(1): their command lines, and what an operator has to
// know beside them.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace pinhole::manual {

[[nodiscard]] std::string pinhole_page(const CLI::App& app);
[[nodiscard]] std::string pinholectl_page(const CLI::App& app);
[[nodiscard]] std::string pinhole_load_page(const CLI::App& app);

// Adds --manual, which help doesn't show: it prints the page and ends. The build runs it.
void add_manual_flag(CLI::App& app, std::string (*page)(const CLI::App&));

}  // namespace pinhole::manual
