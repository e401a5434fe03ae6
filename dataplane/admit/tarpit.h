// SPDX-License-Identifier: BSD-3-Clause
// What a source that hit a tarpit rule said its Call-ID was, for a while: whatever else comes from
// that flow with that Call-ID gets no answer either, though it hit no rule itself. By Call-ID and
// not by source alone: an address can be forged, and then the silence would hit who lives there. A
// fixed number of places, a newcomer takes the place that its key names. Pure; one worker.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pinhole::admit {

class Tarpit {
  public:
    static constexpr std::size_t kPlaces = 1024;
    // As long as the source's transaction would wait (RFC 3261 §17.1: 64 T1).
    static constexpr std::uint64_t kSilence_ms = 32'000;

    // `key`: a keyed hash of flow and Call-ID.
    void hold(std::uint64_t key, std::uint64_t now_ms) {
        place(key) = {key, now_ms + kSilence_ms};
        last_ms_ = now_ms + kSilence_ms;
    }
    // False in one comparison while nobody is held.
    [[nodiscard]] bool is_empty(std::uint64_t now_ms) const { return now_ms >= last_ms_; }
    [[nodiscard]] bool holds(std::uint64_t key, std::uint64_t now_ms) const {
        const Held& held = places_[key % kPlaces];
        return held.key == key && now_ms < held.until_ms;
    }

  private:
    struct Held {
        std::uint64_t key = 0;
        std::uint64_t until_ms = 0;
    };
    Held& place(std::uint64_t key) { return places_[key % kPlaces]; }

    std::uint64_t last_ms_ = 0;
    std::array<Held, kPlaces> places_{};
};

}  // namespace pinhole::admit
