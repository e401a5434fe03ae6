// SPDX-License-Identifier: BSD-3-Clause
// Which frames a capture keeps: those that meet each of its terms. Ports are UDP's, so the later
// pieces of a fragmented datagram can only meet terms of addresses. Pure; matches() may be called
// by any thread.
#pragma once

#include "dataplane/net/address.h"
#include "dataplane/net/wire.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pinhole::net {

struct CaptureFilter {
    static constexpr std::size_t kMaxText = 128;

    std::optional<Address> host;        // the source's or the destination's
    std::optional<std::uint16_t> port;  // likewise
    std::string text;                   // somewhere in the datagram: an AOR, a Call-ID

    // "host 192.0.2.1 port 5060 text alice@example.com", any of them, in any order, once each;
    // "" takes all. Nothing, and a sentence in `problem`, if it is none.
    [[nodiscard]] static std::optional<CaptureFilter> parse(std::string_view words,
                                                            std::string& problem);

    // `frame` begins with the Ethernet header.
    [[nodiscard]] bool matches(Bytes frame) const;
};

}  // namespace pinhole::net
