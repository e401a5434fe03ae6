// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/json.h"

#include <nlohmann/json.hpp>

#include <cmath>

namespace pinhole::api {
namespace {

using nlohmann::json;

std::string_view state_name(metrics::ContactState state) {
    const auto index = static_cast<std::size_t>(state);
    return index < metrics::kContactStateNames.size() ? metrics::kContactStateNames[index]
                                                      : "unknown";
}

json quantiles(const metrics::HistogramFigures& figures) {
    return {{"p50_s", figures.quantile_s(0.5)},
            {"p99_s", figures.quantile_s(0.99)},
            {"samples", figures.total()},
            // A reader that takes two has the quantiles of the time between.
            {"upper_bounds_s", figures.upper_bounds_s},
            {"counts", figures.counts}};
}

json qualify_json(const metrics::QualifyFigures& qualify) {
    json states = json::object();
    for (std::size_t i = 0; i < metrics::kContactStateNames.size(); ++i) {
        states[std::string(metrics::kContactStateNames[i])] = qualify.contacts_by_state[i];
    }
    return {{"sent", qualify.sent},
            {"answered", qualify.answered},
            {"missed", qualify.missed},
            {"spared", qualify.spared},
            {"overdue", qualify.overdue},
            {"rebinds", qualify.rebinds},
            {"removed_expired", qualify.removed_expired},
            {"removed_unreachable", qualify.removed_unreachable},
            {"rtt", quantiles(qualify.rtt)},
            {"lag", quantiles(qualify.lag)},
            {"contacts_by_state", states}};
}

// What is due in how long; null: never.
json keys_json(const metrics::KeyFigures& keys) {
    json next = nullptr;
    if (keys.rotate_every_s != 0) {
        next = keys.rotate_every_s > keys.age_s ? keys.rotate_every_s - keys.age_s : 0;
    }
    return {{"kept", keys.kept},
            {"count", keys.count},
            {"age_s", keys.age_s},
            {"next_in_s", next},
            {"overdue", keys.overdue}};
}

json port_json(const PortStatus& port) {
    return {{"name", port.name},           {"device", port.device},      {"mac", port.mac},
            {"link_up", port.link_up},     {"queues", port.queues},      {"role", port.role},
            {"addresses", port.addresses}, {"sip_ports", port.sip_ports}};
}

json peer_json(const metrics::PeerFigures& peer) {
    const auto state = static_cast<std::size_t>(peer.state);
    return {{"peer", peer.peer},
            {"checked", peer.checked},
            {"state",
             state < metrics::kPeerStateNames.size() ? metrics::kPeerStateNames[state] : "unknown"},
            {"for_s", peer.for_s},
            {"answered", peer.answered},
            {"missed", peer.missed},
            {"refused", peer.refused},
            {"rtt_s", peer.rtt_s ? json(*peer.rtt_s) : json(nullptr)}};
}

json binding_json(const Binding& binding) {
    json out{{"contact", binding.contact},
             // A 64-bit number is too wide for many JSON readers.
             {"id", std::to_string(binding.id)},
             {"far_end", binding.far_end},
             {"near_end", binding.near_end},
             {"port", binding.port},
             {"state", state_name(binding.state)},
             {"missed", binding.missed},
             {"alg", binding.alg},
             {"suspect", binding.suspect},
             {"at_contact", binding.at_contact},
             {"expires_in_s", binding.expires_in_s},
             {"registered_ago_s", binding.registered_ago_s},
             {"q", binding.q_thousandths / 1000.0},
             {"cseq", binding.cseq},
             {"instance", binding.instance},
             {"reg_id", binding.reg_id},
             {"params", binding.params},
             {"path", binding.path}};
    out["rtt_s"] = binding.rtt_s ? json(*binding.rtt_s) : json(nullptr);
    return out;
}

json journal_json(const metrics::JournalFigures& journal) {
    return {{"kept", journal.kept},
            {"whole", journal.whole},
            {"sync_age_s", journal.sync_age_s},
            {"lost", journal.lost},
            {"failures", journal.failures},
            {"restored", journal.restored},
            {"restore_s", journal.restore_s}};
}

}  // namespace

json to_json(const Status& status) {
    json ports = json::array();
    for (const PortStatus& port : status.ports) {
        ports.push_back(port_json(port));
    }
    json peers = json::array();
    for (const metrics::PeerFigures& peer : status.peers) {
        peers.push_back(peer_json(peer));
    }
    return {{"version", status.version},
            {"uptime_s", status.uptime_s},
            {"draining", status.draining},
            {"workers", status.workers},
            {"contacts", status.contacts},
            {"aors", status.aors},
            {"max_contacts", status.max_contacts},
            {"memory_bytes", status.memory_bytes},
            {"memory_kind", status.memory_kind},
            {"ports", ports},
            {"peers", peers},
            {"qualify", qualify_json(status.qualify)},
            {"keys", keys_json(status.keys)},
            {"journal", journal_json(status.journal)}};
}

json to_json(const std::vector<CoreStatus>& cores) {
    json out = json::array();
    for (const CoreStatus& core : cores) {
        out.push_back({{"core", core.core},
                       {"cpu", core.cpu},
                       {"contacts", core.contacts},
                       {"rx_packets", core.rx_packets},
                       {"tx_packets", core.tx_packets},
                       {"drops", core.drops},
                       {"registers", core.registers},
                       {"refreshed_in_place", core.refreshed_in_place},
                       {"calls_in", core.calls_in},
                       {"calls_out", core.calls_out},
                       {"pings_sent", core.pings_sent},
                       {"pongs", core.pongs},
                       {"handoffs", core.handoffs},
                       {"cycles_busy", core.cycles_busy},
                       {"cycles_idle", core.cycles_idle}});
    }
    return {{"cores", out}};
}

json to_json(const Rates& rates) {
    json per_s = json::object();
    for (std::size_t i = 0; i < kRateNames.size(); ++i) {
        json points = json::array();
        for (const float rate : rates.per_s[i]) {
            // A tenth is enough, and keeps the answer small.
            points.push_back(std::round(rate * 10.0) / 10.0);
        }
        per_s[kRateNames[i]] = std::move(points);
    }
    return {{"every_s", rates.every_s}, {"most", rates.most}, {"per_s", per_s}};
}

json to_json(const AorBindings& bindings) {
    json contacts = json::array();
    for (const Binding& binding : bindings.bindings) {
        contacts.push_back(binding_json(binding));
    }
    return {{"aor", bindings.aor}, {"bindings", contacts}};
}

json to_json(const Nat& nat) {
    json gateways = json::array();
    for (const Gateway& gateway : nat.largest) {
        json lessons = json::array();
        for (const GatewayLesson& lesson : gateway.lessons) {
            lessons.push_back({{"agent", lesson.agent},
                               {"phones", lesson.phones},
                               {"interval_s", lesson.interval_s},
                               {"survived_s", lesson.survived_s},
                               {"died_s", lesson.died_s},
                               {"tried_s", lesson.tried_s},
                               {"losses", lesson.losses}});
        }
        gateways.push_back({{"address", gateway.address},
                            {"phones", gateway.phones},
                            {"rebinds", gateway.rebinds},
                            {"pings", gateway.pings},
                            {"missed", gateway.missed},
                            {"outages", gateway.outages},
                            {"alg",
                             {{"consistent", gateway.rewritten[0]},
                              {"half", gateway.rewritten[1]},
                              {"broken", gateway.rewritten[2]}}},
                            {"lessons", lessons}});
    }
    json outages = json::array();
    for (const Outage& outage : nat.outages) {
        outages.push_back({{"where", outage.where},
                           {"phones", outage.phones},
                           {"since_ago_s", outage.since_ago_s}});
    }
    return {{"learns", nat.learns},     {"fixed_interval_s", nat.fixed_interval_s},
            {"gateways", nat.gateways}, {"phones", nat.phones},
            {"largest", gateways},      {"outages", outages}};
}

json to_json(const Story& story) {
    json contacts = json::array();
    for (const ContactStory& contact : story.contacts) {
        json events = json::array();
        for (const StoryEvent& event : contact.events) {
            events.push_back({{"event", event.event},
                              {"times", event.times},
                              {"ago_s", event.ago_s},
                              {"rtt_s", event.rtt_s ? json(*event.rtt_s) : json(nullptr)},
                              {"port", event.port ? json(*event.port) : json(nullptr)}});
        }
        contacts.push_back(
            {{"id", std::to_string(contact.id)},
             {"binding", contact.binding ? binding_json(*contact.binding) : json(nullptr)},
             {"waiting", contact.waiting},
             {"events", events}});
    }
    return {{"aor", story.aor},
            {"ledger", story.kept},
            {"tries_unreachable", story.tries_unreachable},
            {"contacts", contacts}};
}

json to_json(const ListPage& page) {
    json aors = json::array();
    for (const AorBindings& bindings : page.aors) {
        aors.push_back(to_json(bindings));
    }
    return {{"aors", aors}, {"next", page.next}};
}

std::string dump(const json& value) {
    return value.dump(2, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace) + "\n";
}

}  // namespace pinhole::api
