// SPDX-License-Identifier: BSD-3-Clause
// Via values (RFC 3261 §20.42): where a request came by and where its answer goes. Several may
// stand in one header. Pure; any thread; views only.
#pragma once

#include "dataplane/sip/params.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pinhole::sip {

inline constexpr std::string_view kMagicCookie = "z9hG4bK";

struct Via {
    std::string_view text;       // this Via whole, without the comma
    std::string_view version;    // "2.0", or what a request of another version has
    std::string_view transport;  // "UDP"
    std::string_view sent_by;    // "host:port" as it stands
    std::string_view host;       // an IPv6 reference with its brackets
    std::uint16_t port;          // 0: none
    std::string_view params;     // from the first ';' to the last parameter's end
    std::string_view branch;     // empty: none
    std::string_view received;
    std::string_view maddr;
    bool has_rport;       // with a value or without
    std::uint16_t rport;  // its value; 0: none
    std::uint8_t ttl;     // 0: none

    // What an answer says anew, in the order in which it stands in `params`: each `received` and
    // `rport` with the ';' before it, and the first `keep` without a value (RFC 6223), to be given
    // one.
    struct Told {
        std::string_view text;
        bool is_keep;
    };
    static constexpr std::size_t kMaxTold =
        6;  // one of each may be there (§7.3.1): past this, no Via
    std::array<Told, kMaxTold> told;
    std::uint8_t told_count;

    // RFC 3261 §8.1.1.7: the branch identifies the transaction. Compared without case, as many
    // elements do.
    [[nodiscard]] bool has_magic_cookie() const;
};

// One element of the list, as Elements gives it.
[[nodiscard]] bool parse_via(std::string_view element, Via& out);

}  // namespace pinhole::sip
