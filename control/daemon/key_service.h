// SPDX-License-Identifier: BSD-3-Clause
// The keys with their file, wall clock and randomness. The service thread turns them; a key is on
// the disk before anything is signed under it. No key ever stands in a log.
#pragma once

#include "control/config/config.h"
#include "control/keys/key_keeper.h"
#include "control/metrics/metrics.h"
#include "dataplane/io/result.h"
#include "dataplane/tokens/keys.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace pinhole::daemon {

class KeyService {
  public:
    // Takes up the kept keys, or makes the first.
    static io::Result<std::unique_ptr<KeyService>> start(const config::Keys& wanted);
    // What start() would say of a file that is there; changes nothing.
    static std::optional<std::string> check(const config::Keys& wanted);

    // By the service thread, often: true if there are new keys. `now_ms` is monotonic: after a
    // failure a minute passes before the next try.
    [[nodiscard]] bool turn(std::uint64_t now_ms);
    [[nodiscard]] tokens::Keys keys() const { return keys::token_keys(keeper_.ring()); }
    // For this run's contacts (TableConfig::first_generation).
    [[nodiscard]] std::uint32_t generation() const { return keeper_.generation(); }

    // Any thread.
    [[nodiscard]] metrics::KeyFigures figures() const;

  private:
    explicit KeyService(const config::Keys& wanted);
    io::Status begin();
    void show();

    const std::string file_;
    const std::uint64_t rotate_s_;
    keys::KeyKeeper keeper_;
    std::uint64_t next_try_ms_ = 0;
    bool failing_ = false;

    // Written by the service thread, read by whoever tells of them. Each by itself.
    std::atomic<std::uint64_t> created_s_{0};
    std::atomic<std::uint64_t> count_{0};
    std::atomic<bool> overdue_{false};
};

}  // namespace pinhole::daemon
