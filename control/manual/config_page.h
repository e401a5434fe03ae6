// SPDX-License-Identifier: BSD-3-Clause
// pinhole.toml(5), from the schema by which the configuration is checked: every key, its purpose,
// its possible values and its default. Pure.
#pragma once

#include <string>
#include <string_view>

namespace pinhole::manual {

[[nodiscard]] std::string config_page(std::string_view date);

}  // namespace pinhole::manual
