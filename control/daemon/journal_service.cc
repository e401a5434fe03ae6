// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/journal_service.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <vector>

namespace pinhole::daemon {
namespace {

using std::chrono::steady_clock;

// Between two looks at the rings: a worker at its fastest writes some 200 KB meanwhile.
constexpr std::chrono::milliseconds kNap{5};
// Of the same trouble, a line now and then.
constexpr std::uint64_t kSayAgain_ms = 60'000;

std::uint64_t now_ms() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          steady_clock::now().time_since_epoch())
                                          .count());
}

std::uint64_t wall_ms() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

journal::RunInfo run_info(const config::Config& config, const io::Clock& clock) {
    journal::RunInfo info;
    info.clock_zero_ms = wall_ms() - clock.now().ms;
    info.workers = config.dataplane.workers;
    info.max_contacts = static_cast<std::uint32_t>(config.dataplane.max_contacts);
    for (std::size_t i = 0; i < std::min(config.ports.size(), journal::kMaxPorts); ++i) {
        std::strncpy(info.ports[i].data(), config.ports[i].name.c_str(), info.ports[i].size() - 1);
    }
    return info;
}

store::StoreSettings settings_of(const config::Journal& journal) {
    store::StoreSettings settings;
    settings.directory = journal.directory;
    settings.memory = journal.memory;
    settings.ring_bytes = std::bit_ceil(std::size_t{journal.log_mb}) << 20;
    return settings;
}

// In as many threads as there is work for: `parts` of it, by number.
template <class Work>
void in_parallel(std::uint32_t parts, Work&& work) {
    std::vector<std::thread> threads;
    for (std::uint32_t n = 1; n < parts; ++n) {
        threads.emplace_back([&work, n] { work(n); });
    }
    work(0);
    for (std::thread& thread : threads) {
        thread.join();
    }
}

}  // namespace

JournalService::JournalService(const config::Config& config, const io::Clock& clock)
    : sync_ms_(config.journal.sync_ms),
      workers_(config.dataplane.workers),
      clock_(clock),
      store_(settings_of(config.journal), run_info(config, clock)) {}

io::Result<std::unique_ptr<JournalService>> JournalService::open(const config::Config& config,
                                                                 const io::Clock& clock) {
    std::unique_ptr<JournalService> service(new JournalService(config, clock));
    if (const auto error = service->store_.open()) {
        return io::Error{io::ErrorCode::kSystem,
                         *error + "; or write [journal] directory = \"\" and keep no bindings"};
    }
    return service;
}

JournalService::~JournalService() {
    stop();
}

void JournalService::restore(table::BindingTable& table, table::QualifyTable& states) {
    const auto began = steady_clock::now();
    journal::ReplayFigures figures;
    if (store_.has_earlier()) {
        journal::Replay replay(store_.sources(), store_.run(), clock_.now().s, table, states);
        if (store_.learned() != nullptr) {
            replay.use_learned(*store_.learned(), store_.learned_run());
        }
        const std::uint32_t cpus = std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
        in_parallel(cpus, [&](std::uint32_t n) { replay.gather(n, cpus); });
        std::vector<journal::ReplayFigures> each(table.shard_count());
        in_parallel(table.shard_count(),
                    [&](std::uint32_t shard) { each[shard] = replay.restore_shard(shard); });
        for (const journal::ReplayFigures& one : each) {
            figures.add(one);
        }
        table.finish_restore();
        // The keeper takes them up as they were, not as newcomers.
        table.for_wheel().drain(~std::size_t{0}, [](std::uint32_t) {});
        restored_ = figures.contacts;
    }
    const auto no_log = store_.begin();
    restore_s_ = std::chrono::duration<double>(steady_clock::now() - began).count();
    for (const std::string& warning : store_.warnings()) {
        spdlog::warn("{}", warning);
    }
    if (figures.damaged + figures.conflicts != 0) {
        spdlog::warn("the journal is damaged in {} places; {} contacts stand against others",
                     figures.damaged, figures.conflicts);
    }
    if (figures.homeless != 0) {
        spdlog::warn("{} contacts came by ports that the configuration no longer has",
                     figures.homeless);
    }
    if (figures.no_room != 0) {
        spdlog::warn("{} contacts find no room in the table", figures.no_room);
    }
    if (store_.run().run > 1) {
        spdlog::info("{} contacts are back in {:.2f} s; {} have expired meanwhile",
                     figures.contacts, restore_s_, figures.expired);
    }
    if (no_log) {
        spdlog::error("bindings are not kept over a restart: {}", *no_log);
        return;
    }
    logging_ = true;
    for (std::uint32_t worker = 0; worker < workers_; ++worker) {
        table.log_to(worker, &store_.log(worker));
    }
}

void JournalService::start(table::BindingTable& table, const table::QualifyTable& states,
                           io::Qsbr& qsbr, unsigned qsbr_thread, std::function<void()> on_start) {
    if (!logging_) {
        return;
    }
    thread_ =
        std::thread([this, &table, &states, &qsbr, qsbr_thread, on_start = std::move(on_start)] {
            pthread_setname_np(pthread_self(), "journal");
            on_start();
            run(table, states, qsbr, qsbr_thread);
        });
}

void JournalService::run(table::BindingTable& table, const table::QualifyTable& states,
                         io::Qsbr& qsbr, unsigned qsbr_thread) {
    std::uint64_t next_sync_ms = 0;
    while (!stopping_.load(std::memory_order_relaxed)) {
        const std::uint64_t now = now_ms();
        store_.copy(now);
        if (now >= next_sync_ms) {
            store_.sync(now);
            next_sync_ms = now + sync_ms_;
        }
        if (store_.wants_snapshot(now)) {
            store_.begin_snapshot(table, states, now);
        }
        qsbr.online(qsbr_thread);
        const bool piece = store_.read_snapshot_piece();
        qsbr.offline(qsbr_thread);
        if (piece) {
            store_.write_snapshot_piece(now);
        }
        say(now);
        std::this_thread::sleep_for(piece ? std::chrono::milliseconds{1} : kNap);
    }
    store_.end(now_ms());
}

void JournalService::stop() {
    stopping_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) {
        thread_.join();
    }
}

void JournalService::say(std::uint64_t now) {
    const bool whole = store_.figures().whole.load(std::memory_order_relaxed);
    const std::string complaint = store_.take_complaint();
    if (!whole && (!failing_ || now >= next_word_ms_)) {
        next_word_ms_ = now + kSayAgain_ms;
        const std::uint64_t lost = store_.figures().lost.load(std::memory_order_relaxed);
        if (!complaint.empty()) {
            spdlog::error("the journal is behind, registrations go on: {}", complaint);
        } else if (!failing_) {
            spdlog::error("the journal has lost {} changes: its thread came too late", lost);
        }
    }
    if (whole && failing_) {
        spdlog::info("the journal is whole again");
    }
    failing_ = !whole;
}

metrics::JournalFigures JournalService::figures() const {
    const store::StoreFigures& from = store_.figures();
    const std::uint64_t synced_ms = from.synced_ms.load(std::memory_order_relaxed);
    const std::uint64_t now = now_ms();
    return {.kept = true,
            .whole = logging_ && from.whole.load(std::memory_order_relaxed),
            .sync_age_s =
                synced_ms != 0 && now > synced_ms ? static_cast<double>(now - synced_ms) / 1e3 : 0,
            .copied_bytes = from.copied_bytes.load(std::memory_order_relaxed),
            .log_bytes = from.log_bytes.load(std::memory_order_relaxed),
            .snapshot_bytes = from.snapshot_bytes.load(std::memory_order_relaxed),
            .snapshots = from.snapshots.load(std::memory_order_relaxed),
            .lost = from.lost.load(std::memory_order_relaxed),
            .failures = from.failures.load(std::memory_order_relaxed),
            .restored = restored_,
            .restore_s = restore_s_};
}

}  // namespace pinhole::daemon
