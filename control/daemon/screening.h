// SPDX-License-Identifier: BSD-3-Clause
// The operator's screening rules, from their file to the workers: read and compiled off the
// workers, published when they are good, and the old ones kept when they are not. Any thread but a
// worker; the locks are among those alone.
#pragma once

#include "dataplane/io/qsbr.h"
#include "dataplane/screen/published_rules.h"

#include <mutex>
#include <string>
#include <vector>

namespace pinhole::daemon {

struct LoadedRules {
    std::unique_ptr<const screen::RuleSet> rules;  // null if anything is wrong
    std::vector<std::string> problems;             // "FILE:LINE: what is wrong", all of them
    std::vector<std::string> warnings;
};
// Takes milliseconds to seconds.
[[nodiscard]] LoadedRules load_rules(const std::string& path, unsigned workers);

class Screening {
  public:
    explicit Screening(io::Qsbr& qsbr) : rules_({io::Qsbr::start_fn, io::Qsbr::passed_fn, &qsbr}) {}

    // Takes up rules that load_rules() has found good; null: nothing is screened any more.
    void use(std::unique_ptr<const screen::RuleSet> rules);
    void reclaim();
    [[nodiscard]] std::vector<screen::RuleHits> hits() const;
    [[nodiscard]] const screen::RuleSetPointer& pointer() const { return rules_.pointer(); }

  private:
    mutable std::mutex mutex_;  // of rules_; never held for long
    screen::PublishedRules rules_;
};

}  // namespace pinhole::daemon
