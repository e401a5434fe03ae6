// SPDX-License-Identifier: BSD-3-Clause
// How log lines are written: time, level, and the message by printable(), whoever logs it. One
// message is one line.
#pragma once

#include <spdlog/formatter.h>

#include <memory>

namespace pinhole::escape {

[[nodiscard]] std::unique_ptr<spdlog::formatter> log_formatter();

}  // namespace pinhole::escape
