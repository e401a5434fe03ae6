// SPDX-License-Identifier: BSD-3-Clause
// The token in the user part of our own URIs. In a Record-Route: which contact and which core peer a
// dialog is between, and which way it leads. In the Contact of a redirection (an "edge URI"): which
// contact a request is for. Text: base64url( bits key | slot generation | peer | MAC ), 30
// letters; the MAC covers the Call-ID too, so that a token is worth nothing in another dialog.
// Pure; any thread; never allocates.
#pragma once

#include "dataplane/route/keys.h"
#include "dataplane/table/contact_id.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace pinhole::route {

// kBoth where one Record-Route serves both sides: then the sender tells the direction, for only a
// core peer's request ever goes to a phone. kTarget is an edge URI's: it is no Route, and no Route's
// token is a target.
enum class Direction : std::uint8_t { kBoth, kToPhone, kToCore, kTarget };

struct Token {
    table::ContactId contact;
    std::uint32_t peer = 0;  // Peer::hash
    Direction direction = Direction::kBoth;
};

inline constexpr std::size_t kTokenChars = 30;

struct TokenText {
    char text[kTokenChars];
    [[nodiscard]] std::string_view view() const { return {text, kTokenChars}; }
};

[[nodiscard]] TokenText make_token(const Keys& keys, const Token& token, std::string_view call_id);

// None: not a token of ours for this Call-ID.
[[nodiscard]] std::optional<Token> read_token(const Keys& keys, std::string_view text,
                                              std::string_view call_id);

}  // namespace pinhole::route
