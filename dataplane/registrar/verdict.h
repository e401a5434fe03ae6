// SPDX-License-Identifier: BSD-3-Clause
// What becomes of a REGISTER: one value a reason, each with the status code and the phrase that the
// phone gets. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace pinhole::registrar {

enum class Verdict : std::uint8_t {
    kOk,
    kNotOurDomain,  // request URI or To name nobody that we are registrar for
    kBadRequestUri,
    kBadFrom,
    kBadTo,
    kBadContact,       // a Contact that can't be read, or is no sip or sips URI
    kTooManyContacts,  // in one request
    kBadPath,          // it can't be read, or leads to no peer that a Path may lead to
    kBadStar,          // "*" with others, or without Expires: 0 (RFC 3261 §10.3 step 6)
    kForeignFirstHop,  // a flow by RFC 5626, through a proxy that doesn't keep it: 439
    kSeveralFlows,     // a Contact with reg-id beside another (RFC 5626 §6)
    kTextTooLong,      // a URI, its parameters or a Path longer than a record holds
    kBadExtension,     // Require names what we don't do
    kTooBrief,         // 423
    kOutOfOrder,       // an older CSeq of the same Call-ID, too soon after the newer
    kAorFull,          // more contacts than an AOR may have
    kTableFull,        // no room for newcomers
    kDraining,         // none are taken any more
    kBusy,             // the record or the shard is being changed and didn't come free
    kCount
};

[[nodiscard]] unsigned status_of(Verdict verdict);
// Our phrase; empty: the code's usual one.
[[nodiscard]] std::string_view reason_of(Verdict verdict);

}  // namespace pinhole::registrar
