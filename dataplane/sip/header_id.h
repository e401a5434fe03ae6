// SPDX-License-Identifier: BSD-3-Clause
// The headers this product looks into, by number. A name is found by length and two letters (a
// table without collisions, built at compile time), then compared whole without regard to case.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pinhole::sip {

enum class HeaderId : std::uint8_t {
    kOther,  // a header that we have no name for
    kVia,
    kFrom,
    kTo,
    kCallId,
    kCSeq,
    kContact,
    kMaxForwards,
    kRoute,
    kRecordRoute,
    kExpires,
    kMinExpires,
    kRequire,
    kProxyRequire,
    kSupported,
    kUnsupported,
    kAuthorization,
    kProxyAuthorization,
    kWwwAuthenticate,
    kProxyAuthenticate,
    kPath,
    kServiceRoute,
    kContentLength,
    kContentType,
    kContentEncoding,
    kEvent,
    kUserAgent,
    kServer,
    kAllow,
    kAllowEvents,
    kPAssertedIdentity,
    kPPreferredIdentity,
    kRemotePartyId,
    kPrivacy,
    kRetryAfter,
    kDate,
    kSubject,
    kReferTo,
    kReferredBy,
    kSessionExpires,
    kMinSe,
    kFlowTimer,
    kAccept,
    kAcceptContact,
    kRejectContact,
    kRequestDisposition,
    kIdentity,
    kSubscriptionState,
    kCount
};
inline constexpr std::size_t kHeaderIdCount = static_cast<std::size_t>(HeaderId::kCount);

// `name` without white space and colon, long or compact form, any case.
[[nodiscard]] HeaderId header_id(std::string_view name);
// The same, where `readable` bytes from the name's first on may be read: with kHeaderNameRoom of
// them the name is compared in place.
inline constexpr std::size_t kHeaderNameRoom = 24;
[[nodiscard]] HeaderId header_id(std::string_view name, std::size_t readable);
// The long form as RFCs write it; empty for kOther.
[[nodiscard]] std::string_view header_name(HeaderId id);
// The compact letter, or '\0'.
[[nodiscard]] char compact_form(HeaderId id);

}  // namespace pinhole::sip
