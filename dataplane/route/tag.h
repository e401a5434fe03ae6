// SPDX-License-Identifier: BSD-3-Clause
// The To tag of our own answers. It derives from the request (Call-ID, From tag, top branch), so
// that a retransmission gets the same one (RFC 3261 §8.2.7), and the ACK to a final answer of ours
// is known again without state. Pure; any thread.
#pragma once

#include "dataplane/sip/message.h"
#include "dataplane/tokens/keys.h"

#include <cstdint>
#include <string_view>

namespace pinhole::route {

struct TagText {
    static constexpr std::size_t kChars = 12;  // key id and 64 bits of a keyed hash
    char text[kChars];
    [[nodiscard]] std::string_view view() const { return {text, kChars}; }
};

// Works on anything answerable(), also where the message was malformed otherwise.
[[nodiscard]] TagText make_tag(const tokens::Keys& keys, const sip::Message& request);
// Is this the ACK to an answer that we made?
[[nodiscard]] bool is_ack_to_us(const tokens::Keys& keys, const sip::Message& request);

}  // namespace pinhole::route
