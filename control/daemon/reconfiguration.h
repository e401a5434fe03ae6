// SPDX-License-Identifier: BSD-3-Clause
// Change without stopping. A reload reads the configuration and all the files that it names before
// anything takes effect: either all of it does, or nothing. What only a restart can change is named
// and left. Draining takes no new bindings, goes on with the existing ones, and may end pinhole
// later. The calling thread reads; the service thread, which owns what workers see, makes the
// change.
#pragma once

#include "control/api/system.h"
#include "control/config/config.h"
#include "control/daemon/control_thread.h"
#include "control/daemon/peer_log.h"
#include "control/daemon/publisher.h"
#include "control/daemon/screening.h"
#include "control/daemon/subscription.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace pinhole::daemon {

struct ReconfigurationParts {
    std::string file;
    Publisher& publisher;
    Screening& screening;
    Subscription* subscription;  // null: nobody is asked for a password
    ControlThread& control;
    PeerLog& peer_log;
    const route::PeerHealth& peer_health;
};

// As the operator writes them.
[[nodiscard]] std::vector<std::string> peer_names(const config::Core& core);

class Reconfiguration {
  public:
    Reconfiguration(const ReconfigurationParts& parts,
                    std::shared_ptr<const config::Config> running);

    // What is in use. Any thread.
    [[nodiscard]] std::shared_ptr<const config::Config> current() const;
    [[nodiscard]] bool draining() const { return draining_.load(std::memory_order_relaxed); }

    // Any thread but the service thread, for which it waits, and a worker.
    [[nodiscard]] api::ReloadResult reload();
    // `stop_after_s`: then pinhole ends by itself. False: the service thread did not get to it.
    [[nodiscard]] bool drain(bool on, std::optional<std::uint32_t> stop_after_s);

    // The service thread's. What is asked for is done in turn(), which is true when pinhole is to
    // end.
    void reload_here();
    [[nodiscard]] bool turn(std::uint64_t now_ms);
    // Nobody waits any more.
    void close();

  private:
    // Everything read and found good, or why not.
    struct Prepared {
        api::ReloadResult result;
        std::shared_ptr<const config::Config> next;
        LoadedRules rules;
        LoadedSubscribers subscribers;
    };
    [[nodiscard]] Prepared prepare() const;
    void check_room(const config::Config& next, api::ReloadResult& result) const;
    void take_up(Prepared& prepared);
    void say(const api::ReloadResult& result) const;
    [[nodiscard]] bool in_service(std::function<void(std::uint64_t now_ms)> order);

    const ReconfigurationParts parts_;
    mutable std::mutex running_mutex_;
    std::shared_ptr<const config::Config> running_;

    std::mutex asking_;  // one at a time
    std::mutex order_mutex_;
    std::condition_variable order_done_;
    std::function<void(std::uint64_t)> order_;
    bool closed_ = false;

    std::atomic<bool> draining_{false};
    std::optional<std::uint64_t> stop_at_ms_;  // the service thread's
};

}  // namespace pinhole::daemon
