// SPDX-License-Identifier: BSD-3-Clause
// The master keys over time: the newest signs until the next is made, all verify until they have
// been out of use for the overlap. Pure: the time (seconds of the epoch) and the random bytes are
// handed in.
//
// With kKept = 8 keys and one a day, what was signed last under a key verifies for 7 days more:
// longer than any call. A subscription's dialog may last longer; it then gets 430 and is made anew
// (RFC 6665 §4.1.2.2), or rotate_h is raised: the overlap is 7 times that, whatever it is.
#pragma once

#include "dataplane/tokens/keys.h"

#include <array>
#include <cstdint>
#include <vector>

namespace pinhole::keys {

inline constexpr std::size_t kKept = tokens::Keys::kMaxKeys;

using KeyBytes = std::array<std::uint8_t, 16>;

struct StoredKey {
    std::uint8_t id = 0;
    std::uint64_t created_s = 0;
    KeyBytes bytes{};
    bool operator==(const StoredKey&) const = default;
};

struct KeyRing {
    std::uint32_t starts = 0;             // of pinhole, with these keys
    std::vector<StoredKey> newest_first;  // at most kKept; ids differ
    bool operator==(const KeyRing&) const = default;
};

// Is the newest as old as that, or is there none? One that is to be made in as distant a future was
// made under a wrong clock, and is due too. `rotate_s` 0: only where there is none.
[[nodiscard]] bool rotation_due(const KeyRing& ring, std::uint64_t rotate_s, std::uint64_t now_s);

// With a new key in front, under an id that no kept one has, and without those that have been out
// of use, that is: whose successor is as old as that, for kKept - 1 rotations.
[[nodiscard]] KeyRing rotated(KeyRing ring, const KeyBytes& bytes, std::uint64_t rotate_s,
                              std::uint64_t now_s);

// At least one key.
[[nodiscard]] tokens::Keys token_keys(const KeyRing& ring);

// Where the generations of contacts begin in the run after so many starts (TableConfig): bindings
// are lost at a restart and keys are not, and an id in a token or ping from before must not come to
// mean another contact in the same slot. Never 0. The starts are strewn by the golden ratio: among
// any N that follow each other two are at least 2^32 / 3N apart, so that of the runs within the
// keys' life one must use one slot that many times over before an id comes again: 1.4 million times
// with 1000 starts. Without chance: for fewer uses the probability is 0.
[[nodiscard]] std::uint32_t first_generation(std::uint32_t starts);

}  // namespace pinhole::keys
