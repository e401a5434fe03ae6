// SPDX-License-Identifier: BSD-3-Clause
// The subscribers, from their file to the workers: read off the workers, published when they are
// good, and the old ones kept when they are not. Both stand in memory until the last worker has let
// go of the old. Any thread but a worker; the locks are among those alone.
#pragma once

#include "control/config/config.h"
#include "dataplane/auth/policy.h"
#include "dataplane/auth/subscribers.h"
#include "dataplane/io/qsbr.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace pinhole::daemon {

struct LoadedSubscribers {
    std::unique_ptr<const auth::Subscribers> subscribers;  // null if anything is wrong
    std::vector<std::string> problems;  // "FILE:LINE: what is wrong", the first of them
    std::vector<std::string> warnings;
};
// Takes seconds for millions.
[[nodiscard]] LoadedSubscribers load_subscribers(const config::Auth& wanted,
                                                 const auth::UserHash& hash);

// With secrets of this run.
[[nodiscard]] auth::DigestPolicy auth_policy(const config::Auth& wanted);

class Subscription {
  public:
    // `wanted` asks for digest.
    Subscription(const config::Auth& wanted, io::Qsbr& qsbr);

    // Takes up subscribers that load_subscribers() has found good.
    void use(std::unique_ptr<const auth::Subscribers> subscribers);
    void reclaim();
    [[nodiscard]] std::size_t users() const;
    [[nodiscard]] const auth::DigestPolicy& policy() const { return policy_; }
    [[nodiscard]] const auth::SubscribersPointer& pointer() const { return published_; }

  private:
    struct Retired {
        std::unique_ptr<const auth::Subscribers> subscribers;
        std::uint64_t token;
    };

    const auth::DigestPolicy policy_;
    io::Qsbr& qsbr_;
    mutable std::mutex mutex_;  // of what follows; never held for long
    auth::SubscribersPointer published_{nullptr};
    std::unique_ptr<const auth::Subscribers> current_;
    std::deque<Retired> retired_;
};

}  // namespace pinhole::daemon
