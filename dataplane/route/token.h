// SPDX-License-Identifier: BSD-3-Clause
// The token in the user part of our own URIs. In a Record-Route: which contact and which core peer
// a dialog is between, and which way it leads. In the Contact of a redirection (an "edge URI"):
// which contact a request is for. The MAC covers the Call-ID too, so that a token is worth nothing
// in another dialog. Text:
//
//   base64url( direction | key | slot generation | peer | MAC )     30 letters
//                  1        1     4      4          4      8 bytes
//
// A dialog with a phone that has no contact here (an emergency call) has the phone's flow, whole,
// in place of slot and generation: 38 letters in IPv4, 70 in IPv6. Pure; any thread; never
// allocates.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/table/contact_id.h"
#include "dataplane/tokens/keys.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace pinhole::route {

// kBoth where one Record-Route serves both sides: then the sender tells the direction, for only a
// core peer's request ever goes to a phone. kTarget is an edge URI's: it is no Route, and no
// Route's token is a target.
enum class Direction : std::uint8_t { kBoth, kToPhone, kToCore, kTarget };

struct Token {
    table::ContactId contact;
    net::Flow flow;            // the phone's, where `contact` is not valid
    bool port_matters = true;  // Destination's, of that flow
    std::uint32_t peer = 0;    // Peer::hash
    Direction direction = Direction::kBoth;
};

inline constexpr std::size_t kContactTokenChars = 30;
inline constexpr std::size_t kFlow4TokenChars = 38;
inline constexpr std::size_t kFlow6TokenChars = 70;
// As long as a token is: worth a look at its MAC.
[[nodiscard]] constexpr bool may_be_token(std::string_view user) {
    return user.size() == kContactTokenChars || user.size() == kFlow4TokenChars ||
           user.size() == kFlow6TokenChars;
}

struct TokenText {
    char text[kFlow6TokenChars];
    std::uint8_t size = 0;
    [[nodiscard]] std::string_view view() const { return {text, size}; }
};

[[nodiscard]] TokenText make_token(const tokens::Keys& keys, const Token& token,
                                   std::string_view call_id);

// None: not a token of ours for this Call-ID.
[[nodiscard]] std::optional<Token> read_token(const tokens::Keys& keys, std::string_view text,
                                              std::string_view call_id);

}  // namespace pinhole::route
