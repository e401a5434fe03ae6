// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/admit/allowance_copy.h"

#include <algorithm>

namespace pinhole::admit {

void AllowanceCopy::ask_service() {
    // Pairs with the worker's release store: of its own last copy.
    if (state_.load(std::memory_order_acquire) != State::kAsked) {
        count_ = 0;
        next_ = 0;
        // Pairs with the worker's acquire load.
        state_.store(State::kAsked, std::memory_order_release);
    }
}

std::optional<std::span<const KnownAddress>> AllowanceCopy::take_service() const {
    // Pairs with the worker's release store.
    if (state_.load(std::memory_order_acquire) != State::kWhole) {
        return std::nullopt;
    }
    return std::span(copied_.data(), count_);
}

void AllowanceCopy::step_worker(const SourceTable& table, std::uint32_t now_s) {
    // Pairs with ask_service().
    if (state_.load(std::memory_order_acquire) != State::kAsked) {
        return;
    }
    const auto places = table.all();
    const std::size_t end = std::min(next_ + kPlacesAStep, places.size());
    for (; next_ != end; ++next_) {
        const Source& source = places[next_];
        const float phones = source.phones_now(now_s);
        if (phones >= kLeastPhones && count_ < copied_.size()) {
            copied_[count_++] = {source.name, phones};
        }
    }
    if (next_ == places.size()) {
        // Pairs with take_service().
        state_.store(State::kWhole, std::memory_order_release);
    }
}

}  // namespace pinhole::admit
