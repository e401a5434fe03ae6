// SPDX-License-Identifier: BSD-3-Clause
// The keys as the text of a file: JSON, read strictly. What is not exactly of this shape is refused
// with the reason, never repaired: keys that are half right end calls without a word. Pure.
//
//   {"format": "pinhole keys", "version": 1, "starts": 7,
//    "keys": [{"id": 2, "created_s": 1700000000, "key": "32 hexadecimal digits"}, newest first]}
#pragma once

#include "control/keys/key_ring.h"

#include <optional>
#include <string>
#include <string_view>

namespace pinhole::keys {

struct ParsedKeys {
    std::optional<KeyRing> ring;
    std::string
        reason;  // set if there is no ring: the end of "is damaged: it ..."; without secrets
};

[[nodiscard]] ParsedKeys parse_keys(std::string_view text);
[[nodiscard]] std::string keys_text(const KeyRing& ring);

}  // namespace pinhole::keys
