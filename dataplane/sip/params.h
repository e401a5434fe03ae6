// SPDX-License-Identifier: BSD-3-Clause
// Lists of parameters (";name=value;name") and lists of values (comma separated, over several
// headers of one name), as RFC 3261 §7.3.1 has them: quoted strings and <> are kept whole, white
// space and folds around separators are skipped. Pure; any thread; views only.
#pragma once

#include "dataplane/sip/message.h"

#include <cstdint>
#include <string_view>

namespace pinhole::sip {

struct Param {
    std::string_view name;
    std::string_view value;  // raw: a quoted string with its quotes
    bool has_value;          // there was a '='
    std::string_view text;   // the whole, from the name on, without ';' and outer white space
};

// Takes the first parameter off `rest`, which begins with ';' or is empty (white space aside).
// False at the end and where no parameter can be read; then rest is empty in the first case and not
// in the second.
[[nodiscard]] bool next_param(std::string_view& rest, Param& out);
// The first parameter of that name (any case); false if there is none, or if the text breaks before
// it.
[[nodiscard]] bool find_param(std::string_view params, std::string_view name, Param& out);
// Every parameter can be read, to the end.
[[nodiscard]] bool valid_params(std::string_view params);

// Takes the first element off a comma separated list; trimmed, may be empty ("a,,b"). False at the
// end. Never call it on headers whose grammar has commas of its own (Date, WWW-Authenticate,
// Authorization).
[[nodiscard]] bool next_element(std::string_view& rest, std::string_view& element);

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
