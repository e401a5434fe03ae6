// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/resolver.h"

namespace pinhole::netlink {

bool Resolver::spend(std::uint64_t now_ms) {
    if (now_ms / 1000 != second_) {
        second_ = now_ms / 1000;
        spent_ = 0;
    }
    if (spent_ == kMaxPerSecond) {
        return false;
    }
    ++spent_;
    return true;
}

bool Resolver::ask(const LinkAddress& neighbour, std::uint64_t now_ms) {
    const auto known = asked_.find(neighbour);
    if (known != asked_.end() && now_ms < known->second.last_ms + kRetryMs) {
        return false;
    }
    if (!spend(now_ms)) {
        return false;
    }
    if (known != asked_.end()) {
        known->second.last_ms = now_ms;
        order_.splice(order_.end(), order_, known->second.age);
        return true;
    }
    if (asked_.size() == kMaxRemembered) {
        asked_.erase(order_.front());
        order_.pop_front();
    }
    order_.push_back(neighbour);
    asked_.emplace(neighbour, Entry{now_ms, std::prev(order_.end())});
    return true;
}

bool Resolver::remembers(const LinkAddress& neighbour) const {
    return asked_.contains(neighbour);
}

}  // namespace pinhole::netlink
