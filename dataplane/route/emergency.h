// SPDX-License-Identifier: BSD-3-Clause
// Calls for help. They pass from any phone, registered or not, so they are known by their request
// URI alone: urn:service:sos and what is below it (RFC 5031), or one of the operator's numbers, as
// tel: or as a SIP URI at a domain of ours. Immutable once made; any thread.
#pragma once

#include "dataplane/sip/identity.h"
#include "dataplane/sip/message.h"
#include "dataplane/sip/uri.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::route {

class Emergency {
  public:
    // The longest number that is compared; longer ones are nobody's emergency number.
    static constexpr std::size_t kMaxNumber = 16;

    Emergency() = default;
    // Digits, '*' and '#' ("112", "911"). `unregistered`: for phones without a registration too.
    Emergency(std::span<const std::string> numbers, bool unregistered)
        : numbers_(numbers.begin(), numbers.end()), unregistered_(unregistered) {}

    [[nodiscard]] bool is_target(const sip::Uri& uri, const sip::Identity& identity) const;
    // A request that nobody is refused: of the methods that begin, cancel or acknowledge a call or
    // send a text. What follows in its dialog has a token. `uri` is its request URI.
    [[nodiscard]] bool is_call(const sip::Message& request, const sip::Uri& uri,
                               const sip::Identity& identity) const;
    [[nodiscard]] bool from_unregistered() const { return unregistered_; }

  private:
    [[nodiscard]] bool has_number(std::string_view user) const;

    std::vector<std::string> numbers_;
    bool unregistered_ = true;
};

}  // namespace pinhole::route
