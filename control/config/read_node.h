// SPDX-License-Identifier: BSD-3-Clause
// One TOML value into the place that its property names, or the complaint why it can't be. Pure.
#pragma once

#include "control/config/rules.h"
#include "control/config/schema.h"

#include <toml++/toml.h>

#include <string>
#include <vector>

namespace pinhole::config {

[[nodiscard]] Position place_of(const toml::source_region& source);

// As a message shows it: strings in quotes, cut if long, without control characters.
[[nodiscard]] std::string shown(const toml::node& node);

// Leaves the target alone if it complains; `key` is the full one.
void read_node(const Property& property, const std::string& key, const toml::node& node,
               const Field& target, std::vector<Issue>& issues);

}  // namespace pinhole::config
