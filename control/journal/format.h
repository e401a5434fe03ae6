// SPDX-License-Identifier: BSD-3-Clause
// What the journal's files are made of, on the disk as in tmpfs: a page that says whose they are,
// then chunks. Each chunk is a piece of one worker's log, or of a snapshot, with the records as
// they stand there. A file of another format, or one that a torn write has cut, is read as far as
// it is whole. Values only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace pinhole::journal {

inline constexpr std::size_t kHeadBytes = 4096;
inline constexpr std::size_t kMaxPorts = 16;

// Of one run of pinhole: what it takes to understand what that run wrote.
struct RunInfo {
    std::array<std::uint8_t, 16> journal{};  // the same for all runs of one journal
    std::uint64_t run = 0;                   // 1 up
    std::uint64_t clock_zero_ms = 0;         // wall time at which that run's milliseconds were 0
    std::array<std::byte, 32> hash_seed{};
    std::array<std::array<char, 16>, kMaxPorts> ports{};  // names by net::PortIndex
    std::uint32_t max_contacts = 0;
    std::uint32_t workers = 0;
    bool operator==(const RunInfo&) const = default;
};
static_assert(std::is_trivially_copyable_v<RunInfo> && sizeof(RunInfo) % 8 == 0);

enum class FileKind : std::uint32_t { kLog = 1, kSnapshot, kRing, kStates };

struct FileHead {
    std::uint64_t magic = 0;
    std::uint32_t checksum = 0;  // of what follows
    FileKind kind = FileKind::kLog;
    std::uint64_t number = 0;
    RunInfo run;
};
static_assert(sizeof(FileHead) <= kHeadBytes / 2);

[[nodiscard]] FileHead make_head(FileKind kind, std::uint64_t number, const RunInfo& run);
// Null: it is none of ours, or damaged.
[[nodiscard]] const FileHead* read_head(std::span<const std::byte> file);

// A chunk's records begin at `position` of its log.
struct ChunkHead {
    static constexpr std::uint32_t kSnapshot = 0xffff'ffff;  // as worker
    static constexpr std::uint32_t kEnd = 0xffff'fffe;       // of a snapshot: it is whole
    std::uint32_t magic = 0;
    std::uint32_t checksum = 0;  // of what follows in this head
    std::uint64_t position = 0;
    std::uint64_t bytes = 0;
    std::uint32_t worker = 0;
    std::uint32_t reserved = 0;
};
static_assert(sizeof(ChunkHead) == 32);

[[nodiscard]] ChunkHead make_chunk(std::uint32_t worker, std::uint64_t position,
                                   std::uint64_t bytes);
// Null: here begins no chunk. Its records may go beyond the file's end.
[[nodiscard]] const ChunkHead* read_chunk(std::span<const std::byte> from);

}  // namespace pinhole::journal
