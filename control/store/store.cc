// SPDX-License-Identifier: BSD-3-Clause
#include "control/store/store.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace pinhole::store {
namespace {

using journal::ChunkHead;
using journal::FileHead;
using journal::FileKind;
using journal::kHeadBytes;

// A piece of a snapshot: some milliseconds of reading, then one write.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::uint32_t kBucketsAStep = 64;
// So that no sync has much to wait for.
constexpr std::uint64_t kSyncEvery = std::uint64_t{8} << 20;
constexpr std::uint64_t kTryAgain_ms = 5'000;
constexpr std::uint64_t kTryLogAgain_ms = 1'000;

std::vector<std::byte> head_page(FileKind kind, std::uint64_t number, const journal::RunInfo& run) {
    std::vector<std::byte> page(kHeadBytes);
    const FileHead head = journal::make_head(kind, number, run);
    std::memcpy(page.data(), &head, sizeof head);
    return page;
}

}  // namespace

void Store::fail(const std::string& what) {
    figures_.failures.fetch_add(1, std::memory_order_relaxed);
    figures_.whole.store(false, std::memory_order_relaxed);
    complaint_ = what;
}

std::string Store::take_complaint() {
    return std::exchange(complaint_, {});
}

std::uint64_t Store::lost() const {
    std::uint64_t sum = 0;
    for (const Ring& ring : rings_) {
        sum += ring.log->lost();
    }
    return sum;
}

bool Store::next_log() {
    const std::uint64_t number = number_ + 1;
    std::optional<std::string> error;
    AppendFile file = AppendFile::create(disk_path("log", number), error);
    if (!error && !file.append(head_page(FileKind::kLog, number, run_), {})) {
        error = "can't write " + disk_path("log", number) + ": " + last_error();
        (void)unlink(disk_path("log", number).c_str());
    }
    if (error) {
        fail(*error);
        return false;
    }
    log_ = std::move(file);
    log_bad_ = false;
    unsynced_ = true;
    number_ = number;
    return true;
}

void Store::copy(std::uint64_t now_ms) {
    if (log_bad_ && now_ms >= try_log_again_ms_ && !next_log()) {
        try_log_again_ms_ = now_ms + kTryLogAgain_ms;
    }
    for (std::size_t worker = 0; worker < rings_.size() && !log_bad_; ++worker) {
        copy_ring(worker);
        try_log_again_ms_ = log_bad_ ? now_ms + kTryLogAgain_ms : 0;
    }
    const std::uint64_t lost_now = lost();
    figures_.lost.store(lost_now, std::memory_order_relaxed);
    if (lost_now != lost_before_) {
        needs_snapshot_ = true;
        figures_.whole.store(false, std::memory_order_relaxed);
    }
}

void Store::copy_ring(std::size_t worker) {
    table::ChangeLog& ring = *rings_[worker].log;
    // As far as it was when we began: it may be written faster than we copy.
    const std::uint64_t upto = ring.written();
    std::uint64_t position = 0;
    for (auto part = ring.pending(position); !part.empty() && position < upto;
         part = ring.pending(position)) {
        const ChunkHead head =
            journal::make_chunk(static_cast<std::uint32_t>(worker), position, part.size());
        if (!log_.append(std::as_bytes(std::span(&head, 1)), part)) {
            fail("can't write " + disk_path("log", number_) + ": " + last_error());
            log_bad_ = true;
            return;
        }
        ring.took(position + part.size());
        unsynced_ = true;
        figures_.copied_bytes.fetch_add(part.size(), std::memory_order_relaxed);
        figures_.log_bytes.fetch_add(part.size() + sizeof head, std::memory_order_relaxed);
    }
}

void Store::sync(std::uint64_t now_ms) {
    if (log_bad_) {
        return;
    }
    if (unsynced_ && !log_.sync()) {
        // What it didn't take may be gone for good.
        fail("can't bring " + disk_path("log", number_) + " to the disk: " + last_error());
        log_bad_ = true;
        needs_snapshot_ = true;
        return;
    }
    unsynced_ = false;
    figures_.synced_ms.store(now_ms, std::memory_order_relaxed);
    if (!needs_snapshot_) {
        figures_.whole.store(true, std::memory_order_relaxed);
    }
}

bool Store::wants_snapshot(std::uint64_t now_ms) const {
    const std::uint64_t most = std::max(settings_.min_log_bytes, last_snapshot_bytes_);
    return taking_ == nullptr && now_ms >= try_again_ms_ &&
           (needs_snapshot_ || figures_.log_bytes.load(std::memory_order_relaxed) > most);
}

void Store::begin_snapshot(const table::BindingTable& table, const table::QualifyTable& states,
                           std::uint64_t now_ms) {
    copy(now_ms);
    if (!log_bad_ && unsynced_ && !log_.sync()) {
        log_bad_ = true;
    }
    const std::uint64_t lost_now = lost();
    if (!next_log()) {
        try_again_ms_ = now_ms + kTryAgain_ms;
        return;
    }
    auto taking = std::make_unique<Taking>(number_, table, states);
    taking->lost = lost_now;
    std::optional<std::string> error;
    taking->file = AppendFile::create(disk_path("snapshot", number_) + ".new", error);
    taking->piece = head_page(FileKind::kSnapshot, number_, run_);
    if (error) {
        try_again_ms_ = now_ms + kTryAgain_ms;
        fail(*error);
        return;
    }
    taking_ = std::move(taking);
}

bool Store::read_snapshot_piece() {
    if (taking_ == nullptr) {
        return false;
    }
    taking_->piece.reserve(2 * kPieceBytes);
    while (taking_->more && taking_->piece.size() < kPieceBytes) {
        taking_->more = taking_->writer.step(kBucketsAStep, taking_->piece);
    }
    return true;
}

void Store::write_snapshot_piece(std::uint64_t now_ms) {
    if (taking_ == nullptr) {
        return;
    }
    Taking& taking = *taking_;
    const std::uint64_t before = taking.file.size();
    const bool written =
        taking.file.append(taking.piece, {}) &&
        (before / kSyncEvery == taking.file.size() / kSyncEvery || taking.file.sync());
    taking.piece.clear();
    if (!written) {
        give_up_snapshot(
            "can't write " + disk_path("snapshot", taking.number) + ": " + last_error(), now_ms);
    } else if (!taking.more) {
        finish_snapshot(now_ms);
    }
}

void Store::give_up_snapshot(const std::string& why, std::uint64_t now_ms) {
    (void)unlink((disk_path("snapshot", taking_->number) + ".new").c_str());
    taking_.reset();
    try_again_ms_ = now_ms + kTryAgain_ms;
    fail(why);
}

// Whole only together with all that was logged while it was taken.
void Store::finish_snapshot(std::uint64_t now_ms) {
    const std::string path = disk_path("snapshot", taking_->number);
    copy(now_ms);
    sync(now_ms);
    if (log_bad_) {
        give_up_snapshot(complaint_, now_ms);
        return;
    }
    if (!taking_->file.sync() || std::rename((path + ".new").c_str(), path.c_str()) != 0 ||
        !sync_directory(settings_.directory)) {
        give_up_snapshot("can't bring " + path + " to the disk: " + last_error(), now_ms);
        return;
    }
    last_snapshot_bytes_ = taking_->file.size();
    lost_before_ = taking_->lost;
    const std::uint64_t number = taking_->number;
    taking_.reset();
    remove_before(number);
    needs_snapshot_ = lost() != lost_before_;
    figures_.snapshot_bytes.store(last_snapshot_bytes_, std::memory_order_relaxed);
    figures_.snapshots.fetch_add(1, std::memory_order_relaxed);
    figures_.log_bytes.store(log_.size(), std::memory_order_relaxed);
    figures_.whole.store(!needs_snapshot_, std::memory_order_relaxed);
}

void Store::remove_before(std::uint64_t number) {
    std::error_code ignored;
    std::vector<std::string> old = std::exchange(old_memory_, {});
    for (const auto& entry : std::filesystem::directory_iterator(settings_.directory, ignored)) {
        const std::string name = entry.path().filename().string();
        for (const std::string_view prefix : {"snapshot-", "log-"}) {
            if (name.compare(0, prefix.size(), prefix) == 0 &&
                name.find_first_not_of("0123456789", prefix.size()) == std::string::npos &&
                std::strtoull(name.c_str() + prefix.size(), nullptr, 10) < number) {
                old.push_back(entry.path().string());
            }
        }
    }
    for (const std::string& path : old) {
        (void)unlink(path.c_str());
    }
}

void Store::end(std::uint64_t now_ms) {
    if (taking_ != nullptr) {
        (void)unlink((disk_path("snapshot", taking_->number) + ".new").c_str());
        taking_.reset();
    }
    try_log_again_ms_ = 0;
    copy(now_ms);
    sync(now_ms);
}

}  // namespace pinhole::store
