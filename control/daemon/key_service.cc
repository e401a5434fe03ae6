// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/key_service.h"

#include "control/disk/private_file.h"
#include "control/keys/key_file.h"

#include <sodium.h>
#include <spdlog/spdlog.h>

#include <ctime>
#include <filesystem>
#include <system_error>

namespace pinhole::daemon {
namespace {

constexpr std::uint64_t kTryAgain_ms = 60'000;

std::uint64_t wall_s() {
    return static_cast<std::uint64_t>(std::time(nullptr));
}

std::string damaged(const std::string& file, const std::string& reason) {
    return "the key file " + file + " is damaged: it " + reason +
           ". Put back a good copy; or remove it and have new keys, which end the calls and "
           "subscriptions under way";
}

keys::Outside outside(const std::string& file) {
    return {.write =
                [file](std::string_view text) {
                    return file.empty() ? std::nullopt : disk::replace_private(file, text);
                },
            .randomize = [](std::span<std::uint8_t> to) { randombytes_buf(to.data(), to.size()); }};
}

}  // namespace

KeyService::KeyService(const config::Keys& wanted)
    : file_(wanted.file),
      rotate_s_(std::uint64_t{wanted.rotate_h} * 3600),
      keeper_(rotate_s_, outside(file_)) {}

io::Result<std::unique_ptr<KeyService>> KeyService::start(const config::Keys& wanted) {
    std::unique_ptr<KeyService> service(new KeyService(wanted));
    if (io::Status begun = service->begin(); !begun) {
        return begun.error();
    }
    return service;
}

std::optional<std::string> KeyService::check(const config::Keys& wanted) {
    disk::PrivateFile kept;
    if (!wanted.file.empty()) {
        kept = disk::read_private(wanted.file);
    }
    if (kept.error || !kept.text) {
        return std::move(kept.error);
    }
    const keys::ParsedKeys parsed = keys::parse_keys(*kept.text);
    return parsed.ring ? std::nullopt : std::optional(damaged(wanted.file, parsed.reason));
}

io::Status KeyService::begin() {
    disk::PrivateFile kept;
    if (!file_.empty()) {
        kept = disk::read_private(file_);
        if (kept.error) {
            return io::Error{io::ErrorCode::kSystem, *kept.error};
        }
        if (!kept.text) {
            std::error_code ignored;  // the write below tells
            std::filesystem::create_directories(std::filesystem::path(file_).parent_path(),
                                                ignored);
        }
    }
    const auto refused = keeper_.start(kept.text, wall_s());
    if (refused && !keeper_.failure().empty()) {
        return io::Error{io::ErrorCode::kSystem,
                         *refused + "; or write [keys] file = \"\" and keep none"};
    }
    if (refused) {
        return io::Error{io::ErrorCode::kInvalid, damaged(file_, *refused)};
    }
    failing_ = !keeper_.failure().empty();
    if (failing_) {
        spdlog::error("the keys stay as they are: {}", keeper_.failure());
    }
    if (file_.empty()) {
        spdlog::warn(
            "[keys] file is \"\": calls and subscriptions under way end when pinhole does");
    }
    show();
    return {};
}

bool KeyService::turn(std::uint64_t now_ms) {
    if (failing_ && now_ms < next_try_ms_) {
        return false;
    }
    switch (keeper_.turn(wall_s())) {
        case keys::Turn::kNothing:
            return false;
        case keys::Turn::kFailed:
            spdlog::error("the old key goes on: {}", keeper_.failure());
            [[fallthrough]];
        case keys::Turn::kFailedAgain:
            failing_ = true;
            next_try_ms_ = now_ms + kTryAgain_ms;
            overdue_.store(true, std::memory_order_relaxed);
            return false;
        case keys::Turn::kRotated:
            break;
    }
    failing_ = false;
    show();
    spdlog::info("a new key signs, number {}; {} are kept", keeper_.ring().newest_first[0].id,
                 keeper_.ring().newest_first.size());
    return true;
}

metrics::KeyFigures KeyService::figures() const {
    const std::uint64_t now_s = wall_s();
    const std::uint64_t created_s = created_s_.load(std::memory_order_relaxed);
    return {.kept = !file_.empty(),
            .count = count_.load(std::memory_order_relaxed),
            .age_s = now_s > created_s ? now_s - created_s : 0,
            .rotate_every_s = rotate_s_,
            .overdue = overdue_.load(std::memory_order_relaxed)};
}

void KeyService::show() {
    created_s_.store(keeper_.ring().newest_first[0].created_s, std::memory_order_relaxed);
    count_.store(keeper_.ring().newest_first.size(), std::memory_order_relaxed);
    overdue_.store(false, std::memory_order_relaxed);
}

}  // namespace pinhole::daemon
