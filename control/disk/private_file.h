// SPDX-License-Identifier: BSD-3-Clause
// Small files that nobody else may read, read and replaced whole: after a crash at any moment the
// old text stands there or the new one, never a part. May block on the disk: never for a worker or
// the control thread. Errors are sentences that name the path and what to do.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pinhole::disk {

struct PrivateFile {
    std::optional<std::string> text;   // none: there is no such file, or `error` says why
    std::optional<std::string> error;  // others may read it, it is no file, it can't be read
};
inline constexpr std::size_t kMaxPrivateFile = 64 * 1024;

// A larger one than `max` is none of ours.
[[nodiscard]] PrivateFile read_private(const std::string& path, std::size_t max = kMaxPrivateFile);

// Mode 0600. The text is on the disk when this returns; nothing: it is done. One caller a path.
[[nodiscard]] std::optional<std::string> replace_private(const std::string& path,
                                                         std::string_view text);

}  // namespace pinhole::disk
