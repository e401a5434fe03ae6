// SPDX-License-Identifier: BSD-3-Clause
// Our Via branch (RFC 3261 §16.11): all that a stateless proxy has to know again when the response
// comes. Text:
//
//   z9hG4bK F base64url( bits key | return flow | where it went | received branch's hash | MAC )
//                         1    1    14 or 38      4               8                        8 bytes
//
// It derives from the message and the flows alone, so it is the same for a retransmission, for
// CANCEL and for the ACK to a failure, after a restart too. The MAC is under a key of ours: what we
// didn't write, we don't follow. Pure; any thread; never allocates.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/via.h"
#include "dataplane/tokens/keys.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace pinhole::route {

inline constexpr std::size_t kMaxBranchText = 96;

struct BranchText {
    char text[kMaxBranchText];
    std::uint8_t size = 0;
    [[nodiscard]] std::string_view view() const { return {text, size}; }
};

// §16.11's hash: of the received branch; of a Via without the magic cookie, of the fields that a
// request, its CANCEL and its ACK share. All of them come back in the response, below our Via, so
// that a response can be held against it. Unkeyed, because it must outlive our keys.
[[nodiscard]] std::uint64_t transaction_hash(const sip::Message& message, const sip::Via& client);

// Where the request goes, as far as its response has to come from there again.
struct Destination {
    net::Flow flow;
    bool port_matters = true;  // false: a peer or an unNATed phone, which may send from another
                               // port than it listens at
    bool to_phone = false;
};

[[nodiscard]] BranchText make_branch(const tokens::Keys& keys, std::uint8_t key_id,
                                     const net::Flow& return_flow, const Destination& to,
                                     std::uint64_t transaction);

struct Branch {
    net::Flow return_flow;
    std::uint64_t transaction = 0;
    std::uint32_t where = 0;
    bool port_matters = true;
    bool to_phone = false;
};

// None: not ours, or tampered with.
[[nodiscard]] std::optional<Branch> read_branch(const tokens::Keys& keys, std::string_view branch);
// Does the response come from where its request went?
[[nodiscard]] bool came_from_destination(const Branch& branch, const net::Flow& arrival);

}  // namespace pinhole::route
