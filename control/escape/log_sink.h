// SPDX-License-Identifier: BSD-3-Clause
// Where log lines go: to stderr, or through journald with their priority where stderr is
// journald's; at most kBurst at once and kPerSecond for long. Lines beyond that are counted, and
// the number is logged when there is room again. Any thread but a worker.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <memory>
#include <mutex>

namespace pinhole::escape {

class LimitedSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    static constexpr double kPerSecond = 20;
    static constexpr double kBurst = 200;

    explicit LimitedSink(std::shared_ptr<spdlog::sinks::sink> to) : to_(std::move(to)) {}

  private:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override { to_->flush(); }
    void set_formatter_(std::unique_ptr<spdlog::formatter> formatter) override {
        to_->set_formatter(std::move(formatter));
    }
    void set_pattern_(const std::string& pattern) override { to_->set_pattern(pattern); }

    std::shared_ptr<spdlog::sinks::sink> to_;
    double left_ = kBurst;
    spdlog::log_clock::time_point at_;
    std::uint64_t left_out_ = 0;
};

// Makes the default logger write there, lines made by log_formatter().
void set_up_log();

}  // namespace pinhole::escape
