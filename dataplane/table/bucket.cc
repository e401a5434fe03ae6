// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/bucket.h"

#include <algorithm>

namespace pinhole::table {

BucketIndex::Place BucketIndex::locate(std::uint64_t hash, std::string_view aor) const {
    BucketLine* before = nullptr;
    for (BucketLine* line = first_line(hash); line != nullptr; before = line, line = next(*line)) {
        for (auto& cell : line->cells) {
            const std::uint64_t value = cell.load(std::memory_order_relaxed);
            if (tag_of(value) == tag_of_hash(hash) && record_of(value) != nullptr &&
                record_of(value)->is(hash, aor)) {
                return {&cell, line, before};
            }
        }
    }
    return {};
}

BucketIndex::Place BucketIndex::reserve(std::uint64_t hash) {
    BucketLine* before = nullptr;
    BucketLine* line = first_line(hash);
    for (; line != nullptr; before = line, line = next(*line)) {
        for (auto& cell : line->cells) {
            if (cell.load(std::memory_order_relaxed) == 0) {
                return {&cell, line, before};
            }
        }
    }
    const std::optional<std::uint32_t> fresh = overflow_->pop();
    if (!fresh) {
        return {};
    }
    line = &overflow_->lines[*fresh];
    line->overflow.store(0, std::memory_order_relaxed);  // was the free list's link
    // Release pairs with next(): its cells are empty, and are left so until put().
    before->overflow.store(*fresh + 1, std::memory_order_release);
    return {&line->cells[0], line, before};
}

void BucketIndex::put(const Place& place, Record* record) {
    const std::uint64_t value =
        std::uint64_t{tag_of_hash(record->hash())} << 48 | reinterpret_cast<std::uintptr_t>(record);
    // Release pairs with find().
    place.cell->store(value, std::memory_order_release);
}

bool BucketIndex::clear(const Place& place, std::uint32_t& line) {
    place.cell->store(0, std::memory_order_release);
    const auto is_free = [](const auto& cell) { return cell.load(std::memory_order_relaxed) == 0; };
    if (place.before == nullptr ||
        !std::all_of(place.line->cells.begin(), place.line->cells.end(), is_free)) {
        return false;
    }
    // Who stands on the line still finds the rest of the chain by it.
    place.before->overflow.store(place.line->overflow.load(std::memory_order_relaxed),
                                 std::memory_order_release);
    line = static_cast<std::uint32_t>(place.line - overflow_->lines);
    return true;
}

}  // namespace pinhole::table
