// SPDX-License-Identifier: BSD-3-Clause
// A build without Hyperscan: no set can be made, so none is ever asked.
#include "dataplane/screen/rule_set.h"

namespace pinhole::screen {

struct RuleSet::Impl {};

RuleSet::RuleSet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RuleSet::~RuleSet() = default;

std::unique_ptr<RuleSet> RuleSet::compile(std::span<const Rule> /*rules*/, unsigned /*workers*/,
                                          Complaints& complaints) {
    complaints.push_back({0, false,
                          "this build can't screen: it was made without Hyperscan "
                          "(libhyperscan-dev)"});
    return nullptr;
}

Matches RuleSet::match(std::string_view, const sip::Message*, unsigned) const {
    return {};
}
Verdict RuleSet::judge(const Matches&, unsigned) const {
    return {};
}
std::span<const Rule> RuleSet::rules() const {
    return {};
}
std::uint64_t RuleSet::hits(std::size_t) const {
    return 0;
}
std::size_t RuleSet::database_count() const {
    return 0;
}

}  // namespace pinhole::screen
