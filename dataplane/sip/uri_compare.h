// SPDX-License-Identifier: BSD-3-Clause
// Whether two SIP URIs are the same contact (RFC 3261 §19.1.4), as §10.3 step 7 asks of bindings.
// Pure; any thread.
#pragma once

#include "dataplane/sip/uri.h"

#include <string_view>

namespace pinhole::sip {

// By §19.1.4: scheme, user, password and host, port as written (absent is not 5060), the parameters
// that both must have or neither, and all that both have. What is equal byte for byte is equal at
// once.
[[nodiscard]] bool same_uri(std::string_view a, std::string_view b);

}  // namespace pinhole::sip
