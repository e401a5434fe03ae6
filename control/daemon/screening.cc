// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/screening.h"

#include "dataplane/screen/rule_file.h"

#include <algorithm>
#include <fstream>
#include <utility>

namespace pinhole::daemon {
namespace {

constexpr std::size_t kMaxFileBytes = 256 << 10;

// False: it can't be read.
bool read_file(const std::string& path, std::string& text) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return false;
    }
    text.resize(kMaxFileBytes + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return !file.bad() && (!text.empty() || file.eof());
}

}  // namespace

LoadedRules load_rules(const std::string& path, unsigned workers) {
    LoadedRules out;
    std::string text;
    if (!read_file(path, text)) {
        out.problems.push_back(path +
                               ": can't be read: is the path right, and may this user read it?");
        return out;
    }
    if (text.size() > kMaxFileBytes) {
        out.problems.push_back(path + ": is larger than 256 KB: these are no screening rules");
        return out;
    }
    screen::RuleFile file = screen::read_rules(text);
    // Of the lines that could be read, so that the operator hears of all mistakes at once.
    auto rules = screen::RuleSet::compile(file.rules, workers, file.complaints);
    std::stable_sort(file.complaints.begin(), file.complaints.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    for (const screen::Complaint& complaint : file.complaints) {
        (complaint.is_warning ? out.warnings : out.problems)
            .push_back(path + (complaint.line == 0 ? "" : ":" + std::to_string(complaint.line)) +
                       ": " + complaint.text);
    }
    if (out.problems.empty()) {
        out.rules = std::move(rules);
    }
    return out;
}

void Screening::use(std::unique_ptr<const screen::RuleSet> rules) {
    const std::lock_guard<std::mutex> lock(mutex_);
    rules_.put(std::move(rules));
}

void Screening::reclaim() {
    const std::lock_guard<std::mutex> lock(mutex_);
    rules_.reclaim();
}

std::vector<screen::RuleHits> Screening::hits() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return rules_.hits();
}

}  // namespace pinhole::daemon
