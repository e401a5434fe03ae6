// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/change_log.h"

// A checksum of 44 bytes is to cost no call.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace pinhole::table {
namespace {

constexpr std::size_t kMinChange = sizeof(ChangeHead);

std::uint32_t checksum_of(const std::byte* change, std::size_t bytes, std::uint64_t position) {
    // Of a pad the head alone: what follows it is what was there before.
    const std::uint64_t hash = XXH3_64bits(change + 4, bytes - 4);
    return static_cast<std::uint32_t>(hash ^ (position * 0x9e37'79b9'7f4a'7c15) >> 32);
}

std::size_t summed_bytes(ChangeKind kind, std::size_t bytes) {
    return kind == ChangeKind::kPad ? kMinChange : bytes;
}

}  // namespace

void seal_change(std::byte* change, ChangeKind kind, std::size_t bytes, std::uint64_t position) {
    ChangeHead head{0, static_cast<std::uint32_t>(kind) << 28 | static_cast<std::uint32_t>(bytes)};
    std::memcpy(change, &head, sizeof head);
    head.checksum = checksum_of(change, summed_bytes(kind, bytes), position);
    std::memcpy(change, &head.checksum, sizeof head.checksum);
}

const ChangeHead* read_change(std::span<const std::byte> from, std::uint64_t position) {
    if (from.size() < kMinChange) {
        return nullptr;
    }
    const auto* head = reinterpret_cast<const ChangeHead*>(from.data());
    const std::size_t bytes = head->bytes();
    const ChangeKind kind = head->kind();
    if (bytes < kMinChange || bytes > from.size() || bytes % 8 != 0 || kind < ChangeKind::kPad ||
        kind > ChangeKind::kEntry ||
        head->checksum != checksum_of(from.data(), summed_bytes(kind, bytes), position)) {
        return nullptr;
    }
    return head;
}

const Record* image_of(const ChangeHead& change) {
    const std::span<const std::byte> payload(reinterpret_cast<const std::byte*>(&change + 1),
                                             change.bytes() - sizeof(ChangeHead));
    const Record* image = Record::sound(payload);
    if (image == nullptr || change.kind() == ChangeKind::kImage) {
        return image;
    }
    const std::size_t whole =
        change_bytes(image->bytes()) + image->contact_count() * kQualifyWords * 8;
    return change.bytes() == whole ? image : nullptr;
}

std::string_view gone_aor(const ChangeHead& change) {
    const auto& gone = reinterpret_cast<const GoneChange&>(change);
    if (change.bytes() < sizeof gone || gone.len > kMaxAorBytes ||
        gone.len > change.bytes() - sizeof gone) {
        return {};
    }
    return {reinterpret_cast<const char*>(&gone + 1), gone.len};
}

ChangeLog::ChangeLog(ChangeLogHead& head, std::span<std::byte> data)
    : head_(head),
      data_(data),
      written_(head.written.load(std::memory_order_relaxed)),
      copied_(head.copied.load(std::memory_order_relaxed)) {}

std::byte* ChangeLog::room(std::size_t bytes) {
    const std::size_t at = written_ & (data_.size() - 1);
    const std::size_t to_end = data_.size() - at;
    const std::size_t pad = to_end < bytes ? to_end : 0;
    if (data_.size() - (written_ - copied_) < pad + bytes) {
        // Pairs with took(): what the reader has taken, it has read.
        copied_ = head_.copied.load(std::memory_order_acquire);
        if (data_.size() - (written_ - copied_) < pad + bytes) [[unlikely]] {
            head_.lost.store(head_.lost.load(std::memory_order_relaxed) + 1,
                             std::memory_order_relaxed);
            return nullptr;
        }
    }
    if (pad != 0) {
        publish(data_.data() + at, ChangeKind::kPad, pad);
        return data_.data();
    }
    return data_.data() + at;
}

void ChangeLog::publish(std::byte* change, ChangeKind kind, std::size_t bytes) {
    seal_change(change, kind, bytes, written_);
    written_ += bytes;
    // Pairs with pending(), and, where the process ends here, with whoever maps this memory next.
    head_.written.store(written_, std::memory_order_release);
}

void ChangeLog::refreshed(ContactId id, std::uint32_t version, const ContactState& state) {
    std::byte* to = room(sizeof(RefreshChange));
    if (to == nullptr) {
        return;
    }
    const RefreshChange change{.head = {},
                               .id = id.packed(),
                               .version = version,
                               .expires_at_s = state.expires_at_s,
                               .call_id_hash = state.call_id_hash,
                               .cseq = state.cseq,
                               .refreshed_at_ms = state.refreshed_at_ms,
                               .q = state.q,
                               .flags = state.flags,
                               .reserved = 0};
    std::memcpy(to, &change, sizeof change);
    publish(to, ChangeKind::kRefresh, sizeof change);
}

void ChangeLog::changed(const Record& record, std::uint32_t version) {
    const std::size_t bytes = change_bytes(record.bytes());
    std::byte* to = room(bytes);
    if (to == nullptr) {
        return;
    }
    std::memset(to + bytes - 8, 0, 8);
    record.copy_out(to + sizeof(ChangeHead), version);
    publish(to, ChangeKind::kImage, bytes);
}

void ChangeLog::gone(std::uint64_t hash, std::string_view aor) {
    const std::size_t bytes = change_bytes(sizeof(GoneChange) - sizeof(ChangeHead) + aor.size());
    std::byte* to = room(bytes);
    if (to == nullptr) {
        return;
    }
    std::memset(to + bytes - 8, 0, 8);
    const GoneChange change{{}, hash, aor.size()};
    std::memcpy(to, &change, sizeof change);
    std::copy(aor.begin(), aor.end(), reinterpret_cast<char*>(to + sizeof change));
    publish(to, ChangeKind::kGone, bytes);
}

std::span<const std::byte> ChangeLog::pending(std::uint64_t& position) const {
    position = head_.copied.load(std::memory_order_relaxed);
    const std::uint64_t end = written();
    const std::size_t at = position & (data_.size() - 1);
    return data_.subspan(at, std::min<std::uint64_t>(end - position, data_.size() - at));
}

}  // namespace pinhole::table
