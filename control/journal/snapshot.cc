// SPDX-License-Identifier: BSD-3-Clause
#include "control/journal/snapshot.h"

#include "dataplane/table/change_log.h"

#include <cstring>

namespace pinhole::journal {
namespace {

// How often a record that stays claimed is tried; its holder has lost its core, and has it back
// soon.
constexpr int kMaxTries = 1000;

void put_chunk(std::vector<std::byte>& out, std::size_t at, const ChunkHead& head) {
    std::memcpy(out.data() + at, &head, sizeof head);
}

}  // namespace

bool SnapshotWriter::step(std::uint32_t max_buckets, std::vector<std::byte>& out) {
    const std::size_t chunk_at = out.size();
    out.resize(chunk_at + sizeof(ChunkHead));
    const bool more = table_.list(
        cursor_, max_buckets, [&](const table::Record& record) { append(record, chunk_at, out); });
    const std::size_t bytes = out.size() - chunk_at - sizeof(ChunkHead);
    put_chunk(out, chunk_at, make_chunk(ChunkHead::kSnapshot, position_, bytes));
    position_ += bytes;
    if (!more) {
        const std::size_t end_at = out.size();
        out.resize(end_at + sizeof(ChunkHead));
        put_chunk(out, end_at, make_chunk(ChunkHead::kEnd, position_, 0));
    }
    return more;
}

void SnapshotWriter::append(const table::Record& record, std::size_t chunk_at,
                            std::vector<std::byte>& out) {
    const std::size_t at = out.size();
    const std::size_t image = table::change_bytes(record.bytes());
    const std::size_t bytes = image + record.contact_count() * sizeof(table::QualifyTable::Words);
    out.resize(at + bytes);
    std::byte* to = out.data() + at;
    int tries = 0;
    while (!record.read_out(to + sizeof(table::ChangeHead)) && tries < kMaxTries) {
        ++tries;
    }
    for (std::size_t i = 0; i < record.contact_count(); ++i) {
        const std::uint32_t slot = record.fixed(i).slot;
        const table::QualifyTable::Words words =
            slot < states_.capacity() ? states_.words_any(slot) : table::QualifyTable::Words{};
        std::memcpy(to + image + i * sizeof words, words.data(), sizeof words);
    }
    table::seal_change(to, table::ChangeKind::kEntry, bytes,
                       position_ + (at - chunk_at - sizeof(ChunkHead)));
    contacts_ += record.contact_count();
}

}  // namespace pinhole::journal
