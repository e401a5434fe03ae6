// SPDX-License-Identifier: BSD-3-Clause
// The API's JSON. Names and units here are the interface: scripts of operators depend on them.
// Pure.
#pragma once

#include "control/api/system.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace pinhole::api {

[[nodiscard]] nlohmann::json to_json(const Status& status);
[[nodiscard]] nlohmann::json to_json(const std::vector<CoreStatus>& cores);
[[nodiscard]] nlohmann::json to_json(const Rates& rates);
[[nodiscard]] nlohmann::json to_json(const AorBindings& bindings);
[[nodiscard]] nlohmann::json to_json(const Story& story);
[[nodiscard]] nlohmann::json to_json(const Nat& nat);
[[nodiscard]] nlohmann::json to_json(const ListPage& page);

// The one place where text from the wire leaves as JSON: ASCII only, control characters escaped,
// what is no UTF-8 replaced. Ends with a newline.
[[nodiscard]] std::string dump(const nlohmann::json& value);

}  // namespace pinhole::api
