// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/daemon.h"

#include "control/api/server.h"
#include "control/config/values.h"
#include "control/daemon/allowance_service.h"
#include "control/daemon/control_thread.h"
#include "control/daemon/interval_service.h"
#include "control/daemon/journal_service.h"
#include "control/daemon/key_service.h"
#include "control/daemon/nonce_memory.h"
#include "control/daemon/outage_log.h"
#include "control/daemon/publisher.h"
#include "control/daemon/reconfiguration.h"
#include "control/daemon/running_system.h"
#include "control/daemon/screening.h"
#include "control/daemon/service.h"
#include "control/daemon/settings.h"
#include "control/daemon/state_memory.h"
#include "control/daemon/subscription.h"
#include "control/daemon/table_memory.h"
#include "control/escape/log_sink.h"
#include "control/machine/cpu_advice.h"
#include "control/machine/privileges.h"
#include "control/machine/watchdog.h"
#include "dataplane/io/device_check.h"
#include "dataplane/io/dumpcap.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/kernel_path.h"

#include <fcntl.h>
#include <sodium.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <memory>

namespace pinhole::daemon {
namespace {

// INVITEs under way at once that CANCELs and retransmissions find again: three minutes' worth at
// some 350 calls a second each way.
constexpr std::size_t kPins = 131'072;

// That a reload may name, or as many as there were at the start.
constexpr std::size_t kRoomForPeers = 64;

// The readers of the table beside the workers, in this order behind them: the control thread, the
// API, the journal.
constexpr unsigned kReaders = 3;

// A signal is a readable descriptor to the service loop. Blocked before any thread is made, so in
// all of them.
class Signals {
  public:
    Signals() {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGHUP);  // reloads; a terminal that goes away ends nothing
        pthread_sigmask(SIG_BLOCK, &set, nullptr);
        std::signal(SIGPIPE, SIG_IGN);
        fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    }
    ~Signals() { close(fd_); }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    [[nodiscard]] int fd() const { return fd_; }

  private:
    int fd_ = -1;
};

std::uint64_t watchdog_period_us() {
    std::uint64_t period = 0;
    return sd_watchdog_enabled(0, &period) > 0 ? period : 0;
}

// What opened the ports is not needed to serve them.
void give_up_privileges(const config::Config& config) {
    const machine::Capabilities kept = machine::held() & machine::needed(config);
    if (const auto failed = machine::keep_only(kept); failed.has_value()) {
        spdlog::warn("capabilities that are needed no longer could not be given up: {}", *failed);
        return;
    }
    spdlog::info("capabilities kept: {}", machine::names(kept));
}

void advise_on_cores(const config::Dataplane& dataplane) {
    if (const auto advice = machine::advise(dataplane.cores, machine::cpu_facts())) {
        spdlog::warn("{}", *advice);
    }
}

std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    randombytes_buf(&seed, sizeof seed);
    return seed;
}

// Everything that lives as long as the daemon, in the order in which it is made; it goes in the
// opposite one.
class Assembly {
  public:
    Assembly(const config::Config& config, std::string file)
        : config_(config),
          file_(std::move(file)),
          settings_(io_settings(config)),
          allowances_(allowance_file(config)),
          intervals_(interval_file(config)) {}
    ~Assembly() { stop(); }
    Assembly(const Assembly&) = delete;
    Assembly& operator=(const Assembly&) = delete;

    io::Status start();
    void run(int signal_fd) {
        service_->run(
            signal_fd, [this] { reload(); }, [this] { return tidy(); });
        reconfiguration_->close();
    }
    void stop();
    [[nodiscard]] std::string summary() const;

  private:
    io::Status open_ports();
    io::Status take_up_keys();
    io::Status open_journal();
    io::Status make_table();
    io::Status load_screening();
    io::Status load_subscribers();
    void reload();
    [[nodiscard]] bool tidy();
    [[nodiscard]] std::uint64_t lessons() const;
    io::Status mirror_kernel();
    io::Status make_workers();
    io::Status launch();
    io::Status listen();

    const config::Config& config_;  // as at the start
    const std::string file_;
    const io::Settings settings_;
    AllowanceService allowances_;
    IntervalService intervals_;
    std::unique_ptr<KeyService> keys_;
    std::unique_ptr<io::Eal> eal_;
    std::unique_ptr<io::Ports> ports_;
    std::unique_ptr<io::Qsbr> qsbr_;
    std::unique_ptr<io::Mesh> mesh_;
    std::unique_ptr<io::Clock> clock_;
    std::unique_ptr<JournalService> journal_;  // null: nothing is kept
    std::unique_ptr<TableMemory> memory_;
    std::unique_ptr<StateMemory> states_;
    std::unique_ptr<qualify::Gateways> gateways_;
    std::unique_ptr<qualify::Ledger> ledger_;
    std::unique_ptr<route::PeerHealth> peer_health_;
    std::unique_ptr<route::PinTable> pins_;
    std::unique_ptr<Screening> screening_;
    std::unique_ptr<Subscription> subscription_;  // null: [auth] mode is "off"
    std::unique_ptr<NonceMemory> nonces_;
    std::unique_ptr<edge::Authentication> authentication_;
    std::unique_ptr<edge::Shared> shared_;
    std::unique_ptr<net::PathMtus> path_mtus_;
    IcmpCounters icmp_;
    std::unique_ptr<netlink::Mirror> mirror_;
    std::unique_ptr<Publisher> publisher_;
    std::unique_ptr<io::KernelPath> kernel_;
    std::unique_ptr<PeerLog> peer_log_;
    std::unique_ptr<Service> service_;
    std::vector<CoreCounters> counters_;
    std::vector<std::unique_ptr<io::Worker>> workers_;
    std::unique_ptr<ControlThread> control_;
    std::unique_ptr<Reconfiguration> reconfiguration_;
    std::unique_ptr<RunningSystem> system_;
    std::unique_ptr<api::Server> http_;
    std::unique_ptr<api::Server> socket_;
    machine::Watchdog watchdog_{watchdog_period_us()};
    bool launched_ = false;
};

io::Status Assembly::start() {
    using Step = io::Status (Assembly::*)();
    for (const Step step :
         {&Assembly::take_up_keys, &Assembly::open_ports, &Assembly::load_screening,
          &Assembly::load_subscribers, &Assembly::open_journal, &Assembly::make_table,
          &Assembly::mirror_kernel, &Assembly::make_workers, &Assembly::launch,
          &Assembly::listen}) {
        if (io::Status done = (this->*step)(); !done) {
            return done;
        }
    }
    return {};
}

io::Status Assembly::take_up_keys() {
    auto keys = KeyService::start(config_.keys);
    if (!keys) {
        return keys.error();
    }
    keys_ = keys.take();
    return {};
}

io::Status Assembly::open_ports() {
    auto eal = io::Eal::start(settings_);
    if (!eal) {
        return eal.error();
    }
    eal_ = eal.take();
    if (settings_.dumpcap) {
        spdlog::info("packets of every port: dpdk-dumpcap --file-prefix={} -i 0 -w FILE",
                     io::eal_file_prefix());
    }
    auto ports = io::Ports::open(settings_);
    if (!ports) {
        return ports.error();
    }
    ports_ = ports.take();
    auto qsbr = io::Qsbr::create(settings_.workers + kReaders);
    if (!qsbr) {
        return qsbr.error();
    }
    qsbr_ = qsbr.take();
    for (unsigned reader = settings_.workers; reader < settings_.workers + kReaders; ++reader) {
        if (io::Status joined = qsbr_->join(reader); !joined) {
            return joined;
        }
    }
    auto mesh = io::Mesh::create(settings_.workers, ports_->device_count());
    if (!mesh) {
        return mesh.error();
    }
    mesh_ = mesh.take();
    clock_ = std::make_unique<io::Clock>(static_cast<std::uint32_t>(std::time(nullptr)));
    return {};
}

// At the start: the first set has to be good.
template <class Loaded>
io::Status first_set(const Loaded& loaded) {
    std::string all;
    for (const std::string& problem : loaded.problems) {
        all += (all.empty() ? "" : "\n") + problem;
    }
    for (const std::string& warning : loaded.warnings) {
        spdlog::warn("{}", warning);
    }
    return all.empty() ? io::Status{} : io::Error{io::ErrorCode::kInvalid, all};
}

io::Status Assembly::load_screening() {
    screening_ = std::make_unique<Screening>(*qsbr_);
    if (config_.screen.rules.empty()) {
        return {};
    }
    LoadedRules loaded = load_rules(config_.screen.rules, settings_.workers);
    if (io::Status good = first_set(loaded); !good) {
        return good;
    }
    screening_->use(std::move(loaded.rules));
    return {};
}

io::Status Assembly::load_subscribers() {
    if (config_.auth.mode != config::AuthMode::kDigest) {
        return {};
    }
    subscription_ = std::make_unique<Subscription>(config_.auth, *qsbr_);
    LoadedSubscribers loaded =
        daemon::load_subscribers(config_.auth, subscription_->policy().user_hash);
    if (io::Status good = first_set(loaded); !good) {
        return good;
    }
    subscription_->use(std::move(loaded.subscribers));
    spdlog::info("{} subscribers may register", subscription_->users());
    auto nonces = NonceMemory::make(static_cast<std::uint32_t>(config_.dataplane.max_contacts),
                                    config_.auth.nonce_lifetime_s, settings_);
    if (!nonces) {
        return nonces.error();
    }
    nonces_ = nonces.take();
    authentication_ = std::make_unique<edge::Authentication>(edge::Authentication{
        subscription_->policy(), nonces_->windows(), subscription_->pointer()});
    return {};
}

void Assembly::reload() {
    reconfiguration_->reload_here();
}

// False: pinhole is to end.
bool Assembly::tidy() {
    if (watchdog_.due(Service::now_ms()) && system_->healthy().ok) {
        sd_notify(0, "WATCHDOG=1");
    }
    screening_->reclaim();
    system_->tidy(Service::now_ms());
    log_outages(*gateways_);
    allowances_.turn(workers_, Service::now_ms());
    intervals_.turn(*gateways_, lessons(), Service::now_ms(), clock_->now().s);
    if (subscription_ != nullptr) {
        subscription_->reclaim();
    }
    return !reconfiguration_->turn(Service::now_ms());
}

// Goes up with whatever is learned of gateways.
std::uint64_t Assembly::lessons() const {
    const qualify::Figures& figures = control_->figures();
    return figures.trials_survived.get() + figures.trials_lost.get() + figures.fallbacks.get();
}

io::Status Assembly::open_journal() {
    if (config_.journal.directory.empty()) {
        return {};
    }
    auto journal = JournalService::open(config_, *clock_);
    if (!journal) {
        return journal.error();
    }
    journal_ = journal.take();
    return {};
}

// What earlier runs have hashed is to be found again.
table::KeyedHash table_hash(const JournalService* journal) {
    if (journal != nullptr) {
        return table::KeyedHash(journal->hash_seed());
    }
    std::array<std::byte, table::KeyedHash::kSeedBytes> seed;
    randombytes_buf(seed.data(), seed.size());
    return table::KeyedHash(seed);
}

io::Status Assembly::make_table() {
    const auto max_contacts = static_cast<std::uint32_t>(config_.dataplane.max_contacts);
    const std::size_t beside =
        max_contacts * (ControlThread::bytes_per_contact() +
                        (config_.qualify.ledger ? qualify::Ledger::bytes_per_contact() : 0));
    auto memory = TableMemory::make(max_contacts, keys_->generation(), table_hash(journal_.get()),
                                    beside, settings_, *eal_, *qsbr_);
    if (!memory) {
        return memory.error();
    }
    memory_ = memory.take();
    auto states = StateMemory::make(
        max_contacts, journal_ != nullptr ? journal_->states_memory() : nullptr, settings_);
    if (!states) {
        return states.error();
    }
    states_ = states.take();
    ledger_ = std::make_unique<qualify::Ledger>(config_.qualify.ledger ? max_contacts : 0);
    gateways_ = std::make_unique<qualify::Gateways>(
        config_.qualify.gateways, memory_->table().hash(), config_.qualify.gateway_prefix_v4);
    if (journal_ != nullptr) {
        eal_->take_all_cpus();  // by the threads that it makes
        journal_->restore(memory_->table(), states_->table());
        eal_->restore_affinity();
    }
    peer_health_ =
        std::make_unique<route::PeerHealth>(std::max(config_.core.peers.size(), kRoomForPeers));
    pins_ = std::make_unique<route::PinTable>(kPins);
    shared_ = std::make_unique<edge::Shared>(
        edge::Shared{.table = memory_->table(),
                     .qualify = states_->table(),
                     .peer_health = *peer_health_,
                     .pins = *pins_,
                     .workers = config_.dataplane.workers,
                     .limit_sources = config_.limits.sources,
                     .screening = &screening_->pointer(),
                     .refuse_when_overloaded = config_.overload.enabled,
                     .authentication = authentication_.get()});
    return {};
}

io::Status Assembly::mirror_kernel() {
    std::string error;
    mirror_ = netlink::Mirror::open(error);
    if (mirror_ == nullptr) {
        return io::Error{io::ErrorCode::kSystem, error};
    }
    std::vector<net::PortInterface> interfaces;
    for (const io::LogicalPort& port : ports_->ports()) {
        interfaces.push_back({port.ifindex, port.index});
    }
    mirror_->set_ports(interfaces);
    if (io::Status started = ports_->start(); !started) {
        return started;
    }
    publisher_ = std::make_unique<Publisher>(std::make_shared<config::Config>(config_), *ports_,
                                             *mirror_, *qsbr_, keys_->keys());
    kernel_ = std::make_unique<io::KernelPath>(*ports_, *mesh_);
    path_mtus_ = std::make_unique<net::PathMtus>(random_seed());
    peer_log_ = std::make_unique<PeerLog>(peer_names(config_.core), *peer_health_);
    service_ = std::make_unique<Service>(*mirror_, *publisher_, *kernel_, *mesh_, *keys_,
                                         *peer_log_, *path_mtus_, icmp_);
    return service_->prepare();
}

io::Status Assembly::make_workers() {
    counters_ = std::vector<CoreCounters>(settings_.workers);
    const io::WorkerParts parts{
        *ports_,           *mesh_, *qsbr_, *clock_, *shared_, publisher_->pointer(), *path_mtus_,
        idle_mode(config_)};
    for (unsigned w = 0; w < settings_.workers; ++w) {
        auto worker = io::Worker::create(parts, w, counters_[w], eal_->worker_socket(w));
        if (!worker) {
            return worker.error();
        }
        workers_.push_back(worker.take());
    }
    allowances_.take_up(workers_);
    return {};
}

io::Status Assembly::launch() {
    launched_ = true;
    for (unsigned w = 0; w < workers_.size(); ++w) {
        const auto loop = [](void* worker) {
            static_cast<io::Worker*>(worker)->run();
            return 0;
        };
        if (io::Status launched = eal_->launch(w, loop, workers_[w].get()); !launched) {
            return launched;
        }
    }
    control_ = std::make_unique<ControlThread>(
        ControlParts{memory_->table(), states_->table(), *gateways_, *ledger_, *ports_, *mesh_,
                     *qsbr_, settings_.workers, *clock_, publisher_->pointer(), *peer_health_,
                     qualify_policy(config_.qualify), peer_policy(config_.core),
                     config_.core.peers.size(), random_seed()});
    reconfiguration_ = std::make_unique<Reconfiguration>(
        ReconfigurationParts{file_, *publisher_, *screening_, subscription_.get(), *control_,
                             *peer_log_, *peer_health_},
        std::make_shared<config::Config>(config_));
    intervals_.take_up(*gateways_, clock_->now().s);
    control_->start([this] { eal_->restore_affinity(); },
                    journal_ != nullptr && journal_->restored() != 0);
    if (journal_ != nullptr) {
        journal_->start(memory_->table(), states_->table(), *qsbr_, settings_.workers + 2,
                        [this] { eal_->restore_affinity(); });
    }
    eal_->restore_affinity();
    return {};
}

io::Status Assembly::listen() {
    system_ = std::make_unique<RunningSystem>(
        SystemParts{config_,
                    memory_->table(),
                    states_->table(),
                    *gateways_,
                    *ledger_,
                    *ports_,
                    *mesh_,
                    *qsbr_,
                    settings_.workers + 1,
                    *clock_,
                    publisher_->pointer(),
                    *keys_,
                    *control_,
                    *peer_health_,
                    *screening_,
                    *reconfiguration_,
                    subscription_.get(),
                    journal_.get(),
                    workers_,
                    counters_,
                    *path_mtus_,
                    icmp_,
                    memory_->bytes(),
                    std::string(io::page_kind_name(memory_->pages()))});
    if (config_.http.listen.enabled()) {
        http_ = std::make_unique<api::Server>(*system_, api::Server::Access::kReadOnly);
        const auto failed =
            http_->start_tcp(net::to_string(config_.http.listen.address), config_.http.listen.port);
        if (failed.has_value()) {
            return io::Error{io::ErrorCode::kBusy, *failed};
        }
    }
    socket_ = std::make_unique<api::Server>(*system_, api::Server::Access::kFull);
    if (const auto failed = socket_->start_unix(
            config_.control.socket, {socket_mode(config_.control.mode), config_.control.group});
        failed.has_value()) {
        return io::Error{io::ErrorCode::kBusy, *failed};
    }
    return {};
}

void Assembly::stop() {
    socket_.reset();
    http_.reset();
    if (control_ != nullptr) {
        control_->stop();
        intervals_.end(*gateways_, lessons(), clock_->now().s);
    }
    for (const auto& worker : workers_) {
        worker->stop();
    }
    if (launched_) {
        eal_->wait_for_workers();
        launched_ = false;
        allowances_.end(workers_);
    }
    if (journal_ != nullptr) {
        journal_->stop();
    }
    if (ports_ != nullptr) {
        ports_->stop();
    }
}

std::string Assembly::summary() const {
    std::string text = std::to_string(workers_.size()) +
                       (workers_.size() == 1 ? " worker, " : " workers, ") +
                       std::to_string(memory_->table().max_contacts()) + " contacts in " +
                       std::to_string(memory_->bytes() >> 20) + " MB of " +
                       std::string(io::page_kind_name(memory_->pages()));
    for (std::size_t i = 0; i < config_.ports.size(); ++i) {
        text += "; " + device_text(config_.ports[i].device) + " at";
        const auto& endpoints = publisher_->current().ports[i].endpoints;
        for (const net::Endpoint& endpoint : endpoints) {
            net::Flow flow;
            flow.theirs = endpoint.address;
            flow.their_udp_port = endpoint.udp_port;
            text += " " + net::far_end(flow);
        }
        text += endpoints.empty() ? " no address yet" : "";
    }
    return text;
}

}  // namespace

int run(const config::Config& config, const std::string& file) {
    spdlog::set_level(log_level(config.log.level));
    escape::set_up_log();
    if (sodium_init() < 0) {
        std::fprintf(stderr, "pinhole: the system gives no randomness (getrandom)\n");
        return 1;
    }
    const Signals signals;
    Assembly assembly(config, file);
    if (const io::Status started = assembly.start(); !started) {
        std::fprintf(stderr, "pinhole: %s\n", started.error().message.c_str());
        return 1;
    }
    advise_on_cores(config.dataplane);
    give_up_privileges(config);
    spdlog::info("pinhole {} serves: {}", PINHOLE_VERSION, assembly.summary());
    sd_notify(0, "READY=1");
    assembly.run(signals.fd());
    sd_notify(0, "STOPPING=1");
    spdlog::info("stopping");
    assembly.stop();
    return 0;
}

Checked check_files(const config::Config& config) {
    Checked checked;
    if (!config.screen.rules.empty()) {
        LoadedRules loaded = load_rules(config.screen.rules, 1);
        checked.problems = std::move(loaded.problems);
        checked.warnings = std::move(loaded.warnings);
    }
    if (config.auth.mode == config::AuthMode::kDigest) {
        LoadedSubscribers loaded =
            load_subscribers(config.auth, auth_policy(config.auth).user_hash);
        std::move(loaded.problems.begin(), loaded.problems.end(),
                  std::back_inserter(checked.problems));
        std::move(loaded.warnings.begin(), loaded.warnings.end(),
                  std::back_inserter(checked.warnings));
    }
    return checked;
}

std::vector<std::string> check_machine(const config::Config& config) {
    std::vector<std::string> complaints;
    if (auto complaint = KeyService::check(config.keys)) {
        complaints.push_back(std::move(*complaint));
    }
    std::string error;
    const auto mirror = netlink::Mirror::open(error);
    if (mirror == nullptr) {
        complaints.push_back(error);
        return complaints;
    }
    for (const io::DeviceSettings& device : io_settings(config).devices) {
        if (const io::Status there = io::check_device(device); !there) {
            complaints.push_back(there.error().message);
        }
    }
    const net::Fib fib = mirror->build_fib(0);
    for (const config::Port& port : config.ports) {
        for (const net::Address& address : port.addresses) {
            if (!fib.is_local(address)) {
                complaints.push_back("port " + port.name + ": the kernel does not have " +
                                     net::to_string(address) +
                                     " now: ip addr add it, or let keepalived bring it");
            }
        }
    }
    return complaints;
}

}  // namespace pinhole::daemon
