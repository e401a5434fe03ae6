// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/allowance_service.h"

#include "control/disk/private_file.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <vector>

namespace pinhole::daemon {
namespace {

// What a crash costs: registrations since then don't count for their addresses.
constexpr std::uint64_t kSaveEvery_ms = 300'000;

std::uint64_t wall_s() {
    return static_cast<std::uint64_t>(std::time(nullptr));
}

}  // namespace

void AllowanceService::take_up(Workers workers) {
    if (file_.empty()) {
        return;
    }
    const disk::PrivateFile kept = disk::read_private(file_, allowance::kMaxFile);
    if (kept.error) {
        spdlog::warn("addresses begin without the allowance of their phones: {}", *kept.error);
        return;
    }
    if (!kept.text) {
        std::error_code ignored;  // the first save tells
        std::filesystem::create_directories(std::filesystem::path(file_).parent_path(), ignored);
        return;
    }
    allowance::ParsedAllowances parsed = allowance::parse_allowances(*kept.text);
    if (!parsed.allowances) {
        spdlog::warn("addresses begin without the allowance of their phones: {} is damaged: it {}",
                     file_, parsed.reason);
        return;
    }
    allowance::age(*parsed.allowances, wall_s());
    // An address's flows are spread over the workers, whoever had them before.
    const auto share = static_cast<float>(workers.size());
    for (const admit::KnownAddress& address : parsed.allowances->addresses) {
        for (const auto& worker : workers) {
            worker->remember(address.name, address.phones / share);
        }
    }
}

void AllowanceService::turn(Workers workers, std::uint64_t now_ms) {
    if (file_.empty()) {
        return;
    }
    if (next_ms_ == 0) {
        next_ms_ = now_ms + kSaveEvery_ms;
    }
    if (now_ms >= next_ms_) {
        next_ms_ = now_ms + kSaveEvery_ms;
        asked_ = true;
        for (const auto& worker : workers) {
            worker->allowances().ask_service();
        }
    }
    const bool all = std::all_of(workers.begin(), workers.end(), [](const auto& worker) {
        return worker->allowances().take_service().has_value();
    });
    if (asked_ && all) {
        asked_ = false;
        save(workers);
    }
}

void AllowanceService::end(Workers workers) {
    if (file_.empty() || workers.empty()) {
        return;
    }
    for (const auto& worker : workers) {
        worker->allowances().ask_service();
        while (!worker->allowances().take_service()) {
            worker->copy_allowances();
        }
    }
    save(workers);
}

void AllowanceService::save(Workers workers) {
    std::vector<std::span<const admit::KnownAddress>> copies;
    for (const auto& worker : workers) {
        copies.push_back(*worker->allowances().take_service());
    }
    const auto failure = disk::replace_private(
        file_, allowance::allowances_text({wall_s(), allowance::merged(copies)}));
    if (failure && !failing_) {
        spdlog::warn("the allowances of addresses are not kept over a restart: {}", *failure);
    }
    failing_ = failure.has_value();
}

}  // namespace pinhole::daemon
