// SPDX-License-Identifier: BSD-3-Clause
#include "control/intervals/intervals_file.h"

#include "dataplane/net/address.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

namespace pinhole::intervals {
namespace {

constexpr std::string_view kHead = "pinhole intervals 1";
constexpr std::string_view kSaved = "saved ";
constexpr std::string_view kEnd = "end ";

std::string sum_text(std::string_view text) {
    std::array<char, 17> hex{};
    std::snprintf(hex.data(), hex.size(), "%016llx",
                  static_cast<unsigned long long>(XXH3_64bits(text.data(), text.size())));
    return hex.data();
}

// Takes what stands before `stop` off, and `stop` with it; nothing where there is none.
std::optional<std::string_view> take_until(std::string_view& text, char stop) {
    const std::size_t end = text.find(stop);
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(end + 1);
    return part;
}

template <class T>
bool read_number(std::string_view text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

template <class T>
bool take_number(std::string_view& line, T& out) {
    const auto part = take_until(line, ' ');
    return part && read_number(*part, out);
}

bool parse_line(std::string_view line, KeptLesson& out) {
    const auto name = take_until(line, ' ');
    const auto address = name ? net::parse_address(*name) : std::nullopt;
    if (!address) {
        return false;
    }
    out.gateway = *address;
    return take_number(line, out.agent) && take_number(line, out.safe_s) &&
           take_number(line, out.fail_s) && take_number(line, out.failed_ago_s) &&
           read_number(line, out.losses);
}

// Empty: it is good.
std::string read_body(std::string_view text, Intervals& out) {
    if (take_until(text, '\n') != kHead) {
        return "does not begin with \"" + std::string(kHead) + "\"";
    }
    const std::string_view saved = take_until(text, '\n').value_or("");
    if (saved.substr(0, kSaved.size()) != kSaved ||
        !read_number(saved.substr(kSaved.size()), out.saved_s)) {
        return "does not say when it was saved";
    }
    while (const auto line = take_until(text, '\n')) {
        if (out.lessons.size() == kMostKept || !parse_line(*line, out.lessons.emplace_back())) {
            return "has a line that is no gateway with its times, or too many";
        }
    }
    return {};
}

std::string end_text(std::size_t lines, std::string_view body) {
    return std::string(kEnd) + std::to_string(lines) + " " + sum_text(body) + "\n";
}

}  // namespace

ParsedIntervals parse_intervals(std::string_view text) {
    const std::size_t at =
        text.size() < 2 ? std::string_view::npos : text.rfind('\n', text.size() - 2);
    if (at == std::string_view::npos || text.back() != '\n') {
        return {.intervals = {}, .reason = "is cut short"};
    }
    const std::string_view body = text.substr(0, at + 1);
    const std::string_view last = text.substr(at + 1);
    Intervals intervals;
    std::string reason = read_body(body, intervals);
    if (last.substr(0, kEnd.size()) != kEnd) {
        reason = "is cut short";
    } else if (reason.empty() && last != end_text(intervals.lessons.size(), body)) {
        reason = "is not as it was written: its sum is another";
    }
    if (!reason.empty()) {
        return {.intervals = {}, .reason = std::move(reason)};
    }
    return {.intervals = std::move(intervals), .reason = {}};
}

std::string intervals_text(const Intervals& intervals) {
    std::string text =
        std::string(kHead) + "\n" + std::string(kSaved) + std::to_string(intervals.saved_s) + "\n";
    const std::size_t lines = std::min(intervals.lessons.size(), kMostKept);
    for (std::size_t i = 0; i < lines; ++i) {
        const KeptLesson& lesson = intervals.lessons[i];
        std::array<char, 64> numbers{};
        std::snprintf(numbers.data(), numbers.size(), " %u %u %u %u %u\n", lesson.agent,
                      lesson.safe_s, lesson.fail_s, lesson.failed_ago_s, lesson.losses);
        text += net::to_string(lesson.gateway) + numbers.data();
    }
    return text + end_text(lines, text);
}

// One that was saved in the future was saved under a wrong clock: it is taken as new.
void age(Intervals& intervals, std::uint64_t now_s) {
    const std::uint64_t passed_s = now_s > intervals.saved_s ? now_s - intervals.saved_s : 0;
    if (passed_s > kOldest_s) {
        intervals.lessons.clear();
    }
    for (KeptLesson& lesson : intervals.lessons) {
        constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
        lesson.failed_ago_s =
            static_cast<std::uint32_t>(std::min(lesson.failed_ago_s + passed_s, kMost));
    }
}

}  // namespace pinhole::intervals
