// SPDX-License-Identifier: BSD-3-Clause
// The status page at `/`, in the binary: status.html, turned into bytes at build time by `embed`.
// Any thread.
#pragma once

#include <string_view>

namespace pinhole::api {

[[nodiscard]] std::string_view status_page();
// Its Content-Security-Policy: its own script and style by their hashes, and requests to us alone.
[[nodiscard]] const char* status_page_policy();

}  // namespace pinhole::api
