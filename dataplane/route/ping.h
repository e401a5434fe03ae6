// SPDX-License-Identifier: BSD-3-Clause
// The ping: an OPTIONS that keeps a pinhole open and asks the phone for a sign of life. No
// transaction is kept: the branch carries the contact and the send time under a MAC, so the worker
// that gets the answer knows whose it is, that we asked, and how long it took. Pure: built by the
// control thread, read by any worker; time is handed in.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/writer.h"
#include "dataplane/table/contact_id.h"
#include "dataplane/tokens/keys.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace pinhole::route {

struct PingTarget {
    table::ContactId id;
    net::Flow flow;                // the ping leaves by it, whole
    std::string_view contact_uri;  // as it was registered: a checked URI without angle brackets
    std::string_view aor;          // "user@host"; may be empty
    bool probe = false;            // to another port than the contact's, to see whether it is there
};

// A Contact as a request URI: without the headers behind a '?' (RFC 3261 §19.1.1, table 1), else as
// it is.
[[nodiscard]] std::string_view request_uri_of(std::string_view contact_uri);

// The whole datagram. False: it did not fit.
[[nodiscard]] bool build_ping(const PingTarget& target, const tokens::Keys& keys,
                              std::uint64_t now_us, sip::Writer& out);

struct Pong {
    table::ContactId id;
    std::uint32_t rtt_us = 0;
    std::uint16_t code = 0;
    bool probe = false;  // of such a ping
};

// An answer older than this proves nothing any more (64 * T1, RFC 3261 §17.1.2.2).
inline constexpr std::uint64_t kMaxPongAge_us = 32'000'000;

// Is it marked as the branch of a ping (not verified)?
[[nodiscard]] bool is_ping_branch(std::string_view branch);
// The slot that a ping's branch names, not verified: what to fetch before parse_pong() says more.
[[nodiscard]] std::optional<std::uint32_t> slot_named_by(std::string_view branch);
// Any final response to a ping of ours is life; a provisional one is none, nor is one without a
// good MAC or too late. `branch` is the message's top Via's.
[[nodiscard]] std::optional<Pong> parse_pong(const sip::Message& response, std::string_view branch,
                                             const tokens::Keys& keys, std::uint64_t now_us);
// The same for a datagram as phones send it, with our Via as the first header. An answer with our
// MAC answers our question, whatever else it says, so no more of it is read. None: it is something
// else, or must be read in full to be judged.
[[nodiscard]] std::optional<Pong> read_pong(std::string_view datagram, const tokens::Keys& keys,
                                            std::uint64_t now_us);
// Is it worth asking? Most datagrams are requests.
[[nodiscard]] inline bool may_be_pong(std::string_view datagram) {
    return datagram.starts_with("SIP/");
}

}  // namespace pinhole::route
