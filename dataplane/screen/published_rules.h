// SPDX-License-Identifier: BSD-3-Clause
// The rule set in use and those on their way out. A worker may go on counting in a set that was
// replaced until its next quiescent state; what it counts is carried over to the rules of the same
// name, so that a rule's hits never go back as long as the rule stays. Pure; one caller at a time,
// but for the pointer, which any worker loads.
#pragma once

#include "dataplane/screen/rule_set.h"
#include "dataplane/table/memory.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pinhole::screen {

struct RuleHits {
    std::string rule;  // its name
    std::uint64_t hits = 0;
};

class PublishedRules {
  public:
    explicit PublishedRules(table::Reclaimer reclaimer) : reclaimer_(reclaimer) {}
    PublishedRules(const PublishedRules&) = delete;
    PublishedRules& operator=(const PublishedRules&) = delete;

    // Published at once.
    void put(std::unique_ptr<const RuleSet> next);
    // Ends the sets that no worker can hold any more.
    void reclaim();

    // Of the rules in use, in their order.
    [[nodiscard]] std::vector<RuleHits> hits() const;
    [[nodiscard]] const RuleSetPointer& pointer() const { return published_; }

  private:
    struct Retired {
        std::unique_ptr<const RuleSet> set;
        std::uint64_t token;
    };
    using ByName = std::map<std::string, std::uint64_t, std::less<>>;
    static void add_hits(const RuleSet& set, ByName& to);

    table::Reclaimer reclaimer_;
    RuleSetPointer published_{nullptr};
    std::unique_ptr<const RuleSet> current_;
    std::deque<Retired> retired_;
    ByName carried_;  // of sets that have ended, for names that are in use or still retiring
};

}  // namespace pinhole::screen
