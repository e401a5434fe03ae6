// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/capture_service.h"

#include <spdlog/spdlog.h>

namespace pinhole::daemon {
namespace {

// pinholectl takes many times a second.
constexpr std::chrono::seconds kForgotten{5};

}  // namespace

api::CaptureStart CaptureService::start(std::string_view filter) {
    std::string problem;
    auto wanted = net::CaptureFilter::parse(filter, problem);
    if (!wanted) {
        return {0, problem};
    }
    const std::lock_guard lock(mutex_);
    if (capture_ != nullptr) {
        return {0, "another capture runs: one at a time"};
    }
    auto started = io::Capture::start(ports_, qsbr_, std::move(*wanted));
    if (!started) {
        return {0, started.error().message};
    }
    capture_ = started.take();
    taken_ = Clock::now();
    spdlog::info("a capture of packets begins, filter \"{}\"", filter);
    return {++id_, {}};
}

std::optional<api::CaptureChunk> CaptureService::take(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    if (capture_ == nullptr || id != id_) {
        return std::nullopt;
    }
    taken_ = Clock::now();
    auto bytes = capture_->take();
    if (!bytes) {
        spdlog::warn("the capture of packets ends: {}", bytes.error().message);
        capture_.reset();
        return std::nullopt;
    }
    return api::CaptureChunk{bytes.take(), capture_->missed()};
}

bool CaptureService::stop(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    if (capture_ == nullptr || id != id_) {
        return false;
    }
    spdlog::info("the capture of packets ends, {} missed", capture_->missed());
    capture_.reset();
    return true;
}

void CaptureService::tidy() {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock.owns_lock() && capture_ != nullptr && Clock::now() - taken_ > kForgotten) {
        spdlog::info("the capture of packets ends: nobody takes from it any more");
        capture_.reset();
    }
}

}  // namespace pinhole::daemon
