// SPDX-License-Identifier: BSD-3-Clause
// Rules compiled for Hyperscan: one database for all fields that the same rules look at, a lane of
// scratch and counters a worker. Immutable but for the lanes; made and ended by the service side,
// published by one pointer. A message costs one scan for each value of each field that a rule
// names, whatever the number of rules. Pure but for hs.
#pragma once

#include "dataplane/counters.h"
#include "dataplane/screen/rule.h"
#include "dataplane/sip/message.h"

#include <atomic>
#include <bitset>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace pinhole::screen {

// A bit a rule, in the file's order.
using Matches = std::bitset<kMaxRules>;

// What is to become of a message.
struct Verdict {
    Action action = Action::kCountOnly;
    std::uint16_t code = 0;  // of kReject

    [[nodiscard]] bool passes() const { return action == Action::kCountOnly; }
};

class RuleSet {
  public:
    // Any thread but a worker; takes milliseconds to seconds. Nothing if Hyperscan refuses a rule:
    // then a complaint for each that it refuses. Warnings may come with a good set.
    [[nodiscard]] static std::unique_ptr<RuleSet> compile(std::span<const Rule> rules,
                                                          unsigned workers, Complaints& complaints);
    ~RuleSet();
    RuleSet(const RuleSet&) = delete;
    RuleSet& operator=(const RuleSet&) = delete;

    // `text` is the datagram, `message` what the parser made of it, or null where it failed: then
    // only rules for Field::kAny are asked. The worker's own thread.
    [[nodiscard]] Matches match(std::string_view text, const sip::Message* message,
                                unsigned worker) const;
    // Counts the hits: of all that only count, and of the first that does more, which is the
    // verdict. The worker's own thread.
    [[nodiscard]] Verdict judge(const Matches& matches, unsigned worker) const;

    [[nodiscard]] std::span<const Rule> rules() const;
    // Of all workers. Any thread.
    [[nodiscard]] std::uint64_t hits(std::size_t rule) const;
    // Databases and scans a message, where each field that is named has one value: for tests.
    [[nodiscard]] std::size_t database_count() const;

  private:
    struct Impl;
    explicit RuleSet(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

// Null: nothing is screened. Published by the service side; who loads it is registered with the
// QSBR, which tells when the old one may go.
using RuleSetPointer = std::atomic<const RuleSet*>;

}  // namespace pinhole::screen
