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

inline constexpr std::size_t kMaxFilterLength = 256;
inline constexpr std::string_view kCapture = "/v1/capture";
inline constexpr const char* kMissedHeader = "Pinhole-Missed";

// Always answers.
void answer(System& system, Server::Access access, const httplib::Request& request,
            httplib::Response& response);

// /v1/capture, for the control socket alone, since packets hold what calls and passwords are made
// of: POST ?filter= begins one, GET ?id= has what came since, DELETE ?id= ends it.
void answer_capture(System& system, Server::Access access, const httplib::Request& request,
                    httplib::Response& response);

// "alice@example.com" and "sip:alice@example.com" mean the same. Nothing if it can't be an AOR:
// empty, too long, or with a character that no URI has.
[[nodiscard]] std::optional<std::string> with_scheme(std::string_view aor);

}  // namespace pinhole::api
