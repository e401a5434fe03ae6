// SPDX-License-Identifier: BSD-3-Clause
#include "control/journal/format.h"

#include <xxhash.h>

#include <cstring>

namespace pinhole::journal {
namespace {

// The format's number is part of them: what another version wrote is not read.
constexpr std::uint64_t kFileMagic = 0x3130'6c6e'726a'6870;  // "phjrnl01"
constexpr std::uint32_t kChunkMagic = 0x6b6e'6863;           // "chnk"

std::uint32_t sum(const void* from, std::size_t bytes) {
    return static_cast<std::uint32_t>(XXH3_64bits(from, bytes));
}
std::uint32_t sum_of(const FileHead& head) {
    return sum(&head.kind, sizeof head - offsetof(FileHead, kind));
}
std::uint32_t sum_of(const ChunkHead& head) {
    return sum(&head.position, sizeof head - offsetof(ChunkHead, position));
}

}  // namespace

FileHead make_head(FileKind kind, std::uint64_t number, const RunInfo& run) {
    FileHead head;
    std::memset(static_cast<void*>(&head), 0, sizeof head);
    head.magic = kFileMagic;
    head.kind = kind;
    head.number = number;
    head.run = run;
    head.checksum = sum_of(head);
    return head;
}

const FileHead* read_head(std::span<const std::byte> file) {
    if (file.size() < kHeadBytes) {
        return nullptr;
    }
    const auto* head = reinterpret_cast<const FileHead*>(file.data());
    return head->magic == kFileMagic && head->checksum == sum_of(*head) ? head : nullptr;
}

ChunkHead make_chunk(std::uint32_t worker, std::uint64_t position, std::uint64_t bytes) {
    ChunkHead head;
    head.magic = kChunkMagic;
    head.position = position;
    head.bytes = bytes;
    head.worker = worker;
    head.checksum = sum_of(head);
    return head;
}

const ChunkHead* read_chunk(std::span<const std::byte> from) {
    if (from.size() < sizeof(ChunkHead)) {
        return nullptr;
    }
    const auto* head = reinterpret_cast<const ChunkHead*>(from.data());
    return head->magic == kChunkMagic && head->bytes % 8 == 0 && head->checksum == sum_of(*head)
               ? head
               : nullptr;
}

}  // namespace pinhole::journal
