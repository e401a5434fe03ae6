// SPDX-License-Identifier: BSD-3-Clause
// The log of what has changed: the one place where a change of a binding becomes an event. Each
// worker writes its own, before the change is answered, into memory that outlives the process; one
// reader elsewhere takes it out. A ring of checksummed records at positions that only go up:
//
//   head      checksum[4] kind[4 bits] bytes[28 bits]   bytes: of the whole record, a multiple of 8
//   refresh   id[8] version[4] and the state but its flow                       48 in all
//   image     the AOR's record as it is now, its version in place of its sequence word
//   gone      hash[8] len[8] AOR: it has no contact any more
//   entry     an image, and of each contact what pings have taught: of snapshots
//   pad       up to the ring's end
//
// Structure has one writer, so of one AOR the images and the ends stand in one log in their order;
// refreshes of it may stand in any worker's, and their versions tell what is newer. Writing: one
// worker, a few dozen bytes, no call of the system; where there is no room the record is lost and
// counted, and nobody waits. Pure: the memory is handed in.
#pragma once

#include "dataplane/table/record.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pinhole::table {

enum class ChangeKind : std::uint8_t { kPad = 1, kRefresh, kImage, kGone, kEntry };

struct ChangeHead {
    std::uint32_t checksum;
    std::uint32_t kind_and_bytes;

    [[nodiscard]] ChangeKind kind() const { return static_cast<ChangeKind>(kind_and_bytes >> 28); }
    [[nodiscard]] std::size_t bytes() const { return kind_and_bytes & 0xfff'ffff; }
};
static_assert(sizeof(ChangeHead) == 8);

struct RefreshChange {
    ChangeHead head;
    std::uint64_t id;
    std::uint32_t version;
    std::uint32_t expires_at_s;
    std::uint64_t call_id_hash;
    std::uint32_t cseq;
    std::uint32_t refreshed_at_ms;
    std::uint16_t q;
    std::uint16_t flags;
    std::uint32_t reserved;
};
static_assert(sizeof(RefreshChange) == 48);

struct GoneChange {
    ChangeHead head;
    std::uint64_t hash;
    std::uint64_t len;  // of the AOR, which follows
};
static_assert(sizeof(GoneChange) == 24);

// What an entry has behind its image for each contact: QualifyTable's words.
inline constexpr std::size_t kQualifyWords = 3;

inline constexpr std::size_t kMaxChangeBytes =
    sizeof(ChangeHead) + 0x10000 + kMaxContactsPerAor * kQualifyWords * 8;

[[nodiscard]] constexpr std::size_t change_bytes(std::size_t payload) {
    return (sizeof(ChangeHead) + payload + 7) / 8 * 8;
}

// Writes the head of a record whose payload stands behind it, up to `bytes` zeroed where it is
// shorter. `position` is where the record stands in its log: one from elsewhere doesn't pass.
void seal_change(std::byte* change, ChangeKind kind, std::size_t bytes, std::uint64_t position);
// The record that begins here, if it is one and whole; null if not.
[[nodiscard]] const ChangeHead* read_change(std::span<const std::byte> from,
                                            std::uint64_t position);
// A whole kImage's or kEntry's record; null if it is none. For its fixed parts and states alone.
[[nodiscard]] const Record* image_of(const ChangeHead& change);
// The AOR of a whole kGone; empty if it can't be one.
[[nodiscard]] std::string_view gone_aor(const ChangeHead& change);

// What stands before a log's data, in the memory that outlives the process.
struct ChangeLogHead {
    // By the worker: all before this position is whole.
    alignas(64) std::atomic<std::uint64_t> written;
    std::atomic<std::uint64_t> lost;  // records for which there was no room
    // By the reader: all before this may be written over.
    alignas(64) std::atomic<std::uint64_t> copied;
};
static_assert(sizeof(ChangeLogHead) == 128 && std::atomic<std::uint64_t>::is_always_lock_free);

class ChangeLog {
  public:
    // `data` is a power of two, 8-byte aligned, larger than any record; `head` is as it was left,
    // or zero.
    ChangeLog(ChangeLogHead& head, std::span<std::byte> data);

    // By the worker. `version` is that of the record once this is published.
    void refreshed(ContactId id, std::uint32_t version, const ContactState& state);
    // `record` is claimed, or nobody else's yet.
    void changed(const Record& record, std::uint32_t version);
    void gone(std::uint64_t hash, std::string_view aor);

    // By the reader: what has been written and not yet taken, as it stands in the ring, from
    // `position` on; up to the ring's end, so ask again. Empty: nothing.
    [[nodiscard]] std::span<const std::byte> pending(std::uint64_t& position) const;
    void took(std::uint64_t upto) { head_.copied.store(upto, std::memory_order_release); }
    [[nodiscard]] std::uint64_t written() const {
        return head_.written.load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint64_t lost() const { return head_.lost.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t capacity() const { return data_.size(); }

  private:
    // Room for a record, at `written_` then. Null: there is none.
    [[nodiscard]] std::byte* room(std::size_t bytes);
    void publish(std::byte* change, ChangeKind kind, std::size_t bytes);

    ChangeLogHead& head_;
    const std::span<std::byte> data_;
    // The worker's.
    std::uint64_t written_;
    std::uint64_t copied_;  // as last seen
};

}  // namespace pinhole::table
