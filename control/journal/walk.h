// SPDX-License-Identifier: BSD-3-Clause
// Goes through the records of chunks as far as they are whole: a damaged record costs the rest of
// its chunk, a damaged chunk's head the rest of the source. Pure.
#pragma once

#include "control/journal/format.h"
#include "control/journal/replay.h"
#include "dataplane/table/change_log.h"

#include <algorithm>
#include <cstdint>
#include <span>

namespace pinhole::journal {

// Calls visit(const table::ChangeHead&) for each whole record but pads.
template <class Visit>
Extent walk(std::span<const std::byte> chunks, Visit&& visit) {
    Extent extent;
    std::size_t at = 0;
    while (at < chunks.size()) {
        const ChunkHead* chunk = read_chunk(chunks.subspan(at));
        if (chunk == nullptr) {
            break;
        }
        at += sizeof(ChunkHead);
        extent.whole_bytes += sizeof(ChunkHead);
        extent.ended = chunk->worker == ChunkHead::kEnd;
        const auto records =
            chunks.subspan(at, std::min<std::uint64_t>(chunk->bytes, chunks.size() - at));
        std::size_t done = 0;
        while (done < records.size()) {
            const table::ChangeHead* change =
                table::read_change(records.subspan(done), chunk->position + done);
            if (change == nullptr) {
                break;
            }
            if (change->kind() != table::ChangeKind::kPad) {
                visit(*change);
            }
            done += change->bytes();
        }
        extent.whole_bytes += done;
        extent.lost_bytes += records.size() - done;
        at += records.size();
    }
    extent.lost_bytes += chunks.size() - at;
    return extent;
}

}  // namespace pinhole::journal
