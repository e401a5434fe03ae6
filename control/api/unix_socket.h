// SPDX-License-Identifier: BSD-3-Clause
// What httplib leaves open about Unix sockets: is anyone listening there, and may a file in the way
// be removed?
#pragma once

#include <optional>
#include <string>

namespace pinhole::api {

// 0 if a connection is accepted at `path`, else the errno of the try.
[[nodiscard]] int probe_unix(const std::string& path);

// Makes the parent directory and removes a socket file that nobody listens at. Nothing, or the
// sentence why the path can't be had.
[[nodiscard]] std::optional<std::string> clear_for_bind(const std::string& path);

// Empty: left as it is. Else the sentence why the file can't be that group's.
[[nodiscard]] std::optional<std::string> give_to_group(const std::string& path,
                                                       const std::string& group);

}  // namespace pinhole::api
