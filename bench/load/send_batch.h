// SPDX-License-Identifier: BSD-3-Clause
// The datagrams that leave in this round: places that the device's owner has filled with buffers,
// so that a message is written where it is sent from. Pure; one thread.
#pragma once

#include "dataplane/net/flow.h"

#include <array>
#include <cstddef>
#include <span>

namespace pinhole::load {

class SendBatch {
  public:
    static constexpr std::size_t kPlaces = 64;
    // Of a payload: one that leaves in one piece everywhere.
    static constexpr std::size_t kCapacity = 1400;

    struct Place {
        char* payload = nullptr;  // kCapacity bytes
        std::size_t len = 0;
        net::Flow flow;  // `ours` is who sends
    };

    // The owner gives each place that was used, or had none, a buffer.
    [[nodiscard]] std::span<Place> used() { return {places_.data(), used_}; }
    [[nodiscard]] std::span<Place> all() { return places_; }
    void clear() { used_ = 0; }

    // Where the next payload goes, or null if all places are used.
    [[nodiscard]] char* room() { return used_ < kPlaces ? places_[used_].payload : nullptr; }
    [[nodiscard]] std::size_t places_left() const { return kPlaces - used_; }
    // After room(): it is written, and leaves by this flow.
    void add(const net::Flow& flow, std::size_t len) {
        places_[used_].flow = flow;
        places_[used_].len = len;
        ++used_;
    }

  private:
    std::array<Place, kPlaces> places_{};
    std::size_t used_ = 0;
};

}  // namespace pinhole::load
