// SPDX-License-Identifier: BSD-3-Clause
// What earlier runs have left, found and understood.
#include "control/store/store.h"

#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <map>
#include <system_error>

namespace pinhole::store {
namespace {

using journal::ChunkHead;
using journal::FileHead;
using journal::FileKind;
using journal::kHeadBytes;

// "snapshot-12" with the prefix "snapshot-" is 12.
std::optional<std::uint64_t> number_of(const std::string& name, std::string_view prefix) {
    std::uint64_t number = 0;
    if (name.compare(0, prefix.size(), prefix) != 0) {
        return std::nullopt;
    }
    const char* end = name.data() + name.size();
    const auto [at, error] = std::from_chars(name.data() + prefix.size(), end, number);
    return error == std::errc{} && at == end ? std::optional(number) : std::nullopt;
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

// A snapshot that was written to its end has an end there.
bool has_end(std::span<const std::byte> chunks) {
    if (chunks.size() < sizeof(ChunkHead)) {
        return false;
    }
    const ChunkHead* end = journal::read_chunk(chunks.last(sizeof(ChunkHead)));
    return end != nullptr && end->worker == ChunkHead::kEnd;
}

}  // namespace

struct Store::Earlier {
    struct File {
        MappedFile map;
        FileHead head;
        [[nodiscard]] std::span<const std::byte> chunks() const {
            return std::span<const std::byte>(map.bytes()).subspan(kHeadBytes);
        }
    };
    std::map<std::uint64_t, File> snapshots, logs;
    std::vector<MappedFile> rings;
    // What stood in the rings, as chunks, by run.
    std::map<std::uint64_t, std::pair<journal::RunInfo, std::vector<std::uint64_t>>> leftovers;
    MappedFile states;
};

Store::Store(StoreSettings settings, const journal::RunInfo& wanted)
    : settings_(std::move(settings)), run_(wanted), earlier_(std::make_unique<Earlier>()) {
    randombytes_buf(run_.journal.data(), run_.journal.size());
    randombytes_buf(run_.hash_seed.data(), run_.hash_seed.size());
    run_.run = 1;
}

Store::~Store() = default;

std::string Store::disk_path(const char* kind, std::uint64_t number) const {
    return settings_.directory + "/" + kind + "-" + std::to_string(number);
}

std::optional<std::string> Store::open() {
    std::optional<std::string> error;
    disk_lock_ = DirectoryLock::take(settings_.directory, error);
    if (!error) {
        memory_lock_ = DirectoryLock::take(settings_.memory, error);
    }
    if (error) {
        return error;
    }
    find_files();
    find_rings();
    for (auto& [run, leftover] : earlier_->leftovers) {
        const auto& words = leftover.second;
        sources_.push_back(
            {leftover.first,
             {reinterpret_cast<const std::byte*>(words.data()), words.size() * sizeof words[0]}});
    }
    return std::nullopt;
}

// This run comes after that one, and knows its hashes.
void Store::take_newest(const journal::RunInfo& run) {
    if (run.run >= run_.run) {
        run_.run = run.run + 1;
        run_.journal = run.journal;
        run_.hash_seed = run.hash_seed;
    }
}

void Store::find_files() {
    for (const std::string& name : names_in(settings_.directory)) {
        const auto snapshot = number_of(name, "snapshot-");
        const auto log = number_of(name, "log-");
        if (name.size() > 4 && name.compare(name.size() - 4, 4, ".new") == 0) {
            (void)unlink(
                (settings_.directory + "/" + name).c_str());  // of a run that was cut short
        }
        if (!snapshot && !log) {
            continue;
        }
        number_ = std::max(number_, snapshot ? *snapshot : *log);
        std::optional<std::string> error;
        Earlier::File file{MappedFile::open(settings_.directory + "/" + name, error), {}};
        const FileHead* head = journal::read_head(file.map.bytes());
        if (error || head == nullptr) {
            if (!file.map.bytes().empty() || error) {
                warnings_.push_back(error.value_or(settings_.directory + "/" + name +
                                                   " is none of this version's, or damaged"));
            }
            continue;
        }
        file.head = *head;
        take_newest(head->run);
        (snapshot ? earlier_->snapshots : earlier_->logs)
            .emplace(snapshot ? *snapshot : *log, std::move(file));
    }
    for (auto* files : {&earlier_->snapshots, &earlier_->logs}) {
        for (auto it = files->begin(); it != files->end();) {
            if (it->second.head.run.journal == run_.journal) {
                ++it;
                continue;
            }
            warnings_.push_back(settings_.directory + " holds files of another journal: number " +
                                std::to_string(it->first));
            it = files->erase(it);
        }
    }
    auto& snapshots = earlier_->snapshots;
    const auto whole = std::find_if(snapshots.rbegin(), snapshots.rend(),
                                    [](const auto& file) { return has_end(file.second.chunks()); });
    const auto chosen = whole != snapshots.rend() ? whole : snapshots.rbegin();
    if (chosen != snapshots.rend()) {
        sources_.push_back({chosen->second.head.run, chosen->second.chunks(), true});
        last_snapshot_bytes_ = chosen->second.map.bytes().size();
        if (whole != snapshots.rbegin()) {
            warnings_.push_back(disk_path("snapshot", snapshots.rbegin()->first) +
                                " is cut: what is missing in it comes back with the phones");
        }
    }
    for (auto& [number, file] : earlier_->logs) {
        if (chosen == snapshots.rend() || number >= chosen->first) {
            sources_.push_back({file.head.run, file.chunks()});
        }
    }
}

// What stood in the rings and was not copied. Of another journal they are nothing to us.
void Store::find_rings() {
    const bool known = run_.run > 1;
    for (const std::string& name : names_in(settings_.memory)) {
        const bool ring = name.compare(0, 5, "ring-") == 0;
        const bool states = name.compare(0, 7, "states-") == 0;
        if (!ring && !states) {
            continue;
        }
        const std::string path = settings_.memory + "/" + name;
        old_memory_.push_back(path);
        std::optional<std::string> error;
        MappedFile file = MappedFile::open(path, error);
        const FileHead* head = journal::read_head(file.bytes());
        if (error || head == nullptr || (known && head->run.journal != run_.journal)) {
            warnings_.push_back(
                error.value_or(path + (head == nullptr ? " is damaged, or of another version"
                                                       : " is of another journal")));
            continue;
        }
        const auto bytes = file.bytes();
        if (states && head->kind == FileKind::kStates) {
            const std::size_t room =
                (bytes.size() - kHeadBytes) / table::QualifyTable::kept_bytes_per_contact();
            if (head->run.max_contacts <= room && head->run.run >= learned_run_.run) {
                learned_run_ = head->run;
                earlier_->states = std::move(file);
                learned_ = std::make_unique<table::QualifyTable>(
                    learned_run_.max_contacts, earlier_->states.bytes().data() + kHeadBytes);
            }
            continue;
        }
        const std::size_t capacity = bytes.size() - kHeadBytes;
        if (head->kind != FileKind::kRing || !std::has_single_bit(capacity)) {
            continue;
        }
        auto& shared =
            *reinterpret_cast<const table::ChangeLogHead*>(bytes.data() + kHeadBytes / 2);
        const std::uint64_t written = shared.written.load(std::memory_order_acquire);
        std::uint64_t at = shared.copied.load(std::memory_order_relaxed);
        if (written - at > capacity || at % 8 != 0 || written % 8 != 0) {
            warnings_.push_back(path + " is damaged");
            continue;
        }
        auto& [run, words] = earlier_->leftovers[head->run.run];
        run = head->run;
        while (at < written) {
            const std::size_t from = at & (capacity - 1);
            const std::size_t n = std::min<std::uint64_t>(written - at, capacity - from);
            const ChunkHead chunk =
                journal::make_chunk(static_cast<std::uint32_t>(head->number), at, n);
            const std::size_t to = words.size();
            words.resize(to + (sizeof chunk + n) / sizeof words[0]);
            std::memcpy(words.data() + to, &chunk, sizeof chunk);
            std::memcpy(words.data() + to + sizeof chunk / sizeof words[0],
                        bytes.data() + kHeadBytes + from, n);
            at += n;
        }
    }
    for (const auto& [number, leftover] : earlier_->leftovers) {
        take_newest(leftover.first);
    }
}

std::optional<std::string> Store::begin() {
    sources_.clear();
    learned_.reset();
    const auto failed = keep_leftovers();
    earlier_->leftovers.clear();
    earlier_->snapshots.clear();
    earlier_->logs.clear();
    earlier_->states = {};
    if (failed) {
        fail(*failed);  // they stay in memory until there is a snapshot
    } else {
        for (const std::string& path : old_memory_) {
            (void)unlink(path.c_str());
        }
        old_memory_.clear();
    }
    if (auto error = make_rings()) {
        return error;
    }
    // Until here a start that is cut short leaves the earlier ones' word to the next.
    if (!states_.bytes().empty()) {
        const FileHead head = journal::make_head(FileKind::kStates, 0, run_);
        std::memcpy(states_.bytes().data(), &head, sizeof head);
    }
    (void)next_log();
    return std::nullopt;
}

std::optional<std::string> Store::keep_leftovers() {
    for (const auto& [number, leftover] : earlier_->leftovers) {
        const auto& [run, words] = leftover;
        if (words.empty()) {
            continue;
        }
        std::optional<std::string> error;
        AppendFile file = AppendFile::create(disk_path("log", ++number_), error);
        if (error) {
            return error;
        }
        std::vector<std::byte> page(kHeadBytes);
        const FileHead head = journal::make_head(FileKind::kLog, number_, run);
        std::memcpy(page.data(), &head, sizeof head);
        if (!file.append(page, std::as_bytes(std::span(words))) || !file.sync() ||
            !sync_directory(settings_.directory)) {
            return "can't write " + disk_path("log", number_) + ": " + last_error();
        }
    }
    return std::nullopt;
}

std::optional<std::string> Store::make_rings() {
    std::optional<std::string> error;
    for (std::uint32_t worker = 0; worker < run_.workers; ++worker) {
        const std::string path =
            settings_.memory + "/ring-" + std::to_string(run_.run) + "-" + std::to_string(worker);
        Ring& ring = rings_.emplace_back();
        ring.file = MappedFile::create(path, kHeadBytes + settings_.ring_bytes, error);
        if (error) {
            return error;
        }
        const auto bytes = ring.file.bytes();
        const FileHead head = journal::make_head(FileKind::kRing, worker, run_);
        std::memcpy(bytes.data(), &head, sizeof head);
        auto* shared = new (bytes.data() + kHeadBytes / 2) table::ChangeLogHead{};
        ring.log = std::make_unique<table::ChangeLog>(*shared, bytes.subspan(kHeadBytes));
    }
    return std::nullopt;
}

void* Store::states_memory() {
    std::optional<std::string> error;
    const std::size_t bytes =
        kHeadBytes + run_.max_contacts * table::QualifyTable::kept_bytes_per_contact();
    states_ =
        MappedFile::create(settings_.memory + "/states-" + std::to_string(run_.run), bytes, error);
    if (error) {
        warnings_.push_back(*error + ": what pings teach is kept with the snapshots alone");
        return nullptr;
    }
    return states_.bytes().data() + kHeadBytes;
}

}  // namespace pinhole::store
