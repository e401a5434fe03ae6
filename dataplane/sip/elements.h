// SPDX-License-Identifier: BSD-3-Clause
// Lists of values that may go over several headers of one name (RFC 3261 §7.3.1): Via, Contact,
// Route, Require and all such. Pure; any thread; views only.
#pragma once

#include "dataplane/sip/message.h"

#include <cstdint>
#include <string_view>

namespace pinhole::sip {

// The elements of all headers of one name, in order (RFC 3261 §7.3.1). Empty elements are skipped.
class Elements {
  public:
    Elements(const Message& message, HeaderId id)
        : message_(message), id_(id), next_header_(message.first_index(id)) {}
    [[nodiscard]] bool next(std::string_view& element);
    // Index of the header that the last element came from.
    [[nodiscard]] std::uint8_t header() const { return header_; }

  private:
    const Message& message_;
    HeaderId id_;
    std::uint8_t header_ = kNoHeader;
    std::uint8_t next_header_;
    std::string_view rest_;
};

// Does the list name anything at all? A header without a value (Require:) demands nothing.
[[nodiscard]] bool lists_anything(const Message& message, HeaderId id);
// Does a list of tokens (Require, Supported, Allow) name this one? Option tags and all such compare
// without case.
[[nodiscard]] bool lists_token(const Message& message, HeaderId id, std::string_view token);

}  // namespace pinhole::sip
