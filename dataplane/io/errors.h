// SPDX-License-Identifier: BSD-3-Clause
// The one place where errno and rte_errno become text and an ErrorCode. Start-up and the service
// thread only.
#pragma once

#include "dataplane/io/result.h"

#include <string>
#include <string_view>

namespace pinhole::io {

// "Permission denied": of an errno or rte_errno, negative or positive.
[[nodiscard]] std::string error_text(int number);
[[nodiscard]] ErrorCode error_code(int number);

// "<what>: <text of number>".
[[nodiscard]] Error system_error(std::string_view what, int number);

// The last lines that EAL and the drivers logged as errors, for a sentence that needs their words;
// "" if none. DPDK's log goes to a bounded buffer (see eal.h), never to stderr.
[[nodiscard]] std::string last_driver_words();

}  // namespace pinhole::io
