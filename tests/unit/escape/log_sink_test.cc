// SPDX-License-Identifier: BSD-3-Clause
#include "control/escape/log_sink.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>

namespace pinhole::escape {
namespace {

TEST(LimitedSink, LeavesOutWhatIsTooMuchAndTellsHowMuch) {
    std::ostringstream out;
    LimitedSink sink(std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
    sink.set_pattern("%v");
    const spdlog::log_clock::time_point start{std::chrono::hours(1000)};
    const auto say = [&](std::chrono::milliseconds at, int times) {
        for (int i = 0; i < times; ++i) {
            sink.log({start + at, {}, "", spdlog::level::info, "line"});
        }
    };
    const auto lines = [&] {
        const std::string all = out.str();
        return std::count(all.begin(), all.end(), '\n');
    };
    say(std::chrono::milliseconds(0), 1000);
    EXPECT_EQ(lines(), 200);
    EXPECT_EQ(out.str().find("left out"), std::string::npos);
    say(std::chrono::milliseconds(100), 10);
    EXPECT_EQ(lines(), 203) << "two of ten, and the number";
    EXPECT_NE(out.str().find("800 log lines were left out"), std::string::npos);
}

}  // namespace
}  // namespace pinhole::escape
