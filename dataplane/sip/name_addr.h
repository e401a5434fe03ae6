// SPDX-License-Identifier: BSD-3-Clause
// Addresses as headers carry them: From, To, Contact, Route, Record-Route, Path (RFC 3261 §20.10):
// an optional display name, a URI in <> or bare, parameters. Of a bare URI everything from the
// first ';' on is the header's (§20), not the URI's. Pure; any thread; views only.
#pragma once

#include "dataplane/sip/params.h"
#include "dataplane/sip/uri.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace pinhole::sip {

struct NameAddr {
    std::string_view text;     // the element whole
    std::string_view display;  // raw: a quoted string with its quotes
    Uri uri;
    std::string_view params;  // the header's, from the first ';' on
    std::string_view tag;     // of them; empty: none
    bool star;                // "*": nothing else is set
    bool bracketed;           // the URI stood in <>

    // The header parameter of that name; value empty where there is none.
    [[nodiscard]] bool param(std::string_view name, std::string_view& value) const;
};

// One element of the list, as Elements gives it. "*" is taken only where `star_allowed` (Contact).
[[nodiscard]] bool parse_name_addr(std::string_view element, NameAddr& out,
                                   bool star_allowed = false);
// The same, where the URI is likely to read as one that has been read: then it is not read again,
// and its parts are views into that.
[[nodiscard]] bool parse_name_addr_like(std::string_view element, const Uri& likely, NameAddr& out);
// The same, with the parameters (and the tag among them) left to a caller that walks over them
// anyway: next_param() must come to their end.
[[nodiscard]] bool parse_address(std::string_view element, NameAddr& out, bool star_allowed);

// What a registrar reads off a Contact, in one pass over its parameters.
struct ContactParams {
    std::optional<std::uint16_t> q;  // thousandths: 0 to 1000; a bad one counts as none
    std::optional<std::uint32_t>
        expires;  // seconds; a huge one is 2^32-1; a malformed one counts as absent (§10.2.1.1)
    std::string_view instance;  // +sip.instance without its quotes: "<urn:uuid:...>"; empty: none
    std::uint32_t reg_id;       // 0: none
    std::string_view pub_gruu;  // unquoted; a client must not send one (RFC 5627 §3.2)
};
[[nodiscard]] ContactParams contact_params(const NameAddr& contact);
// The next one of them, for who walks over them anyway; of two of a name the later counts.
void take_contact_param(const Param& param, ContactParams& into);

// "0.7" is 700 (RFC 3261 §25.1, qvalue).
[[nodiscard]] std::optional<std::uint16_t> parse_q(std::string_view text);
// delta-seconds; larger than 32 bits gives 2^32-1 (RFC 3261 §20.19); anything else is none.
[[nodiscard]] std::optional<std::uint32_t> parse_expires(std::string_view text);

// Without the quotes around it, if there are any; escapes inside stay.
[[nodiscard]] std::string_view unquoted(std::string_view text);

}  // namespace pinhole::sip
