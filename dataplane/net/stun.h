// SPDX-License-Identifier: BSD-3-Clause
// STUN on the SIP port (RFC 8489), as far as a phone's keepalive needs it (RFC 5626 §8): a Binding
// Request is told the address that it came from, so that the phone sees its NAT mapping live and
// notices when it moves. Nobody is authenticated and nothing is kept. Pure; any thread.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/net/wire.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace pinhole::net {

inline constexpr std::size_t kStunHeaderLen = 20;
// The longest answer: XOR-MAPPED-ADDRESS of IPv6, or ERROR-CODE and UNKNOWN-ATTRIBUTES of eight;
// and FINGERPRINT.
inline constexpr std::size_t kMaxStunAnswer = kStunHeaderLen + (4 + 4) + (4 + 2 * 8) + (4 + 4);

enum class StunKind : std::uint8_t {
    kNone,     // no STUN: the cookie, the length or the fingerprint says so
    kRequest,  // a Binding Request: to be answered
    kOther,    // STUN, but nothing to answer: an indication, a response, another method
};
[[nodiscard]] StunKind stun_kind(Bytes datagram);

// The answer to a Binding Request that came from flow.theirs; returns its length. Success, or 420
// where the request holds an attribute that we don't know and must (§6.3.1). With FINGERPRINT if
// the request had one.
[[nodiscard]] std::size_t write_stun_answer(Bytes request, const Flow& flow,
                                            std::span<std::uint8_t, kMaxStunAnswer> out);

}  // namespace pinhole::net
