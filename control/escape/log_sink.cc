// SPDX-License-Identifier: BSD-3-Clause
#include "control/escape/log_sink.h"

#include "control/escape/log_lines.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

namespace pinhole::escape {
namespace {

// systemd.exec(5): $JOURNAL_STREAM names the device and inode of the stream that leads to journald.
bool stderr_is_journald() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    return stream != nullptr && fstat(STDERR_FILENO, &status) == 0 &&
           std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

// sd-daemon(3): "<3>" at a line's beginning is its priority; journald knows the time itself.
class JournalLines final : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        static constexpr std::array<char, 7> kPriority{'7', '7', '6', '4', '3', '2', '6'};
        const auto level = std::min<std::size_t>(message.level, kPriority.size() - 1);
        spdlog::memory_buf_t line;
        lines_->format(message, line);
        const std::array<char, 3> head{'<', kPriority[level], '>'};
        out.append(head.data(), head.data() + head.size());
        out.append(line.data(), line.data() + line.size());
    }
    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<JournalLines>();
    }

  private:
    std::unique_ptr<spdlog::formatter> lines_ = log_formatter();
};

}  // namespace

void LimitedSink::sink_it_(const spdlog::details::log_msg& message) {
    const std::chrono::duration<double> since = message.time - at_;
    at_ = message.time;
    left_ = std::min(kBurst, left_ + std::max(0.0, since.count()) * kPerSecond);
    if (left_ < 1) {
        ++left_out_;
        return;
    }
    left_ -= 1;
    if (left_out_ != 0) {
        const std::string text = std::to_string(left_out_) + " log lines were left out: too many";
        left_out_ = 0;
        to_->log({message.time, {}, message.logger_name, spdlog::level::warn, text});
    }
    to_->log(message);
}

void set_up_log() {
    auto limited =
        std::make_shared<LimitedSink>(std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    if (stderr_is_journald()) {
        limited->set_formatter(std::make_unique<JournalLines>());
    } else {
        limited->set_formatter(log_formatter());
    }
    const auto level = spdlog::get_level();
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("", std::move(limited)));
    spdlog::set_level(level);
}

}  // namespace pinhole::escape
