// SPDX-License-Identifier: BSD-3-Clause
// `pinholectl top`: two reads of the daemon's sums make rates. Pure: the reads and the time between
// them are handed in; ctl.cc owns the clock and the terminal.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>

namespace pinhole::api {

// What /v1/status and /v1/cores said at about the same moment, and when that was on a clock that
// never goes back.
struct Reading {
    nlohmann::json status;
    nlohmann::json cores;
    double at_s = 0;
};

// What happened between the two: per second where it ends in _per_s, `busy` from 0 to 1, quantiles
// of the pings of that time alone (null if there were none). If the daemon was restarted in
// between, `restarted` is true and all that is per second is 0.
[[nodiscard]] nlohmann::json top_rates(const Reading& before, const Reading& after);

// At most 80 columns and `rows` lines (24 or more show every part); what cores do not fit are told
// by their number. Each column keeps its place from page to page.
[[nodiscard]] std::string top_text(const nlohmann::json& rates, std::size_t rows);

}  // namespace pinhole::api
