// SPDX-License-Identifier: BSD-3-Clause
// Keeps the ring of keys: takes it up at start, and puts a new key in front when one is due. What
// is to sign is first written where it outlives us; what can't be written doesn't sign, and the old
// key goes on. Pure: time, randomness and the place to write to are handed in. One thread.
#pragma once

#include "control/keys/key_ring.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pinhole::keys {

struct Outside {
    // The sentence why not; nothing: it is done, and will be there after a crash.
    std::function<std::optional<std::string>(std::string_view text)> write;
    std::function<void(std::span<std::uint8_t> to)> randomize;
};

enum class Turn : std::uint8_t {
    kNothing,
    kRotated,
    kFailed,       // a key is due and can't be written: see failure()
    kFailedAgain,  // since the last kFailed nothing has become better
};

class KeyKeeper {
  public:
    // `rotate_s` 0: the keys stay as they are.
    KeyKeeper(std::uint64_t rotate_s, Outside outside)
        : rotate_s_(rotate_s), outside_(std::move(outside)) {}

    // Once, first. `kept` is what was written last, if anything was. Nothing: there is a key to
    // sign with; failure() may still be set, if only old keys could be had. Else the reason: what
    // is kept is damaged (then "it ..."), or a first key can't be written.
    [[nodiscard]] std::optional<std::string> start(std::optional<std::string_view> kept,
                                                   std::uint64_t now_s);
    [[nodiscard]] Turn turn(std::uint64_t now_s);

    [[nodiscard]] const KeyRing& ring() const { return ring_; }
    // For this run's contacts.
    [[nodiscard]] std::uint32_t generation() const { return generation_; }
    // Why the last write failed; empty: it didn't.
    [[nodiscard]] const std::string& failure() const { return failure_; }

  private:
    [[nodiscard]] KeyRing next(KeyRing ring, std::uint64_t now_s);
    [[nodiscard]] bool write(const KeyRing& ring);

    const std::uint64_t rotate_s_;
    const Outside outside_;
    KeyRing ring_;
    std::uint32_t generation_ = 1;
    std::string failure_;
};

}  // namespace pinhole::keys
