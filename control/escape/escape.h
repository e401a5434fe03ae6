// SPDX-License-Identifier: BSD-3-Clause
// What stands between the wire and every line that somebody reads: names and addresses that phones
// made up must not move a cursor, begin a line, or show themselves backwards. Log lines and
// pinholectl's pages pass through printable(), whatever has written them; JSON is escaped by its
// writer, which is api::dump() alone. Pure.
#pragma once

#include <string>
#include <string_view>

namespace pinhole::escape {

// `?` in place of each control character (C0, DEL, C1, line and paragraph separators), of whatever
// has no shape of its own or turns the reading direction, and of each byte that is no UTF-8.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace pinhole::escape
