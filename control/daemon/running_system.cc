// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/running_system.h"

#include "control/config/values.h"
#include "control/daemon/settings.h"
#include "dataplane/nat/alg.h"
#include "dataplane/registrar/match.h"
#include "dataplane/sip/uri.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <thread>

namespace pinhole::daemon {
namespace {

using std::chrono::steady_clock;

// A loop that has not turned for this long is stuck, not busy.
constexpr std::chrono::seconds kStuckAfter{10};
// An owner answers within a round; one that is stuck is not waited for.
constexpr int kRemoveTries = 1000;  // of a millisecond
constexpr std::uint32_t kBucketsAStep = 256;

// The canonical AOR of what an operator wrote; nullopt if it is none.
std::optional<std::string> canonical(std::string_view aor) {
    sip::Uri uri;
    std::array<char, sip::kMaxAor> room;
    if (!sip::parse_uri(aor, uri)) {
        return std::nullopt;
    }
    const auto text = sip::canonical_aor(uri, room.data());
    return text.has_value() ? std::optional<std::string>(*text) : std::nullopt;
}

std::string with_scheme(std::string_view aor) {
    return "sip:" + std::string(aor);
}

// A cursor as text: "shard.bucket.skip", the last being how many records of the bucket have been
// shown.
struct Cursor {
    table::ListCursor at;
    std::uint32_t skip = 0;

    [[nodiscard]] std::string text() const {
        return std::to_string(at.shard) + "." + std::to_string(at.bucket) + "." +
               std::to_string(skip);
    }
    static std::optional<Cursor> parse(std::string_view text) {
        Cursor cursor;
        std::array<std::uint32_t*, 3> parts{&cursor.at.shard, &cursor.at.bucket, &cursor.skip};
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), *parts[i]);
            if (error != std::errc{}) {
                return std::nullopt;
            }
            text.remove_prefix(static_cast<std::size_t>(end - text.data()));
            if (i + 1 < parts.size() && (text.empty() || text.front() != '.')) {
                return std::nullopt;
            }
            text.remove_prefix(text.empty() ? 0 : 1);
        }
        return text.empty() ? std::optional<Cursor>(cursor) : std::nullopt;
    }
};

metrics::HistogramFigures histogram(const qualify::Histogram& from) {
    metrics::HistogramFigures to;
    for (std::size_t i = 0; i < qualify::Histogram::kBuckets; ++i) {
        if (i < qualify::Histogram::kBoundsUs.size()) {
            to.upper_bounds_s.push_back(static_cast<double>(qualify::Histogram::kBoundsUs[i]) /
                                        1e6);
        }
        to.counts.push_back(from.bucket(i));
    }
    to.sum_s = static_cast<double>(from.sum_us()) / 1e6;
    return to;
}

std::string mac_text(const io::Mac& mac) {
    std::array<char, 18> text{};
    std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                  mac[3], mac[4], mac[5]);
    return text.data();
}

}  // namespace

class RunningSystem::Reading {
  public:
    explicit Reading(RunningSystem& system) : system_(system), lock_(system.mutex_) {
        system_.parts_.qsbr.online(system_.parts_.qsbr_thread);
    }
    ~Reading() { system_.parts_.qsbr.offline(system_.parts_.qsbr_thread); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

    // Nothing that was read before may be used after.
    void pause() { system_.parts_.qsbr.quiescent(system_.parts_.qsbr_thread); }
    [[nodiscard]] const edge::Surroundings& around() const {
        return *system_.parts_.surroundings.load(std::memory_order_acquire);
    }

  private:
    RunningSystem& system_;
    std::lock_guard<std::mutex> lock_;
};

RunningSystem::RunningSystem(const SystemParts& parts)
    : parts_(parts),
      started_(steady_clock::now()),
      beats_(parts.workers.size() + 1),
      capture_(parts.ports, parts.qsbr) {
    for (Beat& beat : beats_) {
        beat.seen = started_;
    }
}

api::Status RunningSystem::status() {
    Reading reading(*this);
    api::Status status;
    status.version = PINHOLE_VERSION;
    status.uptime_s = uptime_s();
    status.draining = parts_.reconfiguration.draining();
    status.workers = static_cast<unsigned>(parts_.workers.size());
    const table::ShardCounts counts = parts_.table.counts();
    status.contacts = counts.contacts;
    status.aors = counts.records;
    status.max_contacts = parts_.table.max_contacts();
    status.memory_bytes = parts_.memory_bytes;
    status.memory_kind = parts_.memory_kind;
    for (std::size_t i = 0; i < parts_.config.ports.size(); ++i) {
        status.ports.push_back(port_status(i, reading.around()));
    }
    status.qualify = qualify_figures();
    status.keys = parts_.keys.figures();
    if (parts_.journal != nullptr) {
        status.journal = parts_.journal->figures();
    }
    status.peers = peer_figures();
    return status;
}

std::vector<api::CoreStatus> RunningSystem::cores() {
    std::vector<api::CoreStatus> cores;
    for (unsigned i = 0; i < parts_.workers.size(); ++i) {
        cores.push_back(api::core_status(figures_of(i)));
        if (i < parts_.config.dataplane.cores.size()) {
            cores.back().cpu = parts_.config.dataplane.cores[i];
        }
    }
    return cores;
}

void RunningSystem::tidy(std::uint64_t now_ms) {
    capture_.tidy();
    if (rates_.due(now_ms)) {
        rates_.add(now_ms, cores());
    }
}

std::optional<api::AorBindings> RunningSystem::show(std::string_view aor) {
    const auto name = canonical(aor);
    if (!name.has_value()) {
        return std::nullopt;
    }
    const Reading reading(*this);
    const table::Record* record = parts_.table.find(parts_.table.hash()(*name), *name);
    if (record == nullptr) {
        return std::nullopt;
    }
    return bindings_of(*record);
}

std::optional<api::Story> RunningSystem::why(std::string_view aor) {
    const auto name = canonical(aor);
    if (!name.has_value()) {
        return std::nullopt;
    }
    const std::uint64_t hash = parts_.table.hash()(*name);
    api::Story out;
    out.aor = with_scheme(*name);
    out.kept = parts_.ledger.slots() != 0;
    out.tries_unreachable = parts_.config.qualify.call_unreachable == config::CallUnreachable::kTry;
    {
        const Reading reading(*this);
        const table::Record* record = parts_.table.find(hash, *name);
        std::array<table::ContactView, table::kMaxContactsPerAor> views;
        const bool read = record != nullptr && record->read_all(views);
        for (std::size_t i = 0; read && i < record->contact_count(); ++i) {
            qualify::LedgerPage page;
            const bool told = parts_.ledger.read_any(views[i].id.slot, page) &&
                              page.generation == views[i].id.generation && !page.closed;
            api::ContactStory contact = told ? story_of(page) : api::ContactStory{};
            contact.id = views[i].id.packed();
            contact.binding = binding_of(views[i]);
            contact.waiting = parts_.states.read_any(views[i].id).has(table::QualifyView::kWaiting);
            out.contacts.push_back(std::move(contact));
        }
    }
    add_gone(hash, out);
    return out;
}

// The pages of contacts that are there no more, a few at most.
void RunningSystem::add_gone(std::uint64_t aor_hash, api::Story& out) const {
    constexpr std::size_t kMost = 8;
    std::size_t gone = 0;
    parts_.ledger.find_any(aor_hash, [&](std::uint32_t slot) {
        qualify::LedgerPage page;
        if (gone < kMost && parts_.ledger.read_any(slot, page) && page.closed &&
            page.aor_hash == aor_hash) {
            out.contacts.push_back(story_of(page));
            out.contacts.back().id = table::ContactId{slot, page.generation}.packed();
            ++gone;
        }
    });
}

api::ContactStory RunningSystem::story_of(const qualify::LedgerPage& page) const {
    const std::uint32_t now_s = parts_.clock.now().s;
    api::ContactStory out;
    for (std::size_t i = 0; i < page.count; ++i) {
        const qualify::LedgerEntry& entry = page.entries[i];
        api::StoryEvent event;
        event.event = qualify::event_name(entry.event);
        event.times = entry.times;
        event.ago_s = now_s > entry.at_s ? now_s - entry.at_s : 0;
        if (entry.event == qualify::Event::kAnswered) {
            event.rtt_s = entry.detail / 1e4;
        } else if (entry.event == qualify::Event::kRegistered ||
                   entry.event == qualify::Event::kMoved ||
                   entry.event == qualify::Event::kRetargeted) {
            event.port = entry.detail;
        }
        out.events.push_back(std::move(event));
    }
    return out;
}

std::optional<api::ListPage> RunningSystem::list(std::string_view prefix, std::size_t limit,
                                                 std::string_view after) {
    const auto from = after.empty() ? Cursor{} : Cursor::parse(after);
    if (!from.has_value()) {
        return std::nullopt;
    }
    Cursor cursor = *from;
    const std::string_view wanted = prefix.substr(0, 4) == "sip:" ? prefix.substr(4) : prefix;
    api::ListPage page;
    Reading reading(*this);
    for (std::uint32_t step = 1;; ++step) {
        // A bucket at a time, so that the page can end within one.
        const Cursor before = cursor;
        std::uint32_t seen = 0;
        bool full = false;
        const bool more = parts_.table.list(cursor.at, 1, [&](const table::Record& record) {
            if (full || seen++ < before.skip) {
                return;
            }
            if (page.aors.size() == limit) {
                full = true;
                page.next = Cursor{before.at, seen - 1}.text();
                return;
            }
            if (record.aor().substr(0, wanted.size()) == wanted) {
                page.aors.push_back(bindings_of(record));
            }
        });
        cursor.skip = 0;
        if (full || !more) {
            return page;
        }
        if (step % kBucketsAStep == 0) {
            reading.pause();
        }
    }
}

api::RemoveResult RunningSystem::remove(std::string_view aor, std::string_view contact) {
    api::RemoveResult result;
    const auto name = canonical(aor);
    if (!name.has_value()) {
        return result;
    }
    const std::uint64_t hash = parts_.table.hash()(*name);
    std::vector<table::ContactId> ids;
    {
        const Reading reading(*this);
        const table::Record* record = parts_.table.find(hash, *name);
        if (record == nullptr) {
            return result;
        }
        for (std::size_t i = 0; i < record->contact_count(); ++i) {
            const table::ContactId id = record->fixed(i).id();
            if (contact.empty() || contact == record->uri(i) ||
                contact == std::to_string(id.packed())) {
                ids.push_back(id);
            }
        }
    }
    result.code =
        ids.empty() ? api::RemoveResult::Code::kUnknownContact : api::RemoveResult::Code::kRemoved;
    for (const table::ContactId id : ids) {
        const std::uint32_t said = remove_contact(id, parts_.table.shard_of(hash));
        result.removed += said == 1 ? 1 : 0;
        if (said != 1 && said != 2) {
            result.code = api::RemoveResult::Code::kBusy;
        }
    }
    return result;
}

// 1 removed, 2 not there, anything else: the owner did not get to it.
std::uint32_t RunningSystem::remove_contact(table::ContactId id, unsigned owner) {
    const std::lock_guard<std::mutex> lock(removing_);
    std::atomic<std::uint32_t>& done = answers_.emplace_back(0);
    edge::Command command;
    command.kind = edge::CommandKind::kRemove;
    command.from = static_cast<std::uint16_t>(parts_.mesh.service());
    command.id = id;
    command.done = &done;
    if (parts_.mesh.commands(parts_.mesh.service(), owner).put(&command, 1) == 0) {
        answers_.pop_back();
        return 0;
    }
    for (int i = 0; i < kRemoveTries; ++i) {
        // Pairs with the owner's release store.
        if (const std::uint32_t said = done.load(std::memory_order_acquire); said != 0) {
            answers_.pop_back();
            return said;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return 0;  // the answer's place stays: the owner may still write there
}

api::ReloadResult RunningSystem::reload() {
    return parts_.reconfiguration.reload();
}

bool RunningSystem::drain(bool on, std::optional<std::uint32_t> stop_after_s) {
    return parts_.reconfiguration.drain(on, stop_after_s);
}

api::CaptureStart RunningSystem::capture_start(std::string_view filter) {
    return capture_.start(filter);
}

std::optional<api::CaptureChunk> RunningSystem::capture_take(std::uint64_t id) {
    return capture_.take(id);
}

bool RunningSystem::capture_stop(std::uint64_t id) {
    return capture_.stop(id);
}

api::Health RunningSystem::healthy() {
    const std::lock_guard<std::mutex> lock(beats_mutex_);
    const auto now = steady_clock::now();
    for (std::size_t i = 0; i < beats_.size(); ++i) {
        const bool is_worker = i < parts_.workers.size();
        const std::uint64_t rounds =
            is_worker ? parts_.workers[i]->rounds() : parts_.control.rounds();
        Beat& beat = beats_[i];
        if (rounds != beat.rounds) {
            beat = {rounds, now};
        } else if (now - beat.seen > kStuckAfter) {
            const std::string who =
                is_worker ? "worker " + std::to_string(i) : std::string("the control thread");
            return {false, who + " has not turned for more than 10 s"};
        }
    }
    return {true, {}};
}

api::Health RunningSystem::ready() {
    if (parts_.reconfiguration.draining()) {
        return {false, "draining: no new bindings are taken"};
    }
    if (!parts_.control.ready()) {
        return {false, "the pings of an earlier run's contacts are being taken up"};
    }
    {
        const Reading reading(*this);
        const auto& ports = reading.around().ports;
        for (std::size_t i = 0; i < ports.size(); ++i) {
            if (ports[i].endpoints.empty()) {
                return {false, "port " + parts_.config.ports[i].name +
                                   " has no address: give its interface one (ip addr add)"};
            }
        }
    }
    return healthy();
}

std::string RunningSystem::metrics_text() {
    metrics::Snapshot snapshot;
    for (unsigned i = 0; i < parts_.workers.size(); ++i) {
        snapshot.cores.push_back(figures_of(i));
    }
    snapshot.qualify = qualify_figures();
    snapshot.keys = parts_.keys.figures();
    if (parts_.journal != nullptr) {
        snapshot.journal = parts_.journal->figures();
    }
    snapshot.peers = peer_figures();
    for (screen::RuleHits& rule : parts_.screening.hits()) {
        snapshot.screening.push_back({std::move(rule.rule), rule.hits});
    }
    snapshot.icmp = icmp_figures();
    if (parts_.subscription != nullptr) {
        snapshot.subscribers = parts_.subscription->users();
    }
    snapshot.max_contacts = parts_.table.max_contacts();
    snapshot.uptime_s = uptime_s();
    return metrics::to_text(snapshot);
}

metrics::CoreFigures RunningSystem::figures_of(unsigned core) const {
    return {core, &parts_.counters[core], parts_.table.counts(core).contacts};
}

metrics::QualifyFigures RunningSystem::qualify_figures() const {
    const qualify::Figures& from = parts_.control.figures();
    metrics::QualifyFigures to;
    to.sent = from.sent.get();
    to.answered = from.answered.get();
    to.missed = from.missed.get();
    to.spared = from.spared.get();
    to.overdue = from.overdue.get();
    to.trials_survived = from.trials_survived.get();
    to.trials_lost = from.trials_lost.get();
    to.fallbacks = from.fallbacks.get();
    to.rebinds = from.rebinds.get();
    to.repeated = from.repeated.get();
    to.probes = from.probes.get();
    to.suspects = from.suspects.get();
    for (std::size_t i = 0; i < to.rewritten.size(); ++i) {
        to.rewritten[i] = from.rewritten[i].get();
    }
    to.gateways = parts_.gateways.used();
    to.gateways_refused = parts_.gateways.refused();
    to.outages = parts_.gateways.outages();
    to.outages_now = parts_.gateways.silent();
    to.removed_expired = from.expired.get();
    to.removed_unreachable = from.removed.get();
    to.rtt = histogram(from.rtt);
    to.lag = histogram(from.lag);
    for (std::size_t i = 0; i < to.contacts_by_state.size(); ++i) {
        to.contacts_by_state[i] = from.by_state[i].get();
    }
    return to;
}

std::vector<metrics::PeerFigures> RunningSystem::peer_figures() const {
    std::vector<metrics::PeerFigures> out;
    const config::Core core = parts_.reconfiguration.current()->core;
    const std::uint64_t now_ms = parts_.clock.now().ms;
    for (std::size_t i = 0; i < core.peers.size(); ++i) {
        const qualify::PeerFigures& from = parts_.control.peer_figures(i);
        metrics::PeerFigures to;
        to.peer = config::to_text(core.peers[i]);
        to.checked = core.check_interval_s != 0;
        to.state = static_cast<metrics::PeerState>(parts_.peer_health.state_any(i));
        const std::uint64_t since_ms = from.since_ms.load(std::memory_order_relaxed);
        to.for_s = static_cast<double>(now_ms > since_ms ? now_ms - since_ms : 0) / 1e3;
        to.answered = from.answered.get();
        to.missed = from.missed.get();
        to.refused = from.refused.get();
        if (const std::uint32_t rtt_us = from.rtt_us.load(std::memory_order_relaxed); rtt_us != 0) {
            to.rtt_s = static_cast<double>(rtt_us) / 1e6;
        }
        out.push_back(std::move(to));
    }
    return out;
}

metrics::IcmpFigures RunningSystem::icmp_figures() const {
    return {parts_.icmp.learned.get(), parts_.icmp.ignored.get(), parts_.icmp.other.get(),
            parts_.path_mtus.size()};
}

api::AorBindings RunningSystem::bindings_of(const table::Record& record) const {
    api::AorBindings out;
    out.aor = with_scheme(record.aor());
    std::array<table::ContactView, table::kMaxContactsPerAor> views;
    if (record.read_all(views)) {
        for (std::size_t i = 0; i < record.contact_count(); ++i) {
            out.bindings.push_back(binding_of(views[i]));
        }
    }
    return out;
}

api::Binding RunningSystem::binding_of(const table::ContactView& contact) const {
    const Moment now = parts_.clock.now();
    const table::QualifyView state = parts_.states.read_any(contact.id);
    api::Binding out;
    out.contact = contact.uri;
    out.id = contact.id.packed();
    out.far_end = net::far_end(contact.state.flow);
    out.near_end = net::near_end(contact.state.flow);
    if (contact.state.flow.port < parts_.config.ports.size()) {
        out.port = parts_.config.ports[contact.state.flow.port].name;
    }
    out.state = static_cast<metrics::ContactState>(state.state);
    if (state.last_rtt_us != 0) {
        out.rtt_s = static_cast<double>(state.last_rtt_us) / 1e6;
    }
    out.missed = state.missed;
    out.alg = nat::alg_name(
        static_cast<nat::Alg>((contact.state.flags & table::kAlgMask) >> table::kAlgShift));
    out.at_contact = (contact.state.flags & table::kAtContact) != 0;
    out.suspect = (contact.state.flags & table::kSuspect) != 0;
    out.expires_in_s = registrar::left_s(contact.state, now);
    out.registered_ago_s = (now.stamp_ms() - contact.state.refreshed_at_ms) / 1000;
    out.q_thousandths = contact.state.q;
    out.cseq = contact.state.cseq;
    table::StoredInstance::Room instance;
    out.instance = contact.params.instance().text(instance);
    out.reg_id = contact.reg_id;
    table::StoredParams::Room params;
    out.params = contact.params.text(params);
    out.path = contact.path;
    return out;
}

api::PortStatus RunningSystem::port_status(std::size_t port,
                                           const edge::Surroundings& around) const {
    const config::Port& wanted = parts_.config.ports[port];
    const io::Device& device = parts_.ports.device(parts_.ports.ports()[port].device);
    api::PortStatus status;
    status.name = wanted.name;
    status.device = device_text(wanted.device);
    status.mac = mac_text(device.info().mac);
    status.link_up = device.link_up();
    status.queues = device.info().queues;
    status.role = role_text(wanted.role);
    status.sip_ports = wanted.sip_ports;
    for (const net::Endpoint& endpoint : around.ports[port].endpoints) {
        const std::string text = net::to_string(endpoint.address);
        if (std::find(status.addresses.begin(), status.addresses.end(), text) ==
            status.addresses.end()) {
            status.addresses.push_back(text);
        }
    }
    return status;
}

double RunningSystem::uptime_s() const {
    return std::chrono::duration<double>(steady_clock::now() - started_).count();
}

}  // namespace pinhole::daemon
