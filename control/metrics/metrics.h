// SPDX-License-Identifier: BSD-3-Clause
// Turns the plain counters of workers and control thread into Prometheus' text format. Reads each
// counter as it stands, takes no lock that a worker could meet, and keeps nothing between scrapes.
// Any thread but a worker.
#pragma once

#include "dataplane/counters.h"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::metrics {

// counts[i] is how many fell at or below upper_bounds_s[i] and above the bound before: not
// cumulative. The last of counts, one more than there are bounds, is what exceeds them all.
struct HistogramFigures {
    std::vector<double> upper_bounds_s;
    std::vector<std::uint64_t> counts;
    double sum_s = 0;

    [[nodiscard]] std::uint64_t total() const;
    // The bound below which a share `q` (0 to 1) of the samples lies; 0 if there are none, the last
    // bound if beyond.
    [[nodiscard]] double quantile_s(double q) const;
};

enum class ContactState : std::uint8_t { kUnknown, kReachable, kUnreachable, kCount };
inline constexpr std::array<std::string_view, 3> kContactStateNames{"unknown", "reachable",
                                                                    "unreachable"};

inline constexpr std::array<std::string_view, 3> kAlgNames{"consistent", "half", "broken"};

struct QualifyFigures {
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    std::uint64_t missed = 0;                  // timed out
    std::uint64_t spared = 0;                  // put off: the phone had proved life by itself
    std::uint64_t overdue = 0;                 // contacts whose ping is due and waits
    std::uint64_t trials_survived = 0;         // canaries that waited longer and were answered
    std::uint64_t trials_lost = 0;             // canaries whose mapping died of it
    std::uint64_t fallbacks = 0;               // what was learned was given up
    std::uint64_t rebinds = 0;                 // contacts that came back by another mapping
    std::uint64_t repeated = 0;                // of `sent`, those that were sent again
    std::uint64_t probes = 0;                  // pings to a Contact's port
    std::uint64_t suspects = 0;                // contacts whose flow may be another phone's
    std::array<std::uint64_t, 3> rewritten{};  // contacts, in the order of kAlgNames
    std::uint64_t gateways = 0;                // places taken
    std::uint64_t gateways_refused = 0;        // contacts whose gateway found no place
    std::uint64_t outages = 0;                 // gateways and prefixes that fell silent as a whole
    std::uint64_t outages_now = 0;             // of them, those that are
    std::uint64_t removed_expired = 0;         // contacts whose time ran out
    std::uint64_t removed_unreachable = 0;
    HistogramFigures rtt;  // ping to answer
    HistogramFigures lag;  // how much later than planned a ping left
    std::array<std::uint64_t, 3> contacts_by_state{};
};

// In the order of route::PeerState.
enum class PeerState : std::uint8_t { kUnknown, kUp, kDown, kCount };
inline constexpr std::array<std::string_view, 3> kPeerStateNames{"unknown", "up", "down"};

struct PeerFigures {
    std::string peer;      // "203.0.113.10:5060", as configured
    bool checked = false;  // else nothing below but the state, which is unknown
    PeerState state = PeerState::kUnknown;
    double for_s = 0;            // how long it has been in this state
    std::uint64_t answered = 0;  // checks, by how they ended
    std::uint64_t missed = 0;
    std::uint64_t refused = 0;    // answered 503
    std::optional<double> rtt_s;  // of the last answer
};

struct CoreFigures {
    unsigned core = 0;                       // the worker's index: the `core` label
    const CoreCounters* counters = nullptr;  // outlives the scrape
    std::uint64_t contacts = 0;              // in this worker's shard
};

struct KeyFigures {
    bool kept = false;  // in a file
    std::uint64_t count = 0;
    std::uint64_t age_s = 0;           // of the one that signs
    std::uint64_t rotate_every_s = 0;  // 0: never
    bool overdue = false;              // a new one is due and can't be written
};

// Of the screening rules in use; the name is the operator's, of [a-z0-9_-].
struct RuleFigures {
    std::string rule;
    std::uint64_t hits = 0;
};

struct IcmpFigures {
    std::uint64_t learned = 0;  // path MTUs
    std::uint64_t ignored = 0;  // path MTUs that were no news, or not to be believed
    std::uint64_t other = 0;
    std::uint64_t path_mtus = 0;  // known now
};

struct JournalFigures {
    bool kept = false;  // there is a journal
    bool whole = true;  // what is kept would bring all bindings back
    double sync_age_s = 0;
    std::uint64_t copied_bytes = 0;
    std::uint64_t log_bytes = 0;
    std::uint64_t snapshot_bytes = 0;
    std::uint64_t snapshots = 0;
    std::uint64_t lost = 0;      // changes
    std::uint64_t failures = 0;  // of the disk
    std::uint64_t restored = 0;  // contacts, at start
    double restore_s = 0;
};

struct Snapshot {
    std::vector<CoreFigures> cores;
    QualifyFigures qualify;
    KeyFigures keys;
    JournalFigures journal;
    std::vector<PeerFigures> peers;
    std::vector<RuleFigures> screening;
    IcmpFigures icmp;
    std::optional<std::uint64_t> subscribers;  // none: nobody is asked for a password
    std::uint64_t max_contacts = 0;
    double uptime_s = 0;
};

// prometheus-cpp's own interface, so that its registry, exposer and serializer work with ours.
class Collector final : public prometheus::Collectable {
  public:
    explicit Collector(std::function<Snapshot()> source) : source_(std::move(source)) {}
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

  private:
    std::function<Snapshot()> source_;
};

[[nodiscard]] std::vector<prometheus::MetricFamily> collect(const Snapshot& snapshot);
// Text format 0.0.4 (`Content-Type: text/plain; version=0.0.4`).
[[nodiscard]] std::string to_text(const Snapshot& snapshot);

}  // namespace pinhole::metrics
