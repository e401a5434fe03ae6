// SPDX-License-Identifier: BSD-3-Clause
// base64url without padding (RFC 4648 §5): its letters are all legal in a Via branch, in a tag and
// in the user part of a URI without any escape. Pure; any thread; never allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pinhole::tokens {

[[nodiscard]] constexpr std::size_t base64_chars(std::size_t bytes) {
    return (bytes * 8 + 5) / 6;
}

// `out` holds base64_chars(bytes.size()); returns that number.
std::size_t base64_encode(std::span<const std::uint8_t> bytes, char* out);

// The number of bytes; none for a foreign letter, an impossible length, bits set behind the last
// byte (one value has one text, so that a MACed text can't be varied), or more than `out` holds.
[[nodiscard]] std::optional<std::size_t> base64_decode(std::string_view text,
                                                       std::span<std::uint8_t> out);

}  // namespace pinhole::tokens
