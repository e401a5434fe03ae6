// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/control_thread.h"

#include "control/qualify/keeper.h"
#include "control/qualify/table_contacts.h"
#include "dataplane/edge/command.h"
#include "dataplane/io/outbox.h"
#include "dataplane/nat/other_port.h"
#include "dataplane/route/peer_check.h"
#include "dataplane/route/ping.h"

#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace pinhole::daemon {
namespace {

// A round every millisecond: pings leave in small groups, ten times within a wheel's tick.
constexpr long kNap_ns = 1'000'000;
// After a round that found nothing to do, twice as long as before, up to this: a lone ping may as
// well leave some milliseconds later, and the core of a quiet edge sleeps.
constexpr long kLongestNap_ns = 16'000'000;
// While pings are late: what the pace has room for goes out soon, not a millisecond later.
constexpr long kShortNap_ns = 100'000;
// Work between two looks at the rings; what is left comes at once in the next round.
constexpr std::uint32_t kMarksARound = 8192;
// Half a millisecond of work: what a round lets go counts from when its worker has taken it, which
// is looked at between two rounds.
constexpr std::uint32_t kEntriesARound = 256;

qualify::Now keeper_now(const Moment& now) {
    return {now.ms, now.s, static_cast<std::uint32_t>(now.us - now.ms * 1'000)};
}

// Where the keeper's wishes go: pings to workers, removals to owners.
class Dispatcher final : public qualify::Sink {
  public:
    explicit Dispatcher(const ControlParts& parts)
        : parts_(parts), outbox_(parts.ports, parts.mesh) {}

    // The ping counts as sent also if its Contact is too long for one: that contact is as silent as
    // a phone that never answers.
    bool send_ping(const qualify::ContactBrief& contact) override {
        const auto target = qualify::ping_target(contact);
        return target.has_value() && post(*target) != io::Outbox::Posted::kFull;
    }

    // Not to where another contact is reached: it would answer, too.
    void send_probe(table::ContactId id) override {
        table::ContactView contact;
        if (parts_.table.read(id, contact) != table::SlotRead::kLive) {
            return;
        }
        const auto flow = nat::other_port(contact);
        if (flow.has_value() && !parts_.table.has_flow(*flow, parts_.table.hash()(*flow))) {
            (void)post({id, *flow, contact.uri, contact.aor, true});
        }
    }

    // False: it did not leave, by no fault of the peer's.
    bool send_check(std::size_t index) {
        wished_ = true;
        // Pairs with the publisher's release store.
        const edge::Surroundings& around = *parts_.surroundings.load(std::memory_order_acquire);
        const route::Peers& peers = around.peers;
        if (index >= peers.size() || peers[index].flow.our_udp_port == 0) {
            return false;  // no port has an address to send from
        }
        const route::Peer& peer = peers[index];
        const auto posted = outbox_.post(
            peer.flow, static_cast<std::uint32_t>(index), around,
            [&](char* room, std::size_t capacity) {
                sip::Writer out(room, capacity);
                return route::build_peer_check(peer, around.keys, parts_.clock.now().us, out)
                           ? out.size()
                           : std::size_t{0};
            },
            io::ParcelKind::kPeerCheck);
        return posted == io::Outbox::Posted::kPosted;
    }

    void expire(table::ContactId id) override { ask(edge::CommandKind::kExpire, id); }
    void remove_unreachable(table::ContactId id) override {
        ask(edge::CommandKind::kRemoveUnreachable, id);
    }
    void retarget(table::ContactId id) override { ask(edge::CommandKind::kRetarget, id); }

    // At the end of a round; returns whether it has wished anything.
    bool flush() {
        outbox_.flush();
        return std::exchange(wished_, false);
    }

  private:
    io::Outbox::Posted post(const route::PingTarget& target) {
        wished_ = true;
        // Pairs with the service thread's release store.
        const edge::Surroundings& around = *parts_.surroundings.load(std::memory_order_acquire);
        return outbox_.post(
            target.flow, target.id.slot, around, [&](char* room, std::size_t capacity) {
                sip::Writer out(room, capacity);
                return route::build_ping(target, around.keys, parts_.clock.now().us, out)
                           ? out.size()
                           : std::size_t{0};
            });
    }

    // Without an answer: what didn't get through is asked again when the keeper next looks.
    void ask(edge::CommandKind kind, table::ContactId id) {
        wished_ = true;
        const table::Record* record = parts_.table.record_of(id);
        if (record == nullptr) {
            return;
        }
        edge::Command command;
        command.kind = kind;
        command.from = static_cast<std::uint16_t>(parts_.mesh.control());
        command.id = id;
        command.since_ms = static_cast<std::uint32_t>(parts_.clock.now().ms);
        const unsigned owner = parts_.table.shard_of(record->hash());
        (void)parts_.mesh.commands(parts_.mesh.control(), owner).put(&command, 1);
    }

    const ControlParts& parts_;
    io::Outbox outbox_;
    bool wished_ = false;
};

}  // namespace

struct ControlThread::Core {
    explicit Core(const ControlParts& given)
        : parts(given),
          contacts(parts.table),
          dispatcher(parts),
          keeper(parts.policy, {parts.states, parts.gateways, parts.ledger}, contacts, dispatcher,
                 keeper_now(parts.clock.now()), parts.seed),
          checks(parts.peer_policy, parts.peer_health, parts.clock.now().ms) {
        checks.begin(parts.peer_policy, parts.peers, parts.clock.now().ms);
    }

    // What a round came to.
    enum class Found : std::uint8_t { kNothing, kSome, kMore };  // kMore: to be done at once

    Found round() {
        const std::size_t marks = parts.table.for_wheel().drain(
            kMarksARound, [&](std::uint32_t slot) { keeper.changed(slot); });
        bool found = marks != 0;
        for (unsigned worker = 0; worker < parts.mesh.workers(); ++worker) {
            found |= take_pongs(worker);
            found |= take_peer_pongs(worker);
        }
        check_peers();
        const bool done = keeper.advance(keeper_now(parts.clock.now()), kEntriesARound);
        found |= dispatcher.flush();
        keeper.handed_over(keeper_now(parts.clock.now()), waiting());
        if (marks >= kMarksARound || !done) {
            return Found::kMore;
        }
        return found ? Found::kSome : Found::kNothing;
    }

    // Packets of the kernel's among them are few.
    [[nodiscard]] std::uint32_t waiting() const {
        std::uint32_t parcels = 0;
        for (unsigned worker = 0; worker < parts.mesh.workers(); ++worker) {
            parcels += parts.mesh.inbox(worker).count();
        }
        return parcels;
    }

    // Whether there were any.
    bool take_pongs(unsigned worker) {
        std::array<edge::PongNotice, 64> pongs;
        // As many as the ring holds, not as many as come in meanwhile.
        unsigned taken = 0;
        while (taken < io::Mesh::kPongSlots) {
            const unsigned n = parts.mesh.pongs(worker).take(pongs.data(), pongs.size());
            for (unsigned i = 0; i < n; ++i) {
                keeper.prefetch(pongs[i].id.slot);
            }
            for (unsigned i = 0; i < n; ++i) {
                if (pongs[i].is_probe != 0) {
                    keeper.probe_answered(pongs[i].id, pongs[i].code);
                    continue;
                }
                keeper.pong(pongs[i].id, pongs[i].rtt_us, pongs[i].code,
                            pongs[i].flow_matches != 0);
            }
            if (n == 0) {
                break;
            }
            taken += n;
        }
        return taken != 0;
    }

    bool take_peer_pongs(unsigned worker) {
        std::array<edge::PeerPongNotice, 64> pongs;
        const unsigned n = parts.mesh.peer_pongs(worker).take(pongs.data(), pongs.size());
        for (unsigned i = 0; i < n; ++i) {
            checks.answered(pongs[i].peer, pongs[i].rtt_us, pongs[i].code, parts.clock.now().ms);
        }
        return n != 0;
    }

    void check_peers() {
        const std::uint64_t now_ms = parts.clock.now().ms;
        while (const auto peer = checks.next_due(now_ms)) {
            if (dispatcher.send_check(*peer)) {
                checks.sent(*peer, now_ms);
            } else {
                checks.postponed(*peer, now_ms);
            }
        }
    }

    const ControlParts parts;
    qualify::TableContacts contacts;
    Dispatcher dispatcher;
    qualify::Keeper keeper;
    qualify::PeerChecks checks;
};

std::size_t ControlThread::bytes_per_contact() {
    return qualify::Keeper::bytes_per_contact();
}

struct ControlThread::Orders {
    qualify::PingPolicy policy;
    qualify::PeerPolicy peer_policy;
    std::optional<std::size_t> peers;
};

ControlThread::ControlThread(const ControlParts& parts) : core_(std::make_unique<Core>(parts)) {}

ControlThread::~ControlThread() {
    stop();
    delete orders_.load(std::memory_order_acquire);
}

void ControlThread::use(const qualify::PingPolicy& policy, const qualify::PeerPolicy& peer_policy,
                        std::optional<std::size_t> peers) {
    auto next = std::make_unique<Orders>(Orders{policy, peer_policy, peers});
    // Those that nobody has followed yet must not be forgotten with these.
    const std::unique_ptr<Orders> before(orders_.exchange(nullptr, std::memory_order_acq_rel));
    if (before != nullptr && before->peers.has_value() && !peers.has_value()) {
        next->peers = before->peers;
    }
    // Pairs with follow_orders().
    orders_.store(next.release(), std::memory_order_release);
}

void ControlThread::follow_orders() {
    if (orders_.load(std::memory_order_relaxed) == nullptr) {
        return;
    }
    const std::unique_ptr<Orders> orders(orders_.exchange(nullptr, std::memory_order_acq_rel));
    if (orders == nullptr) {
        return;
    }
    core_->keeper.use(orders->policy);
    if (orders->peers.has_value()) {
        core_->checks.begin(orders->peer_policy, *orders->peers, core_->parts.clock.now().ms);
    }
}

void ControlThread::start(std::function<void()> on_start, bool take_up) {
    thread_ = std::thread([this, take_up, on_start = std::move(on_start)] {
        pthread_setname_np(pthread_self(), "control");
        on_start();
        if (take_up) {
            this->take_up();
        }
        ready_.store(true, std::memory_order_release);
        run();
    });
}

// All slots, some at a time, so that nobody waits long for our quiescent state.
void ControlThread::take_up() {
    Core& core = *core_;
    const std::uint32_t slots = core.parts.table.max_contacts();
    for (std::uint32_t slot = 0; slot < slots && !stopping_.load(std::memory_order_relaxed);) {
        core.parts.qsbr.online(core.parts.qsbr_thread);
        for (std::uint32_t n = 0; n < kMarksARound && slot < slots; ++n, ++slot) {
            core.keeper.take_up(slot);
        }
        core.parts.qsbr.offline(core.parts.qsbr_thread);
    }
}

void ControlThread::stop() {
    stopping_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) {
        thread_.join();
    }
}

const qualify::Figures& ControlThread::figures() const {
    return core_->keeper.figures();
}

const qualify::PeerFigures& ControlThread::peer_figures(std::size_t peer) const {
    return core_->checks.figures(peer);
}

void ControlThread::run() {
    prctl(PR_SET_TIMERSLACK, 1UL);
    io::Qsbr& qsbr = core_->parts.qsbr;
    const unsigned self = core_->parts.qsbr_thread;
    long nap_ns = kNap_ns;
    while (!stopping_.load(std::memory_order_relaxed)) {
        follow_orders();
        qsbr.online(self);
        const Core::Found found = core_->round();
        qsbr.offline(self);
        rounds_.store(rounds_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        if (found == Core::Found::kMore) {
            continue;
        }
        nap_ns = found == Core::Found::kSome ? kNap_ns : std::min(2 * nap_ns, kLongestNap_ns);
        const timespec nap{0, core_->keeper.waits_for_pace() ? kShortNap_ns : nap_ns};
        nanosleep(&nap, nullptr);
    }
}

}  // namespace pinhole::daemon
