// SPDX-License-Identifier: BSD-3-Clause
#include "control/keys/key_keeper.h"

#include "control/keys/key_file.h"

#include <array>
#include <bit>
#include <utility>

namespace pinhole::keys {

std::optional<std::string> KeyKeeper::start(std::optional<std::string_view> kept,
                                            std::uint64_t now_s) {
    if (kept) {
        ParsedKeys parsed = parse_keys(*kept);
        if (!parsed.ring) {
            return std::move(parsed.reason);
        }
        ring_ = std::move(*parsed.ring);
    }
    KeyRing wanted = rotation_due(ring_, rotate_s_, now_s) ? next(ring_, now_s) : ring_;
    ++wanted.starts;
    if (write(wanted)) {
        ring_ = std::move(wanted);
        generation_ = first_generation(ring_.starts);
        return std::nullopt;
    }
    if (!kept) {
        return failure_;
    }
    // The number of this start is lost, and would come again. Chance has to do: the odds that this
    // run's generations meet those of an earlier one in a slot are the uses of that slot in 2^32.
    std::array<std::uint8_t, 4> chance{};
    outside_.randomize(chance);
    generation_ = first_generation(std::bit_cast<std::uint32_t>(chance));
    return std::nullopt;
}

Turn KeyKeeper::turn(std::uint64_t now_s) {
    if (!rotation_due(ring_, rotate_s_, now_s)) {
        return Turn::kNothing;
    }
    const bool failed_before = !failure_.empty();
    KeyRing wanted = next(ring_, now_s);
    if (!write(wanted)) {
        return failed_before ? Turn::kFailedAgain : Turn::kFailed;
    }
    ring_ = std::move(wanted);
    return Turn::kRotated;
}

KeyRing KeyKeeper::next(KeyRing ring, std::uint64_t now_s) {
    KeyBytes bytes;
    outside_.randomize(bytes);
    return rotated(std::move(ring), bytes, rotate_s_, now_s);
}

bool KeyKeeper::write(const KeyRing& ring) {
    failure_ = outside_.write(keys_text(ring)).value_or(std::string{});
    return failure_.empty();
}

}  // namespace pinhole::keys
