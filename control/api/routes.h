// SPDX-License-Identifier: BSD-3-Clause
// Which path gets which answer. No regular expression sees a path: httplib's router is passed by.
// Any server thread.
#pragma once

#include "control/api/server.h"
#include "control/api/system.h"

#include <optional>
#include <string>
#include <string_view>

namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

namespace pinhole::api {

inline constexpr std::size_t kDefaultListLimit = 100;
inline constexpr std::size_t kMaxListLimit = 1000;
inline constexpr std::size_t kMaxAorLength = 512;

// Always answers.
void answer(System& system, Server::Access access, const httplib::Request& request,
            httplib::Response& response);

// "alice@example.com" and "sip:alice@example.com" mean the same. Nothing if it can't be an AOR:
// empty, too long, or with a character that no URI has.
[[nodiscard]] std::optional<std::string> with_scheme(std::string_view aor);

}  // namespace pinhole::api
