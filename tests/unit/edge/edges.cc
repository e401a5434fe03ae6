// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/edge/edges.h"

#include <cstdlib>
#include <utility>

namespace pinhole::edge::test {

net::Flow from(const net::Address& theirs, std::uint16_t port, net::PortIndex index) {
    net::Flow flow;
    flow.ours = theirs.is_v4() ? kEdgeAddress : kEdgeAddress6;
    flow.our_udp_port = kSip;
    flow.theirs = theirs;
    flow.their_udp_port = port;
    flow.port = index;
    return flow;
}

tokens::Keys test_keys() {
    const tokens::MasterKey key{1, {1, 2, 3}};
    return tokens::Keys({&key, 1});
}

Edges::Edges(const EdgeSettings& settings) : settings_(settings), qualify_(settings.max_contacts) {
    const std::array<std::byte, table::KeyedHash::kSeedBytes> seed{std::byte{7}};
    const std::vector<table::ShardMemory> shards(settings.workers, memory_.shard());
    table_ = table::BindingTable::make({.max_contacts = settings.max_contacts,
                                        .hash = table::KeyedHash(seed),
                                        .reclaimer = qsbr_.get(),
                                        .arrays = memory_.arrays(),
                                        .shards = shards});
    for (unsigned thread = settings.workers; thread < kMaxTestWorkers; ++thread) {
        qsbr_.offline(thread);
    }
    if (settings_.auth.has_value()) {
        windows_.emplace(memory_.arrays(), settings.max_contacts, settings_.auth->nonce_lifetime_s);
        authentication_.emplace(Authentication{*settings_.auth, *windows_, subscribers_});
    }
    shared_.emplace(
        Shared{.table = *table_,
               .qualify = qualify_,
               .peer_health = peer_health_,
               .pins = pins_,
               .workers = settings.workers,
               .screening = &rules_,
               .refuse_when_overloaded = settings.refuse_when_overloaded,
               .authentication = authentication_.has_value() ? &*authentication_ : nullptr});
    (void)around_.identity.add_domain("example.com");
    around_.identity.add_local(kEdgeAddress, kSip);
    around_.identity.add_local(kEdgeAddress6, kSip);
    const net::Flow core = from(kCore, kSip);
    around_.peers = route::Peers({&core, 1});
    around_.ports.push_back({.endpoints = {{kEdgeAddress, kSip}, {kEdgeAddress6, kSip}}});
    set_live({.registrar = settings_.policy, .limits = settings_.limits});
    rings_.resize(settings.workers + 1);
    for (auto& to : rings_) {
        for (unsigned worker = 0; worker < settings.workers; ++worker) {
            to.push_back(std::make_unique<SpscRing<Command>>());
        }
    }
    for (unsigned worker = 0; worker < settings.workers; ++worker) {
        workers_.push_back(std::make_unique<Worker>(rings_, worker));
        workers_.back()->edge = std::make_unique<Edge<TestSink>>(
            *shared_, *around_.settings, worker, workers_.back()->sink, workers_.back()->counters);
    }
}

Edges::~Edges() {
    for (const auto& worker : workers_) {
        worker->edge.reset();
        if (worker->sink.held() != 0) {
            std::abort();  // a packet was lost
        }
    }
}

void Edges::put(unsigned worker, const net::Flow& flow, std::string_view text) {
    workers_[worker]->coming.emplace_back(flow, text);
}

bool Edges::round(unsigned index) {
    Worker& worker = *workers_[index];
    const Round round{around_, now()};
    unsigned work = 0;
    while (const auto timer = worker.sink.timers.take_due(round.now.ms)) {
        worker.edge->expire(*timer, round.now);
    }
    work += serve_commands(index, round);
    unsigned taken = 0;
    for (; taken < kMaxBurst && !worker.coming.empty(); ++taken) {
        const auto& [flow, text] = worker.coming.front();
        const Packet packet = worker.sink.receive(text, flow);
        worker.edge->take(packet.handle, packet.text, packet.flow);
        worker.coming.pop_front();
    }
    worker.edge->note_queues(taken == kMaxBurst, round.now);
    worker.edge->run(round);
    worker.sink.flush();
    qsbr_.quiescent(index);
    table_->reclaim_owner(index);
    return work + taken != 0;
}

unsigned Edges::serve_commands(unsigned index, const Round& round) {
    unsigned served = 0;
    for (auto& from_one : rings_) {
        for (unsigned n = 0; n < kMaxBurst; ++n) {
            const auto command = from_one[index]->take();
            if (!command.has_value()) {
                break;
            }
            workers_[index]->edge->serve(*command, round);
            ++served;
        }
    }
    return served;
}

void Edges::settle() {
    for (bool worked = true; worked;) {
        worked = false;
        for (unsigned worker = 0; worker < settings_.workers; ++worker) {
            worked |= round(worker);
        }
    }
}

std::vector<Sent> Edges::sent(unsigned worker) {
    return std::exchange(workers_[worker]->sink.sent, {});
}

std::vector<Sent> Edges::ask(unsigned worker, const net::Flow& flow, std::string_view text) {
    put(worker, flow, text);
    (void)round(worker);
    return sent(worker);
}

void Edges::command(unsigned worker, Command command) {
    command.from = static_cast<std::uint16_t>(settings_.workers);
    if (!rings_[settings_.workers][worker]->put(command)) {
        std::abort();
    }
}

void Edges::set_live(LiveSettings live) {
    live.edition = around_.settings == nullptr ? 1 : around_.settings->edition + 1;
    around_.settings = std::make_shared<LiveSettings>(std::move(live));
}

void Edges::redirect(bool on) {
    LiveSettings live = *around_.settings;
    live.redirect = on;
    set_live(std::move(live));
}

Moment Edges::now() const {
    const std::uint64_t us = now_us_;
    return {us, us / 1000, kEpoch_s + static_cast<std::uint32_t>(us / 1'000'000)};
}

const table::Record* Edges::record(const std::string& user) const {
    const std::string aor = user + "@example.com";
    return table_->find(table_->hash()(aor), aor);
}

std::size_t Edges::contacts(const std::string& user) const {
    const table::Record* found = record(user);
    return found == nullptr ? 0 : found->contact_count();
}

table::ContactView Edges::contact(const std::string& user, std::size_t i) const {
    table::ContactView view;
    const table::Record* found = record(user);
    if (found == nullptr || i >= found->contact_count() || !found->read(i, view)) {
        std::abort();
    }
    return view;
}

std::string Edges::user_of(unsigned owner, unsigned skip) const {
    for (unsigned n = 0;; ++n) {
        std::string user = "u" + std::to_string(n);
        const std::uint64_t hash = table_->hash()(user + "@example.com");
        if (table_->shard_of(hash) == owner && skip-- == 0) {
            return user;
        }
    }
}

}  // namespace pinhole::edge::test
