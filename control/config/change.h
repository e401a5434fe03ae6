// SPDX-License-Identifier: BSD-3-Clause
// What differs between two configurations, and which of it can take effect while pinhole runs.
// Pure.
#pragma once

#include "control/config/config.h"

#include <string>
#include <vector>

namespace pinhole::config {

struct Difference {
    std::string key;  // "registrar.min_expires", "port[1].device"
    std::string was;  // as it would be written in the file
    std::string now;
    bool live = false;  // false: needs a restart
};

// In the order of the schema.
[[nodiscard]] std::vector<Difference> differences(const Config& running, const Config& next);

// `next` as far as it can be taken up by what runs with `running`.
[[nodiscard]] Config taken_up(const Config& running, const Config& next);

}  // namespace pinhole::config
