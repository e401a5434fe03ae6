// SPDX-License-Identifier: BSD-3-Clause
// Answers of our own, kept small: an answer to a request that proved nothing is at most 1.5 times
// as large as the request, IP and UDP headers counted, so that nobody can have us flood a victim.
// What is optional is left out first; what is still too large is not sent. The registrar answers by
// this too. Pure; any thread.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/writer.h"
#include "dataplane/tokens/keys.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pinhole::route {

struct Answer {
    unsigned code = 0;
    std::string_view reason;  // empty: the code's own phrase
    std::string_view
        headers;  // whole lines, ours and clean: first those that belong to the answer ...
    std::size_t required_bytes =
        0;  // ... then, from here on, those that may be left out (Allow, Accept)
};

// The largest datagram that may answer one of `request_bytes` that proved nothing.
[[nodiscard]] std::size_t answer_limit(std::size_t request_bytes, bool ipv4);

enum class AnswerResult : std::uint8_t {
    kWritten,
    kAmplifies,   // too large for what was asked: drop
    kDoesNotFit,  // larger than the writer, or the request can't be answered at all: drop
};

// `arrival` is the flow that the request came by; `proven` (a secret was shown, or a core peer
// asks) lifts the limit. The request is answerable() and no ACK. `out` is empty.
[[nodiscard]] AnswerResult write_answer(const sip::Message& request, const net::Flow& arrival,
                                        const tokens::Keys& keys, const Answer& answer, bool proven,
                                        sip::Writer& out);

}  // namespace pinhole::route
