// SPDX-License-Identifier: BSD-3-Clause
// Port reuse: a gateway has forgotten a phone's mapping and given its port to another phone, which
// registers by the very flow that the first one's contact is reached at. Calls for the first must
// not ring at the second. When an AOR comes to a flow, this judges which of the contacts already
// there have lost the flow. Called only then, never on a refresh. Pure; any thread.
//
// Signs of one phone with several lines, or of a flow that many phones share:
//   - the same instance (RFC 5626 §4.1: it names the device); without two to compare, the same host
//     in the Contact, which is the phone's own address behind its NAT, and the same kind of
//     User-Agent
//   - one of them has shown life so lately that no gateway can have forgotten the mapping
//   - different phones stand there already and none is suspect: an exchange or a proxy, whose
//     phones have come back by the flow after others came
// An ALG that writes the public address into every Contact makes hosts useless for this, and two
// phones of one make without instances pass for one.
#pragma once

#include "dataplane/moment.h"
#include "dataplane/table/contact.h"
#include "dataplane/table/qualify_state.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace pinhole::nat {

// No gateway forgets sooner: the least of what was measured in the field (RFC 4787 REQ-5 asks for
// two minutes).
inline constexpr std::uint32_t kShortestMapping_ms = 30'000;
// A flow with more contacts than this is an exchange's; it is not looked into.
inline constexpr std::size_t kMaxHolders = 16;

enum class Pulse : std::uint8_t {
    kUnknown,
    kLively,  // its mapping has been used within kShortestMapping_ms
    kSilent,  // it used to answer pings and has missed the last
};
[[nodiscard]] Pulse pulse_of(const table::ContactState& state, const table::QualifyView& pings,
                             const table::Life& life, const Moment& now);

// Two contacts reached by one flow: are they lines of one phone, as far as can be told?
[[nodiscard]] bool same_phone(const table::ContactView& a, const table::ContactView& b);

struct Holder {
    table::ContactView contact;
    Pulse pulse = Pulse::kUnknown;
};

// Which of these contacts of other AORs, all reached by the flow that `newcomer` has just come to,
// have lost it: a bit each. `proven`: the newcomer has shown a password. A newcomer without one
// takes the flow only from contacts that have fallen silent by themselves, for anybody can forge
// the address of a packet.
[[nodiscard]] std::uint32_t displaced(const table::ContactView& newcomer,
                                      std::span<const Holder> holders, bool proven);

}  // namespace pinhole::nat
