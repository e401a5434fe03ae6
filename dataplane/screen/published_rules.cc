// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/screen/published_rules.h"

#include <utility>

namespace pinhole::screen {

void PublishedRules::add_hits(const RuleSet& set, ByName& to) {
    const auto rules = set.rules();
    for (std::size_t i = 0; i < rules.size(); ++i) {
        to[rules[i].name] += set.hits(i);
    }
}

void PublishedRules::put(std::unique_ptr<const RuleSet> next) {
    // Pairs with the workers' acquire load.
    published_.store(next.get(), std::memory_order_release);
    if (current_ != nullptr) {
        retired_.push_back({std::move(current_), reclaimer_.start(reclaimer_.context)});
    }
    current_ = std::move(next);
}

void PublishedRules::reclaim() {
    while (!retired_.empty() && reclaimer_.passed(reclaimer_.context, retired_.front().token)) {
        add_hits(*retired_.front().set, carried_);
        retired_.pop_front();
        if (!retired_.empty()) {
            continue;
        }
        // Nothing is kept of a name that nobody has any more.
        ByName kept;
        for (const RuleHits& each : hits()) {
            const auto carried = carried_.find(each.rule);
            if (carried != carried_.end()) {
                kept.insert(*carried);
            }
        }
        carried_ = std::move(kept);
    }
}

std::vector<RuleHits> PublishedRules::hits() const {
    std::vector<RuleHits> out;
    if (current_ == nullptr) {
        return out;
    }
    ByName earlier = carried_;
    for (const Retired& retired : retired_) {
        add_hits(*retired.set, earlier);
    }
    const auto rules = current_->rules();
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto before = earlier.find(rules[i].name);
        out.push_back(
            {rules[i].name, current_->hits(i) + (before == earlier.end() ? 0 : before->second)});
    }
    return out;
}

}  // namespace pinhole::screen
