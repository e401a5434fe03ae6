// SPDX-License-Identifier: BSD-3-Clause
// A message is one line of a log, whatever stands in it.
#include "control/escape/log_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <sstream>

namespace pinhole::escape {
namespace {

TEST(LogLines, AMessageIsEscaped) {
    std::ostringstream out;
    spdlog::logger logger("test", std::make_shared<spdlog::sinks::ostream_sink_st>(out));
    logger.set_formatter(log_formatter());
    logger.warn("from {}", "eve\r\n[2026-01-01 00:00:00.000] [info] all is well\x1b[2J");
    const std::string text = out.str();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_THAT(text, testing::HasSubstr("[warning] from eve??[2026"));
    // As they were before there was a formatter of ours.
    EXPECT_THAT(text, testing::MatchesRegex("\\[[0-9-]+ [0-9:.]+\\] .*\n"));
}

}  // namespace
}  // namespace pinhole::escape
