// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/interval_service.h"

#include "control/disk/private_file.h"
#include "control/intervals/intervals_file.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <ctime>

namespace pinhole::daemon {
namespace {

// So much may be lost by a crash; more if the file is so long that writing it takes a while.
constexpr std::uint64_t kSaveEvery_ms = 10'000;

std::uint64_t wall_s() {
    return static_cast<std::uint64_t>(std::time(nullptr));
}

}  // namespace

void IntervalService::take_up(qualify::Gateways& gateways, std::uint32_t now_s) {
    if (file_.empty()) {
        return;
    }
    const disk::PrivateFile kept = disk::read_private(file_, intervals::kMaxFile);
    if (kept.error) {
        spdlog::warn("intervals are learned afresh: {}", *kept.error);
        return;
    }
    if (!kept.text) {
        return;
    }
    intervals::ParsedIntervals parsed = intervals::parse_intervals(*kept.text);
    if (!parsed.intervals) {
        spdlog::warn("intervals are learned afresh: {} is damaged: it {}", file_, parsed.reason);
        return;
    }
    intervals::age(*parsed.intervals, wall_s());
    for (const qualify::KeptLesson& lesson : parsed.intervals->lessons) {
        gateways.recall(lesson, now_s);
    }
    spdlog::info("intervals of {} gateways and kinds of phones are known from before",
                 parsed.intervals->lessons.size());
}

void IntervalService::turn(const qualify::Gateways& gateways, std::uint64_t lessons,
                           std::uint64_t now_ms, std::uint32_t now_s) {
    if (file_.empty() || lessons == saved_lessons_ || now_ms < next_ms_) {
        return;
    }
    next_ms_ = now_ms + kSaveEvery_ms;
    saved_lessons_ = lessons;
    save(gateways, now_s);
}

void IntervalService::end(const qualify::Gateways& gateways, std::uint64_t lessons,
                          std::uint32_t now_s) {
    if (!file_.empty() && lessons != 0) {
        save(gateways, now_s);
    }
}

void IntervalService::save(const qualify::Gateways& gateways, std::uint32_t now_s) {
    intervals::Intervals all{wall_s(), {}};
    qualify::GatewayView view;
    for (std::uint32_t i = 1; i <= gateways.capacity(); ++i) {
        if (gateways.read_any(i, view) && all.lessons.size() < intervals::kMostKept) {
            qualify::keep_lessons(view, now_s, all.lessons);
        }
    }
    const auto failure = disk::replace_private(file_, intervals::intervals_text(all));
    if (failure && !failing_) {
        spdlog::warn("learned intervals are not kept over a restart: {}", *failure);
    }
    failing_ = failure.has_value();
}

}  // namespace pinhole::daemon
