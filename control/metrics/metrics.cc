// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <utility>

namespace pinhole::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

MetricFamily family(const char* name, const char* help, MetricType type) {
    MetricFamily out;
    out.name = name;
    out.help = help;
    out.type = type;
    return out;
}

void add(MetricFamily& to, Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (to.type == MetricType::Counter) {
        metric.counter.value = value;
    } else {
        metric.gauge.value = value;
    }
    to.metric.push_back(std::move(metric));
}

std::string core_label(const CoreFigures& core) {
    return std::to_string(core.core);
}

// A counter of each worker's that needs no label but its core.
struct PerCore {
    const char* name;
    const char* help;
    Counter CoreCounters::*counter;
};

constexpr std::array kPerCore{
    PerCore{"pinhole_rx_packets_total", "Packets taken from the ports' receive queues.",
            &CoreCounters::rx_packets},
    PerCore{"pinhole_rx_bytes_total", "Bytes of these packets, Ethernet headers included.",
            &CoreCounters::rx_bytes},
    PerCore{"pinhole_tx_packets_total", "Packets handed to the ports' transmit queues.",
            &CoreCounters::tx_packets},
    PerCore{"pinhole_tx_bytes_total", "Bytes of these packets, Ethernet headers included.",
            &CoreCounters::tx_bytes},
    PerCore{"pinhole_handoffs_total",
            "Commands sent to the worker that owns the address of record (none with one worker).",
            &CoreCounters::handoffs},
    PerCore{"pinhole_handoffs_late_total",
            "Commands whose owner had not answered after a second: it is stuck.",
            &CoreCounters::handoffs_late},
    PerCore{"pinhole_handoffs_served_total", "Commands of other workers that this one carried out.",
            &CoreCounters::handoffs_served},
    PerCore{"pinhole_to_kernel_packets_total", "Packets passed to the kernel through the TAP.",
            &CoreCounters::to_kernel},
    PerCore{"pinhole_from_kernel_packets_total", "Packets of the kernel's sent out by a port.",
            &CoreCounters::from_kernel},
    PerCore{"pinhole_reassembled_packets_total", "Datagrams put together from fragments.",
            &CoreCounters::reassembled},
    PerCore{"pinhole_fragmented_packets_total", "Datagrams sent in fragments.",
            &CoreCounters::fragmented},
    PerCore{"pinhole_refreshes_in_place_total",
            "REGISTER requests that changed nothing but flow, expiry and CSeq: the fast path.",
            &CoreCounters::refreshed_in_place},
    PerCore{"pinhole_pings_sent_total", "Pings to phones put on a transmit queue.",
            &CoreCounters::pings_sent},
    PerCore{"pinhole_peer_checks_sent_total", "OPTIONS to core peers put on a transmit queue.",
            &CoreCounters::peer_checks_sent},
    PerCore{"pinhole_pongs_total", "Answers to pings whose MAC held.", &CoreCounters::pongs},
    PerCore{"pinhole_pongs_wrong_flow_total",
            "Good answers to pings that came from elsewhere than where the phone is registered.",
            &CoreCounters::wrong_target},
    PerCore{"pinhole_stun_answers_total", "STUN keepalives answered on the SIP port.",
            &CoreCounters::stun_answers},
    PerCore{"pinhole_contacts_retargeted_total",
            "Contacts found at the port that their Contact names, not at the one they send from.",
            &CoreCounters::retargeted},
    PerCore{"pinhole_contacts_displaced_total",
            "Contacts made suspect: another phone has registered by their flow.",
            &CoreCounters::displaced},
    PerCore{"pinhole_calls_in_total", "INVITE requests forwarded to a phone.",
            &CoreCounters::calls_in},
    PerCore{"pinhole_calls_out_total", "INVITE requests forwarded to a core peer.",
            &CoreCounters::calls_out},
    PerCore{"pinhole_responses_forwarded_total", "Responses sent back the way of their request.",
            &CoreCounters::responses_forwarded},
    PerCore{"pinhole_table_full_total",
            "Registrations refused with 503 because max_contacts was reached.",
            &CoreCounters::table_full},
    PerCore{"pinhole_auth_uri_differs_total",
            "Good digests over another URI than the request's: a gateway rewrote the request line.",
            &CoreCounters::auth_uri_differs},
    PerCore{"pinhole_no_peer_total",
            "Requests of phones refused with 503 because no core peer is up.",
            &CoreCounters::no_peer},
};

void collect_plain(const Snapshot& snapshot, std::vector<MetricFamily>& out) {
    for (const PerCore& each : kPerCore) {
        MetricFamily metrics = family(each.name, each.help, MetricType::Counter);
        for (const CoreFigures& core : snapshot.cores) {
            add(metrics, {{"core", core_label(core)}},
                static_cast<double>((core.counters->*each.counter).get()));
        }
        out.push_back(std::move(metrics));
    }
}

// An array of counters under a label of names.
template <std::size_t N>
MetricFamily collect_labelled(const Snapshot& snapshot, MetricFamily metrics, const char* label,
                              std::array<Counter, N> CoreCounters::*counters,
                              const std::array<std::string_view, N>& names) {
    for (const CoreFigures& core : snapshot.cores) {
        for (std::size_t i = 0; i < N; ++i) {
            add(metrics, {{"core", core_label(core)}, {label, std::string(names[i])}},
                static_cast<double>((core.counters->*counters)[i].get()));
        }
    }
    return metrics;
}

// Only codes that were sent: 700 series a core would drown the rest.
MetricFamily collect_responses(const Snapshot& snapshot) {
    MetricFamily metrics =
        family("pinhole_sip_responses_total", "SIP responses of pinhole's own, by status code.",
               MetricType::Counter);
    for (const CoreFigures& core : snapshot.cores) {
        for (std::size_t code = 100; code < core.counters->responses.size(); ++code) {
            const std::uint64_t count = core.counters->responses[code].get();
            if (count != 0) {
                add(metrics, {{"core", core_label(core)}, {"code", std::to_string(code)}},
                    static_cast<double>(count));
            }
        }
    }
    return metrics;
}

MetricFamily collect_cycles(const Snapshot& snapshot) {
    MetricFamily metrics = family(
        "pinhole_cycles_total",
        "CPU cycles of a worker: busy with packets, or polling empty queues.", MetricType::Counter);
    for (const CoreFigures& core : snapshot.cores) {
        add(metrics, {{"core", core_label(core)}, {"state", "busy"}},
            static_cast<double>(core.counters->cycles_busy.get()));
        add(metrics, {{"core", core_label(core)}, {"state", "idle"}},
            static_cast<double>(core.counters->cycles_idle.get()));
    }
    return metrics;
}

MetricFamily histogram(const char* name, const char* help, const HistogramFigures& figures) {
    MetricFamily metrics = family(name, help, MetricType::Histogram);
    ClientMetric metric;
    std::uint64_t cumulative = 0;
    const std::size_t bounds = std::min(figures.upper_bounds_s.size(), figures.counts.size());
    for (std::size_t i = 0; i < bounds; ++i) {
        cumulative += figures.counts[i];
        metric.histogram.bucket.push_back({cumulative, figures.upper_bounds_s[i]});
    }
    metric.histogram.bucket.push_back({figures.total(), std::numeric_limits<double>::infinity()});
    metric.histogram.sample_count = figures.total();
    metric.histogram.sample_sum = figures.sum_s;
    metrics.metric.push_back(std::move(metric));
    return metrics;
}

MetricFamily single(const char* name, const char* help, MetricType type, double value) {
    MetricFamily metrics = family(name, help, type);
    add(metrics, {}, value);
    return metrics;
}

void collect_pings(const QualifyFigures& qualify, std::vector<MetricFamily>& out) {
    const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
        out.push_back(single(name, help, MetricType::Counter, static_cast<double>(value)));
    };
    counter("pinhole_qualify_sent_total", "OPTIONS pings handed to the workers.", qualify.sent);
    counter("pinhole_qualify_answered_total", "Pings answered in time.", qualify.answered);
    counter("pinhole_qualify_repeated_total",
            "Of the pings sent, those sent again because no answer came soon.", qualify.repeated);
    counter("pinhole_qualify_missed_total", "Pings unanswered after timeout_ms.", qualify.missed);
    counter("pinhole_qualify_spared_total",
            "Pings put off because the phone had proved by itself that it lives.", qualify.spared);
    counter("pinhole_qualify_probes_total",
            "Pings to the port that a Contact names, where nothing answered at the flow.",
            qualify.probes);
    counter("pinhole_rebinds_total", "Contacts that came back by another mapping.",
            qualify.rebinds);
    MetricFamily trials =
        family("pinhole_interval_trials_total",
               "Phones that waited longer for a ping than the rest of their gateway, by what came "
               "of it.",
               MetricType::Counter);
    add(trials, {{"result", "survived"}}, static_cast<double>(qualify.trials_survived));
    add(trials, {{"result", "lost"}}, static_cast<double>(qualify.trials_lost));
    out.push_back(std::move(trials));
    counter("pinhole_interval_fallbacks_total",
            "Times that a gateway's learned interval was given up because a mapping died of it.",
            qualify.fallbacks);
    counter("pinhole_gateways_untracked_total",
            "Contacts behind an address that [qualify] gateways had no place for.",
            qualify.gateways_refused);
    counter("pinhole_outages_total",
            "Times that all phones of a gateway or prefix fell silent together.", qualify.outages);
    out.push_back(single("pinhole_outages",
                         "Gateways and prefixes all of whose phones are silent at present.",
                         MetricType::Gauge, static_cast<double>(qualify.outages_now)));
    out.push_back(single("pinhole_qualify_overdue",
                         "Contacts whose ping is due and waits: for the pace, a limit of pings a "
                         "second, or a worker.",
                         MetricType::Gauge, static_cast<double>(qualify.overdue)));
    out.push_back(single("pinhole_gateways", "Public addresses of phones that are kept in mind.",
                         MetricType::Gauge, static_cast<double>(qualify.gateways)));
}

void collect_contacts(const QualifyFigures& qualify, std::vector<MetricFamily>& out) {
    const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
        out.push_back(single(name, help, MetricType::Counter, static_cast<double>(value)));
    };
    out.push_back(single("pinhole_contacts_suspect",
                         "Contacts that get no calls because another phone has registered by "
                         "their flow.",
                         MetricType::Gauge, static_cast<double>(qualify.suspects)));
    MetricFamily rewritten =
        family("pinhole_contacts_by_alg",
               "Contacts whose SIP was rewritten on the way when they registered: consistently, in "
               "some places only, or wrongly.",
               MetricType::Gauge);
    for (std::size_t i = 0; i < kAlgNames.size(); ++i) {
        add(rewritten, {{"alg", std::string(kAlgNames[i])}},
            static_cast<double>(qualify.rewritten[i]));
    }
    out.push_back(std::move(rewritten));
    counter("pinhole_contacts_expired_total", "Contacts removed because their time ran out.",
            qualify.removed_expired);
    counter("pinhole_contacts_removed_unreachable_total",
            "Contacts removed after remove_after_s without an answer.",
            qualify.removed_unreachable);
    out.push_back(histogram("pinhole_qualify_rtt_seconds",
                            "Time from a ping to its answer, through the phone's NAT.",
                            qualify.rtt));
    out.push_back(histogram("pinhole_qualify_lag_seconds",
                            "How much later than planned a ping left: above a second or two the "
                            "control thread is overloaded.",
                            qualify.lag));
    MetricFamily states =
        family("pinhole_contacts_by_state",
               "Contacts by what their pings say: never answered, answering, or fallen silent.",
               MetricType::Gauge);
    for (std::size_t i = 0; i < kContactStateNames.size(); ++i) {
        add(states, {{"state", std::string(kContactStateNames[i])}},
            static_cast<double>(qualify.contacts_by_state[i]));
    }
    out.push_back(std::move(states));
}

// Only what is checked: of others nothing is known.
void collect_peers(const std::vector<PeerFigures>& peers, std::vector<MetricFamily>& out) {
    MetricFamily up = family("pinhole_core_peer_up",
                             "0 if the core peer fails its checks: what phones begin goes to "
                             "others. 1 if it passes them, or has not failed enough yet.",
                             MetricType::Gauge);
    MetricFamily checks = family(
        "pinhole_core_peer_checks_total",
        "OPTIONS checks of the core peer that ended: answered, missed after check_timeout_ms, or "
        "refused with 503.",
        MetricType::Counter);
    MetricFamily rtt =
        family("pinhole_core_peer_rtt_seconds", "Time from the last answered check to its answer.",
               MetricType::Gauge);
    for (const PeerFigures& each : peers) {
        if (!each.checked) {
            continue;
        }
        const Labels peer{{"peer", each.peer}};
        add(up, peer, each.state == PeerState::kDown ? 0 : 1);
        for (const auto& [result, count] : {std::pair{"answered", each.answered},
                                            {"missed", each.missed},
                                            {"refused", each.refused}}) {
            add(checks, {{"peer", each.peer}, {"result", result}}, static_cast<double>(count));
        }
        if (each.rtt_s) {
            add(rtt, peer, *each.rtt_s);
        }
    }
    for (MetricFamily* metrics : {&up, &checks, &rtt}) {
        out.push_back(std::move(*metrics));
    }
}

void collect_icmp(const IcmpFigures& icmp, std::vector<MetricFamily>& out) {
    out.push_back(single("pinhole_path_mtus",
                         "Destinations known to need smaller packets than the link takes.",
                         MetricType::Gauge, static_cast<double>(icmp.path_mtus)));
    MetricFamily errors =
        family("pinhole_icmp_errors_total",
               "ICMP errors that answer what pinhole sent: a path MTU was learned of it, or was no "
               "news or not to be believed, or it was of another kind.",
               MetricType::Counter);
    add(errors, {{"result", "learned"}}, static_cast<double>(icmp.learned));
    add(errors, {{"result", "ignored"}}, static_cast<double>(icmp.ignored));
    add(errors, {{"result", "other"}}, static_cast<double>(icmp.other));
    out.push_back(std::move(errors));
}

void collect_process(const Snapshot& snapshot, std::vector<MetricFamily>& out) {
    MetricFamily build =
        family("pinhole_build_info", "Always 1; the label tells the version.", MetricType::Gauge);
    add(build, {{"version", PINHOLE_VERSION}}, 1);
    out.push_back(std::move(build));
    out.push_back(single("pinhole_uptime_seconds", "Seconds since start.", MetricType::Gauge,
                         snapshot.uptime_s));
    out.push_back(single("pinhole_max_contacts", "The table's size: past it newcomers get 503.",
                         MetricType::Gauge, static_cast<double>(snapshot.max_contacts)));
}

void collect_keys(const KeyFigures& keys, std::vector<MetricFamily>& out) {
    out.push_back(single("pinhole_key_age_seconds",
                         "Age of the key that signs branches, tokens and tags: far above [keys] "
                         "rotate_h a new one can't be written.",
                         MetricType::Gauge, static_cast<double>(keys.age_s)));
    out.push_back(single("pinhole_keys", "Keys that verify what was signed under them.",
                         MetricType::Gauge, static_cast<double>(keys.count)));
}

void collect_journal(const JournalFigures& journal, std::vector<MetricFamily>& out) {
    if (!journal.kept) {
        return;
    }
    const auto gauge = [&](const char* name, const char* help, double value) {
        out.push_back(single(name, help, MetricType::Gauge, value));
    };
    const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
        out.push_back(single(name, help, MetricType::Counter, static_cast<double>(value)));
    };
    gauge("pinhole_journal_whole",
          "1 if what the journal keeps would bring all bindings back, 0 if the disk fails or "
          "changes were lost.",
          journal.whole ? 1 : 0);
    gauge("pinhole_journal_sync_age_seconds",
          "How long ago all that was logged was last on the disk.", journal.sync_age_s);
    gauge("pinhole_journal_log_bytes", "Logged since the last snapshot.",
          static_cast<double>(journal.log_bytes));
    gauge("pinhole_journal_snapshot_bytes", "Size of the last snapshot.",
          static_cast<double>(journal.snapshot_bytes));
    counter("pinhole_journal_copied_bytes_total", "Copied from the workers' logs to the disk.",
            journal.copied_bytes);
    counter("pinhole_journal_snapshots_total", "Snapshots taken.", journal.snapshots);
    counter("pinhole_journal_lost_total",
            "Changes that found a worker's log full; the next snapshot makes them good.",
            journal.lost);
    counter("pinhole_journal_failures_total", "Times that the journal's disk failed or was full.",
            journal.failures);
    gauge("pinhole_journal_restored_contacts", "Contacts that came back at start.",
          static_cast<double>(journal.restored));
    gauge("pinhole_journal_restore_seconds", "How long that took.", journal.restore_s);
}

void collect_requests(const Snapshot& snapshot, std::vector<MetricFamily>& out) {
    out.push_back(collect_labelled(snapshot,
                                   family("pinhole_sip_requests_total",
                                          "SIP requests received, by method.", MetricType::Counter),
                                   "method", &CoreCounters::requests, kMethodLabelNames));
    out.push_back(collect_responses(snapshot));
    out.push_back(collect_labelled(
        snapshot,
        family("pinhole_drops_total", "Packets that came to nothing, by why.", MetricType::Counter),
        "reason", &CoreCounters::drops, kDropReasonNames));
    out.push_back(collect_labelled(
        snapshot,
        family("pinhole_emergency_requests_total",
               "Calls and texts for help forwarded to a core peer.", MetricType::Counter),
        "sender", &CoreCounters::emergencies, kEmergencySenderNames));
    out.push_back(collect_labelled(
        snapshot,
        family("pinhole_odd_contacts_total",
               "New contacts whose host is no phone's, by whose it is.", MetricType::Counter),
        "host", &CoreCounters::odd_contacts, kOddContactNames));
    out.push_back(collect_labelled(
        snapshot,
        family(
            "pinhole_overload_refused_total",
            "Requests that a worker refused because it had more to do than it could, by whose "
            "they were: with 503, or without an answer (reason overload of pinhole_drops_total).",
            MetricType::Counter),
        "rank", &CoreCounters::refused, kRefusedNames));
}

MetricFamily collect_contacts_held(const Snapshot& snapshot) {
    MetricFamily contacts = family(
        "pinhole_contacts", "Contacts held now, by the worker that owns them.", MetricType::Gauge);
    for (const CoreFigures& core : snapshot.cores) {
        add(contacts, {{"core", core_label(core)}}, static_cast<double>(core.contacts));
    }
    return contacts;
}

MetricFamily collect_screening(const Snapshot& snapshot) {
    MetricFamily hits =
        family("pinhole_screen_hits_total",
               "Messages that a screening rule hit, by the rule's name.", MetricType::Counter);
    for (const RuleFigures& rule : snapshot.screening) {
        add(hits, {{"rule", rule.rule}}, static_cast<double>(rule.hits));
    }
    return hits;
}

}  // namespace

std::uint64_t HistogramFigures::total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : counts) {
        sum += count;
    }
    return sum;
}

double HistogramFigures::quantile_s(double q) const {
    const double wanted = q * static_cast<double>(total());
    std::uint64_t cumulative = 0;
    if (total() == 0 || upper_bounds_s.empty()) {
        return 0;
    }
    for (std::size_t i = 0; i < upper_bounds_s.size() && i < counts.size(); ++i) {
        cumulative += counts[i];
        if (static_cast<double>(cumulative) >= wanted && cumulative != 0) {
            return upper_bounds_s[i];
        }
    }
    return upper_bounds_s.back();
}

std::vector<MetricFamily> collect(const Snapshot& snapshot) {
    std::vector<MetricFamily> out;
    collect_process(snapshot, out);
    collect_requests(snapshot, out);
    collect_plain(snapshot, out);
    out.push_back(collect_cycles(snapshot));
    out.push_back(collect_contacts_held(snapshot));
    collect_pings(snapshot.qualify, out);
    collect_contacts(snapshot.qualify, out);
    collect_keys(snapshot.keys, out);
    collect_journal(snapshot.journal, out);
    collect_peers(snapshot.peers, out);
    out.push_back(collect_screening(snapshot));
    collect_icmp(snapshot.icmp, out);
    out.push_back(collect_labelled(
        snapshot,
        family("pinhole_auth_requests_total",
               "Requests that had to show a password, by what came of them.", MetricType::Counter),
        "result", &CoreCounters::auth, kAuthResultNames));
    if (snapshot.subscribers) {
        out.push_back(single("pinhole_subscribers", "Subscribers in use.", MetricType::Gauge,
                             static_cast<double>(*snapshot.subscribers)));
    }
    return out;
}

std::vector<MetricFamily> Collector::Collect() const {
    return collect(source_());
}

std::string to_text(const Snapshot& snapshot) {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, collect(snapshot));
    return std::move(out).str();
}

}  // namespace pinhole::metrics
