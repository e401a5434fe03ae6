// SPDX-License-Identifier: BSD-3-Clause
// A contact as the table takes it in and gives it out: a part that changes in place under its
// record's sequence word (ContactState), and a part that stands from the day the record is built
// (texts, instance, reg-id). Pure; values only.
#pragma once

#include "dataplane/net/flow.h"
#include "dataplane/table/contact_id.h"
#include "dataplane/table/stored_params.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace pinhole::table {

inline constexpr std::size_t kMaxAorBytes = 255;
inline constexpr std::size_t kMaxUriBytes = 512;
inline constexpr std::size_t kMaxPathBytes = 512;
// A hard cap; the policy's own (max_contacts_per_aor) is the registrar's to apply.
inline constexpr std::size_t kMaxContactsPerAor = 32;

// What a refresh may change. It is read and written a word at a time, and never seen torn.
//
//   flow[40] call_id_hash[8] | expires_at_s cseq | refreshed_at_ms q flags
struct ContactState {
    net::Flow flow;  // changed by the shard's owner alone: a second index hangs on it
    std::uint64_t call_id_hash = 0;  // KeyedHash over the Call-ID: the text is not kept
    std::uint32_t expires_at_s = 0;  // seconds of the caller's clock
    std::uint32_t cseq = 0;
    std::uint32_t refreshed_at_ms = 0;  // wraps after 49 days: only differences mean something
    std::uint16_t q = 1000;             // thousandths (RFC 3261 §20.10)
    std::uint16_t flags = 0;            // the registrar's: what follows, and the agent above it
    bool operator==(const ContactState&) const = default;

    // How long ago the contact was refreshed. Workers read the clock a round each, and a request
    // may wait for its owner meanwhile: what is stamped a moment ahead of `now_ms` was refreshed
    // just now, not 49 days ago.
    [[nodiscard]] std::uint32_t age_ms(std::uint32_t now_ms) const {
        constexpr std::uint32_t kMostAhead_ms = 60'000;
        const std::uint32_t age = now_ms - refreshed_at_ms;
        return age > ~std::uint32_t{0} - kMostAhead_ms ? 0 : age;
    }
};
// The REGISTER came under the Call-ID that the binding had: its phone has not restarted.
inline constexpr std::uint16_t kSameCall = 1;
// Another phone has registered by the contact's flow: the gateway may have given it the port of a
// mapping that died. No calls until its own phone has registered again.
inline constexpr std::uint16_t kSuspect = 2;
// What its gateway does to SIP, of two bits (nat/alg.h).
inline constexpr unsigned kAlgShift = 2;
inline constexpr std::uint16_t kAlgMask = 3u << kAlgShift;
// Its flow is not where its packets come from but the port that its Contact names at the same
// address: it has answered a ping there and none at the other (nat/other_port.h).
inline constexpr std::uint16_t kAtContact = 16;
inline constexpr unsigned kAgentShift = 8;  // of what kind of phone it is (nat/agent.h)
// Of these the control thread is to hear when they change.
inline constexpr std::uint16_t kShownFlags = kSuspect | kAlgMask;
// What was found out when the binding was made or last changed: a refresh leaves it as it is.
inline constexpr std::uint16_t kKeptFlags = kAlgMask;
inline constexpr std::size_t kStateWords = sizeof(ContactState) / 8;
inline constexpr std::size_t kFlowWords = sizeof(net::Flow) / 8;
using StateWords = std::array<std::uint64_t, kStateWords>;
static_assert(sizeof(ContactState) == 64 && std::is_trivially_copyable_v<ContactState>);
static_assert(offsetof(ContactState, flow) == 0, "the flow is the first words: see ClaimedRecord");

// A contact to be stored. `params` is what a 200 echoes after the URI (";+sip.instance=..." without
// expires and q); `instance` must be empty or lie within `params`; `path` is the value of a Route
// header that leads to it (RFC 3327), empty where it is reached directly.
struct NewContact {
    std::string_view uri;
    std::string_view params;
    std::string_view instance;
    std::string_view path;
    std::uint32_t reg_id = 0;
    std::uint32_t registered_at_s = 0;
    ContactState state;
    // Only while loading (BindingTable::restore_owner): the id that the contact had.
    ContactId restored_id;
};

// A contact as it was at one moment. Views point into the record: they are good until the reader's
// next quiescent state.
struct ContactView {
    ContactId id;
    std::string_view aor;
    std::string_view uri;
    StoredParams params;  // the instance among them
    std::string_view path;
    std::uint32_t reg_id = 0;
    std::uint32_t registered_at_s = 0;
    ContactState state;
};

}  // namespace pinhole::table
